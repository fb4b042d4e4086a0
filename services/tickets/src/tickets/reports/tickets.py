"""Lists of tickets, one ticket with all that is shown of it, counts and workload."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import MAXYEAR, date, datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from msp_kit.database import Transaction
from msp_kit.pagination import page_of, position
from msp_kit.problems import BadCursor
from tickets.reports.search import NEWEST, words_query
from tickets.tables import agents as agents_table, balances, clients, tickets, watchers

Row = dict[str, Any]
_ROW = (
    "id",
    "client_id",
    "ref",
    "title",
    "status",
    "priority",
    "level",
    "handling_level",
    "job_type",
    "queue",
    "assignee_id",
    "assignee_name",
    "raised_at",
    "updated_at",
    "revision",
    "tags",
)
_CLOCK = ("metric", "status", "due_at", "remaining_seconds", "budget_minutes", "is_breached", "verdict")
_DETAIL = (
    *_ROW,
    "description",
    "contract_id",
    "contract_version",
    "contact_id",
    "contact_name",
    "cycle",
    "first_responded_at",
    "resolved_at",
    "closed_at",
    "is_imported",
    "source",
    "impact",
    "urgency",
    "merged_into_id",
    "satisfaction",
)
_INFINITY = "infinity"
_DRIVER_INFINITY = datetime.max  # noqa: DTZ901 - what the driver takes for it has no zone


def _shaped(row: Any, names: Sequence[str], *, with_balance: bool) -> Row:
    made = {name: getattr(row, name) for name in names}
    made["client_name"], made["client_code"] = row.client_name, row.client_code
    clock = {name: getattr(row, f"clock_{name}") for name in _CLOCK}
    made["clock"] = clock if row.clock_metric is not None else None
    has_balance = with_balance and row.granted_minutes is not None
    made["balance"] = (
        {"available_minutes": row.available_minutes, "granted_minutes": row.granted_minutes} if has_balance else None
    )
    return made


def _select(names: Sequence[str]) -> sa.Select[Any]:
    columns = [tickets.c[name] for name in names]
    clock = [tickets.c[f"clock_{name}"] for name in _CLOCK]
    names_of_client = [clients.c.name.label("client_name"), clients.c.code.label("client_code")]
    balance = [balances.c.available_minutes, balances.c.granted_minutes]
    return sa.select(*columns, *clock, tickets.c.due_at, *names_of_client, *balance).select_from(
        tickets.join(clients, clients.c.client_id == tickets.c.client_id).outerjoin(
            balances, balances.c.contract_id == tickets.c.contract_id
        )
    )


async def list_tickets(
    tx: Transaction,
    *,
    status: str | None,
    queue: str | None,
    assignee_id: UUID | None,
    client_id: UUID | None,
    is_unassigned: bool,
    of_person: UUID | None = None,
    watched_by: UUID | None = None,
    tag: str | None = None,
    priority: str | None = None,
    job_type: str | None = None,
    text: str | None,
    sort: str,
    limit: int,
    after: str | None,
    with_balance: bool,
) -> tuple[Sequence[Row], str | None]:
    """Return a page of tickets; ``time_left`` shows what is due first, ``updated`` what changed last.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    query = _select(_ROW)
    if status == "open_any":
        query = query.where(~tickets.c.is_over)
    elif status is not None:
        query = query.where(tickets.c.status == status)
    wanted = {
        "queue": queue,
        "assignee_id": assignee_id,
        "client_id": client_id,
        "priority": priority,
        "job_type": job_type,
    }
    for column, value in wanted.items():
        if value is not None:
            query = query.where(tickets.c[column] == value)
    query = _of_people(query, is_unassigned=is_unassigned, of_person=of_person, watched_by=watched_by)
    if tag is not None:
        query = query.where(tickets.c.tags.contains([tag]))
    key = tickets.c.updated_at if sort == "updated" else tickets.c.due_at
    found = position(after, of=2)
    if found is not None:
        at, ticket_id = _place(found)
        here = sa.tuple_(sa.literal(at, sa.DateTime(timezone=True)), sa.literal(ticket_id, sa.Uuid()))
        there = sa.tuple_(key, tickets.c.id)
        query = query.where(there < here if sort == "updated" else there > here)
    rows = await _first(tx, query, key=key.name, is_falling=sort == "updated", text=text, limit=limit + 1)
    page, next_cursor = page_of(rows, limit=limit, key=lambda row: (_text(getattr(row, key.name)), str(row.id)))
    return [_shaped(row, _ROW, with_balance=with_balance) for row in page], next_cursor


async def _first(
    tx: Transaction, query: sa.Select[Any], *, key: str, is_falling: bool, text: str | None, limit: int
) -> Sequence[Any]:
    """Return the first rows of a list in order of ``key``, those with all the words of a text where one is given.

    A word that is everywhere is found among the first rows at once; only a rarer one is looked up in the index.
    """

    def ordered(wanted: sa.Select[Any], columns: Any) -> sa.Select[Any]:
        by = (columns[key], columns.id)
        return wanted.order_by(*(one.desc() for one in by) if is_falling else by)

    first = ordered(query, tickets.c)
    if not text:
        return (await tx.execute(first.limit(limit))).all()
    words = words_query(text)
    if words is None:
        return []
    asked = sa.func.to_tsquery("simple", words)
    near = first.add_columns(tickets.c.search).limit(max(NEWEST, limit)).subquery()
    among_near = ordered(sa.select(near).where(near.c.search.op("@@")(asked)), near.c)
    rows = (await tx.execute(among_near.limit(limit))).all()
    if len(rows) == limit:
        return rows
    # Materialised, because nothing is known of how rare the beginning of a word is (see ``search``).
    found = (
        query.with_only_columns(tickets.c.id, tickets.c[key], maintain_column_froms=True)
        .where(tickets.c.search.op("@@")(asked))
        .cte("found")
        .prefix_with("MATERIALIZED")
    )
    shown = ordered(sa.select(found.c.id), found.c).limit(limit)
    return (await tx.execute(first.where(tickets.c.id.in_(shown)))).all()


