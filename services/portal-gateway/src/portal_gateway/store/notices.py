"""What people are told: tickets as known, notifications, how somebody wants to hear, and mail that waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from portal_gateway.notices import KnownTicket, Notice
from portal_gateway.person import Person
from portal_gateway.store import people
from portal_gateway.telling import Telling

_TICKET = "ticket_id, client_id, revision, ref, title, priority, assignee_person_id, raised_by"
_SHOWN = "n.id, n.client_id, n.client_name, n.kind, n.about, n.link, n.words, n.is_critical, n.at, n.done_at, n.snoozed_until"
_STATES = {
    "open": "n.done_at IS NULL AND coalesce(n.snoozed_until <= $2, true)",
    "snoozed": "n.done_at IS NULL AND n.snoozed_until > $2",
    "done": "n.done_at IS NOT NULL AND $2::timestamptz IS NOT NULL",
}
ALL_MAX = 500


async def known_tickets(tx: Transaction, ticket_ids: Iterable[UUID]) -> dict[UUID, KnownTicket]:
    """Return tickets as they were last heard of, and keep others from saving them until commit."""
    rows = await tx.fetch(
        f"SELECT {_TICKET} FROM known_tickets WHERE ticket_id = ANY($1) ORDER BY ticket_id FOR UPDATE",
        sorted(set(ticket_ids)),
    )
    return {row["ticket_id"]: KnownTicket(**dict(row)) for row in rows}


async def save_tickets(tx: Transaction, tickets: Iterable[KnownTicket]) -> None:
    """Save tickets; the newest revision wins, and who raised one is never forgotten."""
    await tx.driver.executemany(
        f"INSERT INTO known_tickets AS k ({_TICKET}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (ticket_id) DO UPDATE SET raised_by = coalesce(k.raised_by, excluded.raised_by),"
        " (revision, ref, title, priority, assignee_person_id) ="
        " (SELECT x.* FROM (VALUES (excluded.revision, excluded.ref, excluded.title, excluded.priority,"
        " excluded.assignee_person_id), (k.revision, k.ref, k.title, k.priority, k.assignee_person_id)) AS x (a, b, c, d, e)"
        " ORDER BY x.a DESC LIMIT 1)",
        [
            (
                one.ticket_id,
                one.client_id,
                one.revision,
                one.ref,
                one.title,
                one.priority,
                one.assignee_person_id,
                one.raised_by,
            )
            for one in sorted(tickets, key=lambda one: one.ticket_id)
        ],
    )


async def candidates(
    tx: Transaction, *, persons: Sequence[UUID], client_ids: Sequence[UUID], staff_roles: Sequence[str]
) -> list[Person]:
    """Return active people who may have to be told: those named, staff of some roles, and of clients those with a say."""
    rows = await tx.fetch(
        "SELECT id, revision, kind, of_client_id, email, display_name, roles, is_active FROM people WHERE is_active"
        " AND (id = ANY($1) OR (kind = 'staff' AND roles && $3)"
        " OR (of_client_id = ANY($2) AND roles && '{admin,approver,billing}'::text[])) ORDER BY id",
        persons,
        client_ids,
        staff_roles,
    )
    return [found for row in rows if (found := people.person(row))]


async def tellings(tx: Transaction, person_ids: Iterable[UUID]) -> dict[UUID, Telling]:
    """Return how people want to be told; those who never said so hear in their client's time zone."""
    rows = await tx.fetch(
        "SELECT p.id, c.timezone, s.* FROM people p LEFT JOIN notification_settings s ON s.person_id = p.id"
        " LEFT JOIN client_names c ON c.client_id = p.of_client_id WHERE p.id = ANY($1) ORDER BY p.id",
        sorted(set(person_ids)),
    )
    return {row["id"]: _telling(row) for row in rows}


