"""What wakes by itself: forgetting ended sessions."""

from __future__ import annotations

from msp_kit.jobs import Job
from portal_gateway import actions

JOBS = (Job("forget-sessions", 300, actions.forget_old),)
