"""The verbs: hear a ticket, hear terms, fire what is due, acknowledge, settle months. Load, decide, save, say."""

from sla.actions.credits import settle_months
from sla.actions.firing import acknowledge, fire_due, fold_rollups, say_cause
from sla.actions.hearing import (
    ForeignContract,
    TargetOutOfRange,
    TermsChanged,
    TermsNotKnownYet,
    hear_client,
    hear_contract,
    hear_tickets,
)

__all__ = [
    "ForeignContract",
    "TargetOutOfRange",
    "TermsChanged",
    "TermsNotKnownYet",
    "acknowledge",
    "fire_due",
    "fold_rollups",
    "hear_client",
    "hear_contract",
    "hear_tickets",
    "say_cause",
    "settle_months",
]