def _of_people(
    query: sa.Select[Any], *, is_unassigned: bool, of_person: UUID | None, watched_by: UUID | None
) -> sa.Select[Any]:
    """Keep the tickets of nobody, of a person, or those a person watches."""
    if is_unassigned:
        query = query.where(tickets.c.assignee_id.is_(None))
    if of_person is not None:
        agent = sa.select(agents_table.c.id).where(agents_table.c.person_id == of_person).scalar_subquery()
        query = query.where(tickets.c.assignee_id == agent)
    if watched_by is not None:
        theirs = sa.select(watchers.c.ticket_id).where(watchers.c.person_id == watched_by)
        query = query.where(tickets.c.id.in_(theirs))
    return query


def _text(at: datetime) -> str:
    # The driver gives "infinity" (no clock runs) as the last instant it knows.
    return _INFINITY if at.year == MAXYEAR else at.isoformat()


def _place(found: Sequence[Any]) -> tuple[datetime, UUID]:
    try:
        at = _DRIVER_INFINITY if found[0] == _INFINITY else datetime.fromisoformat(found[0])
        return at, UUID(found[1])
    except (ValueError, TypeError, AttributeError) as error:
        raise BadCursor("take the cursor from `next` of the previous page") from error


async def one_ticket(tx: Transaction, *, ticket_id: UUID | None, ref: str | None, with_balance: bool) -> Row | None:
    """Return one ticket with its client and the most urgent clock."""
    query = _select(_DETAIL).where(tickets.c.id == ticket_id if ticket_id else tickets.c.ref == ref)
    row = (await tx.execute(query)).one_or_none()
    return None if row is None else _shaped(row, _DETAIL, with_balance=with_balance)


async def messages_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> Sequence[Row]:
    """Return messages, oldest first; client people do not see internal notes (the database sees to it)."""
    rows = await tx.fetch(
        "SELECT id, author_kind, author_name, is_public, is_automatic, is_first_response, body, posted_at"
        " FROM messages WHERE client_id = $1 AND ticket_id = $2 ORDER BY posted_at, id LIMIT 500",
        client_id,
        ticket_id,
    )
    return [dict(row) for row in rows]


async def activities_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> Sequence[Row]:
    """Return the history of a ticket, oldest first (staff)."""
    rows = await tx.fetch(
        "SELECT at, actor_name, kind, text, reason, rule_id FROM activities"
        " WHERE client_id = $1 AND ticket_id = $2 ORDER BY id LIMIT 1000",
        client_id,
        ticket_id,
    )
    return [dict(row) for row in rows]


async def clocks_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> Sequence[Row]:
    """Return the clocks of a ticket as last heard."""
    rows = await tx.fetch(
        "SELECT clock_id, metric, cycle, status, budget_minutes, remaining_seconds, due_at, is_breached, verdict, as_of"
        " FROM clocks WHERE client_id = $1 AND ticket_id = $2 ORDER BY metric, cycle",
        client_id,
        ticket_id,
    )
    return [dict(row) for row in rows]


async def counts(tx: Transaction) -> Row:
    """Return how many tickets are in which state, for the caller's scope."""
    rows = await tx.fetch(
        "SELECT status, count(*) AS n, count(*) FILTER (WHERE assignee_id IS NULL) AS unassigned FROM tickets"
        " WHERE NOT is_over GROUP BY status"
    )
    # Resolved ones are as many as a grace period holds; closed ones are not counted, they only ever grow.
    resolved = await tx.fetchval("SELECT count(*) FROM tickets WHERE status = 'resolved'")
    by_status = {**{row["status"]: row["n"] for row in rows}, "resolved": resolved}
    return {
        "open": sum(row["n"] for row in rows),
        "unassigned": sum(row["unassigned"] for row in rows),
        "by_status": by_status,
        "waiting_for_client": by_status.get("waiting_on_client", 0),
    }


async def offer(tx: Transaction, *, client_id: UUID, on: date) -> Sequence[Row]:
    """Return what a client's contracts in force allow to be chosen."""
    contracts = await tx.fetch(
        "SELECT contract_id, ref, name, job_types, levels FROM contracts WHERE client_id = $1 AND status = 'active'"
        " AND starts_on <= $2 AND (ends_on IS NULL OR $2 < ends_on) ORDER BY ref",
        client_id,
        on,
    )
    names = {row["code"]: row["name"] for row in await tx.fetch("SELECT code, name FROM job_types")}
    return [
        {**dict(row), "job_types": [{"code": code, "name": names.get(code, code)} for code in row["job_types"]]}
        for row in contracts
    ]
