"""Promises before there is a ticket, in HTTP answers."""

from __future__ import annotations

from datetime import datetime

from msp_kit.api import View
from sla.domain.targets import Metric


class ForeseenView(View):
    """What a ticket of one priority would be promised now. Its time counts from ``begins_at`` on."""

    priority: str
    metric: Metric
    rule_id: str
    budget_minutes: int
    begins_at: datetime
    due_at: datetime
