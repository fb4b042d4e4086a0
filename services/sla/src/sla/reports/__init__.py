"""What screens and checks read. Nothing is written here."""

from sla.reports.clocks import at_risk, clocks_of_ticket, one_clock
from sla.reports.compliance import Chosen, Decided, PeriodNotAnswerable, compliance, verdicts
from sla.reports.credits import credits_page
from sla.reports.foresight import foresight
from sla.reports.verification import verify
from sla.reports.whatif import Asked, WhatIf, what_if

__all__ = [
    "Asked",
    "Chosen",
    "Decided",
    "PeriodNotAnswerable",
    "WhatIf",
    "at_risk",
    "clocks_of_ticket",
    "compliance",
    "credits_page",
    "foresight",
    "one_clock",
    "verdicts",
    "verify",
    "what_if",
]
