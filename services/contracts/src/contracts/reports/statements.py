"""What was known when: the balance at any instant as it was known at another, and statements of periods.

A posting has two instants: when it counts (``effective_at``) and when it was recorded. A statement of a closed period
never changes: what is recorded afterwards about work of that period stands as a correction in the next one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from contracts.domain.contract import Contract
from contracts.store import contracts as store
from contracts.store.book_rows import ACCOUNTS
from msp_kernel.periods import day_of, midnight
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

STATEMENT_LINES_MAX = 5000
_FOREVER = datetime(2199, 12, 31, tzinfo=UTC)
_SOURCES = ("granted", "worked", "carried_in", "adjusted")

# Without a look at the values the planner takes a third of the ledger for what came later, and reads all of it.
_BOOK = "SELECT client_id, set_config('enable_seqscan', 'off', true) FROM buckets WHERE contract_id = $1"
# The live balance less what came later: asked about lately, it costs next to nothing however long the ledger is. The sum
# with nothing keeps the number out of the search for what counts later.
_AS_KNOWN = """
    WITH known AS (
        SELECT coalesce(max(seq), 0) AS known_seq FROM (
            SELECT seq FROM postings WHERE contract_id = $1 AND recorded_at <= $4 ORDER BY seq DESC LIMIT 1) AS newest
    ), later AS (
        SELECT from_account, to_account, minutes FROM postings
         WHERE contract_id = $1 AND seq > (SELECT known_seq FROM known)
        UNION ALL
        SELECT from_account, to_account, minutes FROM postings
         WHERE contract_id = $1 AND client_id = $2 AND effective_at > $3 AND seq + 0 <= (SELECT known_seq FROM known)
    ), moved AS (
        SELECT from_account AS account, -minutes AS minutes FROM later
        UNION ALL
        SELECT to_account, minutes FROM later
    )
    SELECT b.*, known.known_seq, coalesce(
               (SELECT jsonb_object_agg(account, total)
                  FROM (SELECT account, sum(minutes)::bigint AS total FROM moved GROUP BY account) AS t), '{}') AS later
      FROM buckets b, known WHERE b.contract_id = $1
"""
_OF_PERIOD = """
    (effective_at >= $3 AND effective_at < $4 AND ($6::timestamptz IS NULL OR recorded_at < $6)
     OR effective_at < $3 AND recorded_at >= $5 AND ($6::timestamptz IS NULL OR recorded_at < $6))
    AND ($7::timestamptz IS NULL OR recorded_at <= $7)
"""
# Reversal pairs count at the instant of what they correct, so that they cancel out on the line of their entry.
_LINES = f"""
    SELECT p.effective_at AS at, p.time_entry_id, p.effective_at < $3 AS is_correction,
           CASE WHEN p.time_entry_id IS NULL THEN min(p.kind) END AS kind,
           sum(CASE WHEN p.to_account = 'available' THEN p.minutes
                    WHEN p.from_account = 'available' THEN -p.minutes ELSE 0 END)::bigint AS minutes,
           sum(CASE WHEN p.to_account = 'overage' THEN p.minutes
                    WHEN p.from_account = 'overage' THEN -p.minutes ELSE 0 END)::bigint AS overage_minutes,
           sum(CASE WHEN p.to_account = 'consumed' THEN p.minutes
                    WHEN p.from_account = 'consumed' THEN -p.minutes ELSE 0 END)::bigint AS consumed_minutes,
           min(p.seq) AS seq, array_agg(p.seq ORDER BY p.seq) AS posting_seqs, max(p.reason) AS reason
      FROM postings p
     WHERE p.contract_id = $1 AND p.client_id = $2 AND {_OF_PERIOD}
       AND (p.from_account IN ('available', 'overage', 'consumed') OR p.to_account IN ('available', 'overage', 'consumed'))
     GROUP BY p.effective_at, p.time_entry_id, CASE WHEN p.time_entry_id IS NULL THEN p.lot_id END
"""
_STATEMENT = f"""
    SELECT l.*, h.status, h.ticket_id, h.task_id, h.note, h.job_type, h.level, h.agent_name, h.ref, h.is_late
      FROM ({_LINES}) AS l LEFT JOIN hours h ON h.time_entry_id = l.time_entry_id
     WHERE l.minutes <> 0 OR l.overage_minutes <> 0
     ORDER BY l.is_correction DESC, l.at, l.seq
     LIMIT $8
"""
_OPENING = """
    SELECT coalesce(sum(CASE WHEN to_account = 'available' THEN minutes
                             WHEN from_account = 'available' THEN -minutes ELSE 0 END), 0)::bigint
      FROM postings
     WHERE contract_id = $1 AND client_id = $2 AND effective_at < $3
       AND ($4::timestamptz IS NULL OR recorded_at < $4) AND ($5::timestamptz IS NULL OR recorded_at <= $5)
"""
_NAMES = """
    SELECT c.name AS contract_name, l.name AS client_name
      FROM contracts c JOIN clients l ON l.client_id = c.client_id WHERE c.id = $1
