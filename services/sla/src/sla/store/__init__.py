"""Load and save domain values. The only statements that write, and every lock.

Lock order: tickets before clocks, each in order of id. Timers lock single clocks and skip what is locked.
"""

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
from sla.store.firings import Firing, save_firings, void_firings
from sla.store.rollups import fold_changes, rebuild_rollups, rollup_differences
from sla.store.terms import TermsKey, save_client, save_terms, terms_from, terms_of
from sla.store.tickets import TicketRow, lock_tickets, save_tickets

__all__ = [
    "Firing",
    "TermsKey",
    "TicketRow",
    "TimedClock",
    "clocks_after",
    "clocks_by_id",
    "clocks_from_rows",
    "clocks_of_ticket",
    "clocks_with_place",
    "fold_changes",
    "lock_clock",
    "lock_due_clocks",
    "lock_tickets",
    "rebuild_rollups",
    "rollup_differences",
    "save_client",
    "save_clocks",
    "save_firings",
    "save_terms",
    "save_tickets",
    "terms_from",
    "terms_of",
    "void_firings",
]
