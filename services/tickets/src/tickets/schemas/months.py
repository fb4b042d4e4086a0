"""Figures month by month."""

from __future__ import annotations

from datetime import date

from msp_kit.api import View
from tickets.schemas.ids import ClientId


class MonthOfTicketsView(View):
    """What came and what was done in a month."""

    on: date
    """Its first day."""
    raised: int
    """Without those that were merged into others."""
    resolved: int
    """Those that were resolved in it last, whenever they were raised."""


class TicketsByMonthView(View):
    """Every month of the period, the earliest first, whether anything happened or not."""

    client_id: ClientId
    timezone: str
    """In which months begin."""
    months: list[MonthOfTicketsView]