"""
_CLOSED_AT = """
    SELECT (SELECT min(closed_at) FROM period_closes WHERE client_id = $1 AND reopened_at IS NULL AND ends_at >= $2),
           (SELECT min(closed_at) FROM period_closes WHERE client_id = $1 AND reopened_at IS NULL AND ends_at >= $3)
"""


class StatementTooLong(Exception):
    """A period has more lines than one statement holds."""


async def balance_as_known(
    tx: Transaction, contract_id: UUID, *, at: datetime | None, known_at: datetime | None
) -> dict[str, Any]:
    """Return what each account held of everything that counted by ``at``, as it was recorded by ``known_at``.

    Raises:
        NotFound: there is no such contract, it is not the caller's, or it was never active.
    """
    client_id = await tx.fetchval(_BOOK, contract_id)
    if client_id is None:
        raise NotFound
    effective, known = at or tx.now, known_at or tx.now
    # The last posting may have been recorded since this transaction began; without a wish everything counts.
    row = await tx.fetchrow(_AS_KNOWN, contract_id, client_id, effective, known if known_at else _FOREVER)
    assert row is not None, "it was found just now"
    balances = {
        account: row[account] - (-1 if account in _SOURCES else 1) * row["later"].get(account, 0)
        for account in ACCOUNTS
    }
    return {
        "contract_id": contract_id,
        "at": effective,
        "known_at": known,
        "last_seq": row["known_seq"],
        **{f"{account}_minutes": minutes for account, minutes in balances.items()},
    }


async def statement(
    tx: Transaction,
    contract_id: UUID,
    *,
    starts_on: date | None,
    ends_on: date | None,
    known_at: datetime | None = None,
) -> dict[str, Any]:
    """Return the lines of a period by worked instant with the running balance, each traceable to its postings.

    Raises:
        NotFound: there is no such contract, or it is not the caller's.
        StatementTooLong: the period has more lines than one statement holds.
    """
    contract = await store.contract(tx, contract_id)
    if contract is None:
        raise NotFound
    starts_at, ends_at = bounds(tx, contract, starts_on, ends_on)
    closed = await tx.fetchrow(_CLOSED_AT, contract.client_id, starts_at, ends_at)
    assert closed is not None, "it has no FROM"
    whose = (contract.id, contract.client_id, starts_at)
    opening: int = await tx.fetchval(_OPENING, *whose, closed[0], known_at)
    rows = await tx.fetch(_STATEMENT, *whose, ends_at, *closed, known_at, STATEMENT_LINES_MAX + 1)
    if len(rows) > STATEMENT_LINES_MAX:
        # What is left out would be missing from the closing balance, too.
        message = (
            f"{contract.ref} has more than {STATEMENT_LINES_MAX} lines in this period; choose a shorter one (from, to)"
        )
        raise StatementTooLong(message)
    names = await tx.fetchrow(_NAMES, contract.id)
    assert names is not None, "the contract was read just now, and its client with it"
    running, items = opening, []
    for row in rows:
        running += row["minutes"]
        items.append(_line(row, running, is_closed=closed[1] is not None))
    return {
        "contract_id": contract_id,
        "ref": contract.ref,
        **names,
        "timezone": contract.versions[-1].calendar.timezone,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "is_closed": closed[1] is not None,
        "opening_minutes": opening,
        "closing_minutes": running,
        "items": items,
    }


def bounds(
    tx: Transaction, contract: Contract, starts_on: date | None, ends_on: date | None
) -> tuple[datetime, datetime]:
    """Return the instants of days in the contract's zone; by default from the contract's start to the end of today."""
    timezone = contract.versions[-1].calendar.timezone
    starts_at = contract.starts_at if starts_on is None else midnight(starts_on, timezone)
    last_on = day_of(tx.now, timezone) + timedelta(days=1) if ends_on is None else ends_on
    return starts_at, max(starts_at, midnight(last_on, timezone))


def _line(row: asyncpg.Record, balance_minutes: int, *, is_closed: bool) -> dict[str, Any]:
    is_posted = row["consumed_minutes"] != 0 or row["status"] == "posted"
    return {
        "at": row["at"],
        "kind": row["kind"] or ("posting" if is_posted else "hold"),
        "text": _text(row),
        "minutes": row["minutes"],
        "overage_minutes": row["overage_minutes"],
        "balance_minutes": balance_minutes,
        "time_entry_id": row["time_entry_id"],
        "ticket_id": row["ticket_id"],
        "task_id": row["task_id"],
        "ref": row["ref"] or "",
        "agent_name": row["agent_name"] or "",
        "job_type": row["job_type"],
        "level": row["level"],
        # What became of the entry after its period was closed shows in the next one only.
        "is_late": row["is_correction"] or (bool(row["is_late"]) and not is_closed),
        "is_correction": row["is_correction"],
        "posting_seqs": row["posting_seqs"],
    }


def _text(row: asyncpg.Record) -> str:
    if row["time_entry_id"] is None:
        words = {"grant": "Bucket funded", "carry": "Carried over", "expire": "Expired"}
        return words.get(row["kind"]) or (f"Adjusted: {row['reason']}" if row["reason"] else "Adjusted")
    text = row["note"] or row["job_type"] or "Time entry"
    if row["overage_minutes"] > 0:
        text += f" ({row['overage_minutes']} min beyond the bucket)"
    return str(text)
