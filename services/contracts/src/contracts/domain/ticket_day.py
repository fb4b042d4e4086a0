"""Rounding per ticket and day: the entries of a ticket on one local day are rounded together, in order of work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from uuid import UUID

from contracts.domain.contract import Contract
from contracts.domain.coverage import resolve
from contracts.domain.entry import Change, Hours, Stamped, TimeEntry
from msp_kernel.periods import day_of

TicketDay = tuple[UUID, date]


def ticket_day(contract: Contract, entry: TimeEntry) -> TicketDay | None:
    """Return the ticket (or task) and local day an entry is rounded with; ``None`` when it is rounded alone."""
    terms = contract.terms_at(entry.work.worked_from)
    if terms.rounding.level != "ticket_day" or terms.rounding.is_exact:
        return None
    return entry.ticket_id or entry.task_id or entry.id, day_of(entry.work.worked_from, terms.calendar.timezone)


def ticket_days(contract: Contract, changes: Iterable[Change]) -> set[TicketDay]:
    """Return the ticket days that changed entries belong to, or belonged to before."""
    entries = [one.entry for change in changes for one in (change, change.before) if one is not None]
    return {day for entry in entries if (day := ticket_day(contract, entry)) is not None}


def rounded_together(contract: Contract, stamped: Sequence[Stamped], neighbours: Iterable[Hours]) -> list[Stamped]:
    """Return stamped changes with the billed minutes of their ticket days, and neighbours whose share they change.

    ``neighbours`` are the other active entries of those ticket days. Each entry adds what it adds to the rounded whole;
    the shares of closed periods stay as they are.
    """
    days = ticket_days(contract, (change for change, _ in stamped))
    if not days:
        return list(stamped)
    found = {change.entry.id: (change, hours) for change, hours in stamped}
    members: dict[TicketDay, list[Stamped]] = defaultdict(list)
    around = [(Change(one.entry, one), one) for one in neighbours if one.entry.id not in found]
    for change, hours in (*stamped, *around):
        day = ticket_day(contract, hours.entry)
        if day in days and day is not None and any(demand.route != "excluded" for demand in hours.demands):
            members[day].append((change, hours))
    for of_day in members.values():
        found |= {change.entry.id: (change, hours) for change, hours in _shared(contract, of_day)}
    return list(found.values())


def _shared(contract: Contract, members: list[Stamped]) -> list[Stamped]:
    """Return the members of one ticket day whose share is not what they bill so far."""
    changed: list[Stamped] = []
    worked_minutes = billed_minutes = 0
    for change, hours in sorted(members, key=lambda one: one[1].entry.position):
        work = hours.entry.work
        worked_minutes += work.worked_minutes
        closed_share = _closed_share(change, hours)
        if closed_share is not None:
            billed_minutes += closed_share
            continue
        rounding = contract.terms_at(work.worked_from).rounding
        share = max(0, rounding.billed_minutes(worked_minutes) - billed_minutes)
        billed_minutes += share
        if share != _billed_minutes(hours):
            demands = resolve(contract, work, billed_minutes=share).demands
            revision = hours.revision + 1 if hours is change.before else hours.revision
            changed.append((change, replace(hours, demands=demands, revision=revision)))
    return changed


def _closed_share(change: Change, hours: Hours) -> int | None:
    """Return the share of an entry that stays in its closed period, ``None`` for every other one."""
    before = change.before
    if before is None or before.period_close_id is None or before.entry.work != hours.entry.work:
        return None
    return _billed_minutes(before)


def _billed_minutes(hours: Hours) -> int:
    return sum(demand.billed_minutes for demand in hours.demands)
