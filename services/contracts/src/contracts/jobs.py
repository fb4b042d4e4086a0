"""When the contracts service wakes by itself."""

from __future__ import annotations

from msp_kit.jobs import Job

from contracts.actions import contracts, lots

JOBS = (
    Job("let-lots-lapse", 60, lots.let_lapse),
    Job("end-contracts", 300, contracts.end_overdue),
    Job("grant-retainers", 300, lots.grant_retainers),
)