async def save_telling(tx: Transaction, person_id: UUID, telling: Telling) -> None:
    """Save how somebody wants to be told; a refusal of their address is forgotten, it may be right now."""
    starts, ends = telling.quiet or (None, None)
    await tx.driver.execute(
        "INSERT INTO notification_settings (person_id, zone, digest, quiet_from, quiet_until, channels)"
        " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (person_id) DO UPDATE SET zone = excluded.zone,"
        " digest = excluded.digest, quiet_from = excluded.quiet_from,"
        " quiet_until = excluded.quiet_until, channels = excluded.channels, refusal = '', refused_at = NULL",
        person_id,
        telling.zone,
        telling.digest,
        starts,
        ends,
        orjson.dumps(dict(telling.channels)).decode(),
    )


async def add(tx: Transaction, rows: Iterable[tuple[Notice, datetime | None]]) -> set[UUID]:
    """Save (notice, when mail about it is due); return whom something new is for.

    A fact that somebody was told already changes nothing.
    """
    told = set()
    for notice, mail_due_at in rows:
        wish = notice.wish
        is_new = await tx.fetchval(
            "INSERT INTO notifications (id, person_id, client_id, is_for_client, kind, fact, about, link, words, is_critical,"
            " at, mail_due_at, client_name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12,"
            " coalesce((SELECT c.name FROM client_names c WHERE c.client_id = $3), ''))"
            " ON CONFLICT (person_id, fact) DO NOTHING RETURNING true",
            new_id(),
            notice.person_id,
            wish.client_id,
            wish.side == "client",
            wish.kind,
            wish.fact,
            wish.about,
            wish.link,
            orjson.dumps(wish.words).decode(),
            wish.is_critical,
            tx.now,
            mail_due_at,
        )
        if is_new:
            told.add(notice.person_id)
    return told


async def listed(
    tx: Transaction, person_id: UUID, *, state: str, after: tuple[datetime, UUID] | None, limit: int
) -> list[dict[str, Any]]:
    """Return what a person was told, newest first; one more than the limit when there is more."""
    at, last = after or (None, None)
    rows = await tx.fetch(
        f"SELECT {_SHOWN} FROM notifications n WHERE n.person_id = $1 AND {_STATES[state]}"
        " AND ($3::timestamptz IS NULL OR (n.at, n.id) < ($3, $4::uuid)) ORDER BY n.at DESC, n.id DESC LIMIT $5",
        person_id,
        tx.now,
        at,
        last,
        limit + 1,
    )
    return [_read(row) for row in rows]


async def unread(tx: Transaction, person_id: UUID) -> int:
    """Return how much is open, counted up to a hundred."""
    found: int = await tx.fetchval(
        "SELECT count(*) FROM (SELECT 1 FROM notifications n WHERE n.person_id = $1"
        f" AND {_STATES['open']} LIMIT 100) AS counted",
        person_id,
        tx.now,
    )
    return found


async def settle(
    tx: Transaction, person_id: UUID, ids: Sequence[UUID], *, done_at: datetime | None, snoozed_until: datetime | None
) -> int:
    """Mark what a person was told as done, open or put off; return how many there were."""
    rows = await tx.fetch(
        "UPDATE notifications SET done_at = $3, snoozed_until = $4 WHERE person_id = $1 AND id = ANY($2) RETURNING id",
        person_id,
        ids,
        done_at,
        snoozed_until,
    )
    return len(rows)


async def woken(tx: Transaction, *, limit: int) -> set[UUID]:
    """Open what was put off until now; return whose it is."""
    rows = await tx.fetch(
        "UPDATE notifications SET snoozed_until = NULL WHERE id IN (SELECT id FROM notifications"
        " WHERE snoozed_until <= $1 AND done_at IS NULL ORDER BY snoozed_until LIMIT $2 FOR UPDATE SKIP LOCKED)"
        " RETURNING person_id",
        tx.now,
        limit,
    )
    return {row["person_id"] for row in rows}


async def settle_all(tx: Transaction, person_id: UUID, *, before: datetime) -> Sequence[UUID]:
    """Mark what is open and came up to an instant as done; return which it was."""
    rows = await tx.fetch(
        "UPDATE notifications SET done_at = $2 WHERE id IN (SELECT n.id FROM notifications n WHERE n.person_id = $1"
        f" AND n.at <= $3 AND {_STATES['open']} ORDER BY n.at DESC, n.id DESC LIMIT {ALL_MAX}) RETURNING id",
        person_id,
        tx.now,
        before,
    )
    return [row["id"] for row in rows]


