"""When the service wakes by itself."""

from __future__ import annotations

from msp_kit.jobs import Job
from sla import actions

POLL_SECONDS = 0.25
FOLD_SECONDS = 1.0
SETTLE_SECONDS = 15.0
JOBS = (
    Job("fire", POLL_SECONDS, actions.fire_due),
    Job("fold", FOLD_SECONDS, actions.fold_rollups),
    Job("settle", SETTLE_SECONDS, actions.settle_months),
)
