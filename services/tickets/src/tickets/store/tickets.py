"""Tickets, messages, activities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from msp_kit.database import Transaction
from tickets.domain.assignment import Choice
from tickets.domain.ticket import Ticket

_COLUMNS = tuple(field.name for field in fields(Ticket))
_LIST = ", ".join(_COLUMNS)
_INSERT = (
    f"INSERT INTO tickets ({_LIST}, updated_at, awaits_assignment)"
    f" VALUES ({', '.join(f'${n}' for n in range(1, len(_COLUMNS) + 3))})"
)
_CHANGING = tuple(name for name in _COLUMNS if name not in ("id", "client_id", "ref", "raised_at", "is_imported"))
_UPDATE = (
    f"UPDATE tickets SET {', '.join(f'{name} = ${n}' for n, name in enumerate(_CHANGING, start=4))},"
    " updated_at = $3, awaits_assignment = awaits_assignment AND assignee_id IS NULL"
    " WHERE client_id = $1 AND id = $2"
)


@dataclass(frozen=True, slots=True)
class Message:
    """A public message or an internal note."""

    id: UUID
    client_id: UUID
    ticket_id: UUID
    posted_at: datetime
    author_kind: str
    author_id: str
    author_name: str
    is_public: bool
    is_automatic: bool
    is_first_response: bool
    body: str


@dataclass(frozen=True, slots=True)
class Activity:
    """One thing that happened to a ticket: who, when, what, why, by which rule."""

    client_id: UUID
    ticket_id: UUID
    at: datetime
    actor_id: str
    actor_name: str
    kind: str
    text: str
    reason: str = ""
    rule_id: str | None = None
    revision: int | None = None
    changed: tuple[str, ...] = ()


async def lock_ticket(tx: Transaction, *, ticket_id: UUID) -> Ticket | None:
    """Return a ticket the caller may see, locked until the end of the transaction."""
    row = await tx.fetchrow(f"SELECT {_LIST} FROM tickets WHERE id = $1 FOR UPDATE", ticket_id)
    return None if row is None else _ticket(row)


def _ticket(row: object) -> Ticket:
    values = dict(row)  # type: ignore[call-overload]
    return Ticket(**{**values, "tags": tuple(values["tags"])})


async def lock_tickets(tx: Transaction, *, ticket_ids: Sequence[UUID]) -> dict[UUID, Ticket]:
    """Return tickets the caller may see, locked in order of id: two who lock several never wait for each other."""
    rows = await tx.fetch(f"SELECT {_LIST} FROM tickets WHERE id = ANY($1) ORDER BY id FOR UPDATE", ticket_ids)
    return {row["id"]: _ticket(row) for row in rows}


async def lock_awaiting_assignment(tx: Transaction, *, limit: int) -> list[Ticket]:
    """Return tickets that wait for an agent and nobody else is looking at, oldest first."""
    rows = await tx.fetch(
        f"SELECT {_LIST} FROM tickets WHERE awaits_assignment ORDER BY raised_at LIMIT $1 FOR UPDATE SKIP LOCKED", limit
    )
    return [_ticket(row) for row in rows]


async def lock_resolved_before(tx: Transaction, *, before: datetime, limit: int) -> list[Ticket]:
    """Return tickets whose grace period after the resolution is over."""
    rows = await tx.fetch(
        f"SELECT {_LIST} FROM tickets WHERE status = 'resolved' AND resolved_at < $1"
        " ORDER BY resolved_at LIMIT $2 FOR UPDATE SKIP LOCKED",
        before,
        limit,
    )
    return [_ticket(row) for row in rows]


async def next_ref(tx: Transaction, *, client_id: UUID) -> str | None:
    """Return the next ref of a client (``HLO-1482``), ``None`` for an unknown client. Gapless: a rollback gives it back."""
    number = await tx.fetchval(
        "INSERT INTO ref_counters AS c SELECT client_id, 1 FROM clients WHERE client_id = $1"
        " ON CONFLICT (client_id) DO UPDATE SET last_number = c.last_number + 1 RETURNING last_number",
        client_id,
    )
    if number is None:
        return None
    code = await tx.fetchval("SELECT code FROM clients WHERE client_id = $1", client_id)
    return f"{code}-{number}"


async def add_ticket(tx: Transaction, ticket: Ticket, *, awaits_assignment: bool, updated_at: datetime) -> None:
    """Save a new ticket."""
    values = [getattr(ticket, name) for name in _COLUMNS]
    await tx.driver.execute(_INSERT, *values, updated_at, awaits_assignment)


async def save_ticket(tx: Transaction, ticket: Ticket, *, updated_at: datetime) -> None:
    """Save what may change about a ticket."""
    values = [getattr(ticket, name) for name in _CHANGING]
    await tx.driver.execute(_UPDATE, ticket.client_id, ticket.id, updated_at, *values)


async def clear_awaiting(tx: Transaction, *, ticket_ids: Sequence[UUID]) -> None:
    """Note that nobody could be found; a person has to assign these."""
    await tx.driver.execute("UPDATE tickets SET awaits_assignment = false WHERE id = ANY($1)", ticket_ids)


async def add_messages(tx: Transaction, messages: Sequence[Message]) -> None:
    """Save messages."""
    await tx.driver.executemany(
        "INSERT INTO messages (id, client_id, ticket_id, posted_at, author_kind, author_id, author_name, is_public,"
        " is_automatic, is_first_response, body) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        [tuple(getattr(one, field.name) for field in fields(Message)) for one in messages],
    )


async def add_activities(tx: Transaction, activities: Sequence[Activity]) -> None:
    """Save what happened."""
    await tx.driver.executemany(
        "INSERT INTO activities (client_id, ticket_id, at, actor_id, actor_name, kind, text, reason, rule_id,"
        " revision, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
        [tuple(getattr(one, field.name) for field in fields(Activity)) for one in activities],
    )


async def add_assignment(tx: Transaction, ticket: Ticket, choice: Choice, *, runners_up: str) -> None:
    """Keep why an agent was chosen; ``runners_up`` is JSON."""
    await tx.driver.execute(
        "INSERT INTO assignments (client_id, ticket_id, at, agent_id, load_percent, runners_up, reason)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        ticket.client_id,
        ticket.id,
        tx.now,
        choice.agent.id,
        choice.load_percent,
        runners_up,
        choice.reason,
    )
