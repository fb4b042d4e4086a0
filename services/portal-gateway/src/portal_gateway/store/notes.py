"""What is noted: the audit log, mail to send, the feed of what happened, the names of clients."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction


async def add_audit(
    tx: Transaction,
    *,
    actor: str,
    action: str,
    what: str,
    outcome: str,
    request_id: str,
    client_id: UUID | None = None,
    detail: dict[str, Any] | None = None,
    address: str = "",
) -> None:
    """Note who did what; the database chains the entries."""
    await tx.driver.execute(
        "INSERT INTO audit (actor, action, object, outcome, request_id, of_client_id, detail, address)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        actor,
        action,
        what,
        outcome,
        request_id,
        client_id,
        json.dumps(detail or {}),
        address[:60],
    )


async def audit(tx: Transaction, *, client_id: UUID | None, before: int | None, limit: int) -> Sequence[Any]:
    """Return entries, newest first; of one client, or all with ``None``."""
    return await tx.fetch(
        "SELECT a.id, a.at, a.actor, p.display_name AS actor_name, a.action, a.object, a.outcome, a.request_id,"
        " a.of_client_id, a.detail, a.address, a.sha256"
        " FROM audit a LEFT JOIN people p ON p.id::text = a.actor"
        " WHERE ($1::uuid IS NULL OR a.of_client_id = $1) AND ($2::bigint IS NULL OR a.id < $2)"
        " ORDER BY a.id DESC LIMIT $3",
        client_id,
        before,
        limit + 1,
    )


async def broken_audit(tx: Transaction) -> Sequence[int]:
    """Return the entries that do not follow from the one before them, or were changed; empty is good."""
    rows = await tx.fetch(
        "WITH chain AS (SELECT a.id, a.sha256, audit_digest(a) AS computed, a.previous_sha256,"
        " lag(a.sha256, 1, sha256('the audit log begins')) OVER (ORDER BY a.id) AS expected FROM audit a)"
        " SELECT id FROM chain WHERE sha256 <> computed OR previous_sha256 <> expected"
        " UNION ALL SELECT 0 WHERE (SELECT sha256 FROM audit_head) <>"
        " coalesce((SELECT sha256 FROM audit ORDER BY id DESC LIMIT 1), sha256('the audit log begins'))"
        " ORDER BY 1 LIMIT 20"
    )
    return [row["id"] for row in rows]


async def add_mail(
    tx: Transaction,
    *,
    recipient: str,
    subject: str,
    text: str,
    due_at: datetime,
    person_id: UUID | None = None,
    unsubscribe: str = "",
    is_once: bool = False,
) -> None:
    """Save a mail to send; ``is_once``: rather lost than sent twice."""
    await tx.driver.execute(
        "INSERT INTO mails (id, recipient, subject, text, created_at, due_at, person_id, of_client_id, unsubscribe, is_once)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, (SELECT of_client_id FROM people WHERE id = $7), $8, $9)",
        new_id(),
        recipient,
        subject,
        text,
        tx.now,
        due_at,
        person_id,
        unsubscribe,
        is_once,
    )


_MAIL = "m.id, m.recipient, m.subject, m.text, m.attempts, m.person_id, m.unsubscribe, m.is_once"


async def mail_to_send(tx: Transaction) -> Any:
    """Return one mail that is due, and keep others from sending it until commit; none to who was shut out or moved."""
    return await tx.fetchrow(
        f"SELECT {_MAIL} FROM mails m WHERE m.outcome = '' AND m.claim IS NULL AND m.due_at <= $1"
        " AND NOT EXISTS (SELECT FROM people p WHERE p.id = m.person_id"
        " AND (NOT p.is_active OR p.of_client_id IS DISTINCT FROM m.of_client_id))"
        " ORDER BY m.due_at, m.id LIMIT 1 FOR UPDATE OF m SKIP LOCKED",
        tx.now,
    )


async def claim_mail(tx: Transaction, mail_id: UUID, *, claim: UUID) -> None:
    """Say who will send a mail: from the commit on, nobody else ever does."""
    await tx.driver.execute("UPDATE mails SET claim = $2, attempts = attempts + 1 WHERE id = $1", mail_id, claim)


async def claimed_mail(tx: Transaction, *, claim: UUID) -> Any:
    """Return the mail that was claimed, when the claim was committed."""
    return await tx.fetchrow(f"SELECT {_MAIL} FROM mails m WHERE m.claim = $1 AND m.outcome = '' FOR UPDATE", claim)


async def mail_settled(tx: Transaction, mail_id: UUID, *, outcome: str, error: str = "") -> None:
    """Note what became of a mail, and forget what it said: it may hold a link that is good for once."""
    await tx.driver.execute(
        "UPDATE mails SET outcome = $3, sent_at = CASE WHEN $3 = 'sent' THEN $2::timestamptz END, text = '', claim = NULL,"
        " attempts = attempts + CASE WHEN is_once THEN 0 ELSE 1 END, last_error = $4 WHERE id = $1",
        mail_id,
        tx.now,
        outcome,
        error[:300],
    )


async def mail_failed(tx: Transaction, mail_id: UUID, *, error: str, due_at: datetime) -> None:
    """Note that a mail was surely not taken, and when to try again."""
    await tx.driver.execute(
        "UPDATE mails SET attempts = attempts + CASE WHEN is_once THEN 0 ELSE 1 END, last_error = $2, due_at = $3,"
        " claim = NULL WHERE id = $1",
        mail_id,
        error[:300],
        due_at,
    )


async def give_up_claims(tx: Transaction, *, before: datetime) -> None:
    """Settle mails whose sender died while sending: whether they left is not known."""
    await tx.driver.execute(
        "UPDATE mails SET outcome = 'unknown', text = '', claim = NULL, last_error = 'the sender died while sending'"
        " WHERE claim IS NOT NULL AND outcome = '' AND due_at < $1",
        before,
    )


async def add_to_feed(tx: Transaction, rows: Sequence[tuple[UUID, UUID, str, str, datetime, bool]]) -> None:
    """Save what happened: (id, client, type, subject, instant, whether the client may know)."""
    await tx.driver.executemany(
        "INSERT INTO feed (id, client_id, type, subject, at, is_for_clients) VALUES ($1, $2, $3, $4, $5, $6)", rows
    )


async def feed(tx: Transaction, *, after: list[Any] | None, limit: int) -> Sequence[Any]:
    """Return what happened after a position, oldest first.

    What was written in a transaction that is still open is not shown, nor anything after it: a reader who asks for what
    comes next would never see what commits late.
    """
    txid, pos = after or ("0", 0)
    return await tx.fetch(
        "SELECT txid::text AS txid, pos, id, client_id, type, subject, at FROM feed"
        " WHERE (txid, pos) > ($1::text::xid8, $2::bigint) AND txid < pg_snapshot_xmin(pg_current_snapshot())"
        " AND (is_for_clients OR bus.client_id() IS NULL)"
        " ORDER BY txid, pos LIMIT $3",
        str(txid),
        int(pos),
        limit + 1,
    )


async def save_client_name(tx: Transaction, *values: Any) -> None:
    """Save (client_id, revision, code, name, timezone) of a client; the newest revision wins."""
    await tx.driver.execute(
        "INSERT INTO client_names AS c (client_id, revision, code, name, timezone) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (client_id) DO UPDATE SET revision = excluded.revision, code = excluded.code, name = excluded.name,"
        " timezone = excluded.timezone WHERE c.revision < excluded.revision",
        *values,
    )


async def client_name(tx: Transaction, client_id: UUID) -> str | None:
    """Return the name of a client."""
    name: str | None = await tx.fetchval("SELECT name FROM client_names WHERE client_id = $1", client_id)
    return name


async def clients_with_words(tx: Transaction, words: Sequence[str], *, limit: int) -> Sequence[Any]:
    """Return (client_id, code, name) of clients whose name or code has all the words, by name."""
    return await tx.fetch(
        "SELECT c.client_id, c.code, c.name FROM client_names c WHERE NOT EXISTS (SELECT FROM unnest($1::text[]) AS word"
        "   WHERE position(lower(word) IN lower(c.name || ' ' || c.code)) = 0)"
        " ORDER BY c.name, c.client_id LIMIT $2",
        list(words),
        limit,
    )