async def mail_due(tx: Transaction, *, limit: int) -> tuple[Person | None, list[dict[str, Any]]]:
    """Take what is due by mail for one person, and the person while they may still hear it; nobody and nothing without.

    What was done in the meantime, is too old or is no longer theirs to know is taken, too, and not returned.
    """
    first = await tx.fetchrow(
        "SELECT n.person_id FROM notifications n WHERE n.mail_due_at <= $1 ORDER BY n.mail_due_at, n.id LIMIT 1"
        " FOR UPDATE SKIP LOCKED",
        tx.now,
    )
    if first is None:
        return None, []
    rows = await tx.fetch(
        "UPDATE notifications n SET mail_due_at = NULL FROM (SELECT id FROM notifications WHERE person_id = $1"
        " AND mail_due_at <= $2 ORDER BY at, id LIMIT $3 FOR UPDATE SKIP LOCKED) AS due WHERE n.id = due.id"
        " RETURNING n.id, n.client_id, n.kind, n.about, n.link, n.words, n.is_critical, n.at, n.is_for_client, n.done_at, n.client_name",
        first["person_id"],
        tx.now,
        limit,
    )
    person = await people.by_id(tx, first["person_id"])
    if person is None or not person.is_active:
        return None, []
    kept = [
        _read(row)
        for row in rows
        if row["done_at"] is None
        and (person.of_client_id == row["client_id"] if row["is_for_client"] else person.kind == "staff")
    ]
    return person, sorted(kept, key=lambda one: (one["at"], one["id"]))


async def put_off_mail(tx: Transaction, ids: Sequence[UUID], *, due_at: datetime) -> None:
    """Let mail about something wait longer."""
    await tx.driver.execute("UPDATE notifications SET mail_due_at = $2 WHERE id = ANY($1)", ids, due_at)


async def mailed(tx: Transaction, ids: Sequence[UUID]) -> None:
    """Note what a mail was written about."""
    await tx.driver.execute("UPDATE notifications SET mailed_at = $2 WHERE id = ANY($1)", ids, tx.now)


async def drop_mail(tx: Transaction, person_id: UUID) -> None:
    """Let nothing leave that waits for a person's mailbox."""
    await tx.driver.execute(
        "UPDATE notifications SET mail_due_at = NULL WHERE person_id = $1 AND mail_due_at IS NOT NULL", person_id
    )
    await tx.driver.execute(
        "DELETE FROM mails WHERE person_id = $1 AND is_once AND outcome = '' AND claim IS NULL", person_id
    )


async def address_refused(tx: Transaction, person_id: UUID, *, text: str) -> None:
    """Note what the mail server said about a person's address."""
    await tx.driver.execute(
        "INSERT INTO notification_settings (person_id, zone, digest, channels, refusal, refused_at)"
        " SELECT $1, coalesce((SELECT c.timezone FROM people p JOIN client_names c ON c.client_id = p.of_client_id"
        " WHERE p.id = $1), 'Europe/London'), 'daily', '{}', $2, $3"
        " ON CONFLICT (person_id) DO UPDATE SET refusal = excluded.refusal, refused_at = excluded.refused_at",
        person_id,
        text[:300],
        tx.now,
    )


async def forget_old(tx: Transaction, *, before: datetime, done_before: datetime) -> None:
    """Forget what was done long ago, and what is older still."""
    await tx.driver.execute("DELETE FROM notifications WHERE at < $1 OR done_at < $2", before, done_before)


def _telling(row: Any) -> Telling:
    zone = row["zone"] or row["timezone"] or Telling().zone
    if row["person_id"] is None:
        return Telling(zone=zone)
    return Telling(
        zone=zone,
        digest=row["digest"],
        quiet=None if row["quiet_from"] is None else (row["quiet_from"], row["quiet_until"]),
        channels=_json(row["channels"]),
        refusal=row["refusal"],
    )


def _read(row: Any) -> dict[str, Any]:
    return {**dict(row), "words": _json(row["words"])}


def _json(value: Any) -> Any:
    return orjson.loads(value) if isinstance(value, str | bytes) else value
