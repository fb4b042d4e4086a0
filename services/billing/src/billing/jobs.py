"""What wakes by itself: drafting, issuing, asking again."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from billing.actions import runs
from billing.actions.runs import Seller
from msp_kit.jobs import Job


def jobs(seller: Seller) -> Sequence[Job]:
    """Return the jobs of a worker."""
    return (
        Job("draft", 0.3, runs.draft_next),
        Job("issue", 0.3, functools.partial(runs.issue_next, seller=seller)),
        Job("ask-again", 5, runs.ask_overdue),
    )
