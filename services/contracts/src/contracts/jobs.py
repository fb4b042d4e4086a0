"""When the contracts service wakes by itself."""

from __future__ import annotations

from contracts.actions import approvals, contracts, forecasting, lots
from msp_kit.jobs import Job

JOBS = (
    Job("settle-approvals", 1, approvals.settle),
    Job("let-lots-lapse", 60, lots.let_lapse),
    Job("end-contracts", 300, contracts.end_overdue),
    Job("grant-retainers", 300, lots.grant_retainers),
    Job("forecast-buckets", 600, forecasting.warn),
)
