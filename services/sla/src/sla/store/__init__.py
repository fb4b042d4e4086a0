"""Load and save domain values. The only statements that write, and every lock.

Lock order: tickets before clocks, each in order of id. Timers lock single clocks and skip what is locked.
"""

from sla.store.causes import add_cause, causes_of
from sla.store.clocks import (
    TimedClock,
    clocks_after,
    clocks_by_id,
    clocks_from_rows,
    clocks_of_ticket,
    clocks_with_place,
    lock_clock,
    lock_due_clocks,
    save_clocks,
)
from sla.store.credits import (
    GivenCredit,
    Month,
    credits_of,
    derived_credits,
    given,
    lock_months_due,
    month_done,
    open_month,
    reopen_last_month,
    save_credits,
    settled_months,
)
from sla.store.firings import Firing, save_firings, void_firings
from sla.store.rollups import fold_changes, rebuild_rollups, rollup_differences
from sla.store.terms import TermsKey, save_client, save_contract, save_terms, terms_from, terms_in_force, terms_of
from sla.store.tickets import TicketRow, lock_tickets, refs_of, save_tickets

__all__ = [
    "Firing",
    "GivenCredit",
    "Month",
    "TermsKey",
    "TicketRow",
    "TimedClock",
    "add_cause",
    "causes_of",
    "clocks_after",
    "clocks_by_id",
    "clocks_from_rows",
    "clocks_of_ticket",
    "clocks_with_place",
    "credits_of",
    "derived_credits",
    "fold_changes",
    "given",
    "lock_clock",
    "lock_due_clocks",
    "lock_months_due",
    "lock_tickets",
    "month_done",
    "open_month",
    "rebuild_rollups",
    "refs_of",
    "reopen_last_month",
    "rollup_differences",
    "save_client",
    "save_clocks",
    "save_contract",
    "save_credits",
    "save_firings",
    "save_terms",
    "save_tickets",
    "settled_months",
    "terms_from",
    "terms_in_force",
    "terms_of",
    "void_firings",
]
