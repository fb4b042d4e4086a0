"""What wakes by itself: drafting, issuing, asking again, reminding."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

from billing.actions import issuing, payments, runs
from msp_kit.jobs import Job

DRAFTERS = 3
"""Drafts a worker makes side by side: while the database binds the work of one client, the next one is priced."""


def jobs(default_seller: dict[str, Any]) -> Sequence[Job]:
    """Return the jobs of a worker."""
    return (
        *(
            Job(f"draft-{number}", 0.3, functools.partial(runs.draft_next, default_seller=default_seller))
            for number in range(1, DRAFTERS + 1)
        ),
        Job("issue", 0.3, functools.partial(issuing.issue_next, default_seller=default_seller)),
        Job("ask-again", 5, runs.ask_overdue),
        Job("tell-what-runs-become", 3, runs.tell_what_runs_become),
        Job("remind", 60, payments.remind_next),
    )
