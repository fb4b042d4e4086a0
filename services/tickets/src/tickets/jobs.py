"""What wakes by itself: finding agents for new tickets, closing what was resolved long enough ago."""

from __future__ import annotations

from msp_kit.jobs import Job
from tickets.actions import assigning, tickets

JOBS = (
    Job("assign", 0.5, assigning.assign_waiting),
    Job("close-resolved", 60, tickets.close_resolved),
)
