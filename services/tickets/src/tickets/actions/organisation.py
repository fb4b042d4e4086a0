"""Queues, agents, shifts, absences, presence."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kernel.zones import zone_of
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.problems import Conflict, NotFound
from tickets.domain import shift
from tickets.domain.assignment import Candidate
from tickets.domain.shift import BadShift, Shift
from tickets.store import organisation as store, staffing


async def add_queue(tx: Transaction, *, key: str, name: str) -> None:
    """Add a queue.

    Raises:
        Conflict: key or name are taken.
    """
    if not await store.add_queue(tx, key=key, name=name):
        raise Conflict(f"a queue with the key {key} or the name {name} is there already")


async def add_agent(tx: Transaction, agent: Candidate, *, person_id: UUID | None) -> None:
    """Add an agent.

    Raises:
        Conflict: the person is an agent already.
    """
    if not await store.add_agent(tx, agent, person_id=person_id):
        raise Conflict("this person is an agent already")


async def change_agent(tx: Transaction, *, agent_id: UUID, changes: dict[str, Any]) -> None:
    """Change name, levels, skills, queues, capacity, or whether an agent takes tickets.

    Raises:
        NotFound: no such agent.
    """
    if changes and not await staffing.change_agent(tx, agent_id=agent_id, changes=changes):
        raise NotFound


async def set_shifts(tx: Transaction, *, agent_id: UUID, timezone: str, shifts: Iterable[Shift]) -> list[Shift]:
    """Replace the weekly shifts of an agent, on the wall clock of their zone.

    Raises:
        NotFound: no such agent.
        BadShift: there is no such zone.
        ShiftsOverlap: two have a minute in common.
    """
    try:
        zone_of(timezone)
    except ValueError as error:
        raise BadShift(f"there is no zone {timezone!r}; zones are named like Europe/London") from error
    ordered = shift.check(shifts)
    if not await staffing.save_shifts(tx, agent_id=agent_id, timezone=timezone, shifts=ordered):
        raise NotFound
    return ordered


async def add_absence(tx: Transaction, *, agent_id: UUID, starts_at: datetime, ends_at: datetime, reason: str) -> UUID:
    """Note that an agent is away.

    Raises:
        NotFound: no such agent.
        BadShift: it ends before it begins.
    """
    if ends_at <= starts_at:
        raise BadShift("an absence ends after it begins")
    absence_id = new_id()
    if not await staffing.add_absence(
        tx, absence_id=absence_id, agent_id=agent_id, starts_at=starts_at, ends_at=ends_at, reason=reason
    ):
        raise NotFound
    return absence_id


async def delete_absence(tx: Transaction, *, absence_id: UUID) -> None:
    """Take an absence away.

    Raises:
        NotFound: there is none.
    """
    if not await staffing.delete_absence(tx, absence_id=absence_id):
        raise NotFound


async def set_presence(tx: Transaction, *, by: Caller, presence: str) -> None:
    """Say whether the caller can be given work now.

    Raises:
        NotFound: the caller is no agent.
    """
    if not await staffing.save_presence(tx, person_id=by.id, presence=presence):
        raise NotFound
