"""Who owes what: open invoices, ageing, statements of account, payments, bank lines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from billing.domain.payments import AGES, OLDEST, age_of, next_step, numbers_in
from billing.reports import cursors
from msp_kit.database import Transaction
from msp_kit.pagination import page_of

Row = dict[str, Any]
COLUMNS = (*(name for _, name in AGES), OLDEST)


async def open_invoices(
    tx: Transaction, *, client_id: UUID | None, on: date, limit: int, after: str | None
) -> tuple[Sequence[Row], str | None]:
    """Return a page of the invoices on which something is owed, the oldest due first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        "SELECT o.*, coalesce(r.step, 0) AS reminder_step, r.reminded_at FROM receivables o"
        " LEFT JOIN LATERAL (SELECT step, reminded_at FROM reminders m WHERE m.client_id = o.client_id AND m.invoice_id = o.id"
        "   ORDER BY step DESC LIMIT 1) AS r ON true"
        " WHERE o.open_minor <> 0 AND ($1::uuid IS NULL OR o.client_id = $1)"
        " AND ($2::date IS NULL OR (o.due_on, o.number) > ($2, $3::text)) ORDER BY o.due_on, o.number LIMIT $4",
        client_id,
        *cursors.place(after, cursors.on_day, cursors.a_text),
        limit + 1,
    )
    found = [
        {
            **dict(row),
            "days_overdue": max((on - row["due_on"]).days, 0),
            "age": age_of(row["due_on"], on=on),
            **_next_reminder(row),
        }
        for row in rows
    ]
    return page_of(found, limit=limit, key=cursors.keys_of("due_on", "number"))


def _next_reminder(row: Any) -> Row:
    following = next_step(row["due_on"], steps_sent=row["reminder_step"])
    return {"next_step": following[0], "next_on": following[1]} if following else {"next_step": None, "next_on": None}


async def ageing(tx: Transaction, *, on: date, limit: int, after: str | None) -> tuple[Sequence[Row], str | None]:
    """Return a page of what clients owe by age and currency, and the credit they have with us; who owes most comes first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        "SELECT o.client_id, max(c.name) AS client_name, o.currency, o.due_on, sum(o.open_minor)::bigint AS open_minor"
        " FROM receivables o JOIN clients c USING (client_id) WHERE o.open_minor <> 0"
        " GROUP BY o.client_id, o.currency, o.due_on",
    )
    credit = await tx.fetch(
        "SELECT p.client_id, max(c.name) AS client_name, p.currency, sum(payment_left(p.client_id, p.id))::bigint AS left_minor"
        " FROM payments p JOIN clients c USING (client_id) GROUP BY p.client_id, p.currency",
    )
    found: dict[tuple[UUID, str], Row] = {}

    def of(row: Any) -> Row:
        made = {"client_id": row["client_id"], "client_name": row["client_name"], "currency": row["currency"]}
        empty = {**made, **dict.fromkeys(COLUMNS, 0), "open_minor": 0, "credit_minor": 0}
        return found.setdefault((row["client_id"], row["currency"]), empty)

    for row in rows:
        mine = of(row)
        mine[age_of(row["due_on"], on=on)] += row["open_minor"]
        mine["open_minor"] += row["open_minor"]
    for row in credit:
        of(row)["credit_minor"] += row["left_minor"]
    here = cursors.place(after, cursors.a_number, cursors.a_text, cursors.a_text, cursors.a_text)
    keyed = sorted((_owing(row), row) for row in found.values() if row["open_minor"] or row["credit_minor"])
    kept = [row for key, row in keyed if after is None or key > tuple(here)]
    return page_of(kept[: limit + 1], limit=limit, key=_owing)


def _owing(row: Row) -> tuple[int, str, str, str]:
    return -row["open_minor"], row["client_name"], row["currency"], str(row["client_id"])


_MOVEMENTS = """
    SELECT issued_at::date AS on_day, issued_at AS at, kind AS what, number AS reference, gross_minor AS amount_minor
      FROM invoices WHERE client_id = $1 AND currency = $2 AND status = 'issued'
    UNION ALL
    SELECT received_on, recorded_at, 'payment', reference, -amount_minor FROM payments WHERE client_id = $1 AND currency = $2
    UNION ALL
    SELECT r.refunded_on, r.made_at, CASE r.kind WHEN 'refund' THEN 'refund' ELSE 'payment_withdrawn' END, r.reason, r.amount_minor FROM refunds r
      JOIN payments p ON p.client_id = r.client_id AND p.id = r.payment_id WHERE r.client_id = $1 AND p.currency = $2
    UNION ALL
    SELECT w.approved_at::date, w.approved_at, 'write_off', i.number, -w.amount_minor FROM write_offs w
      JOIN invoices i ON i.client_id = w.client_id AND i.id = w.invoice_id
     WHERE w.client_id = $1 AND i.currency = $2 AND w.approved_at IS NOT NULL
"""


async def statement(tx: Transaction, *, client_id: UUID, currency: str, from_on: date, to_on: date) -> Row:
    """Return the account of a client in ``[from_on, to_on)``: opening balance, movements, closing balance."""
    rows = await tx.fetch(
        f"SELECT * FROM ({_MOVEMENTS}) AS m WHERE on_day < $3 ORDER BY on_day, at", client_id, currency, to_on
    )
    opening = sum(row["amount_minor"] for row in rows if row["on_day"] < from_on)
    balance, movements = opening, []
    for row in rows:
        if row["on_day"] >= from_on:
            balance += row["amount_minor"]
            movements.append(
                {
                    **{name: row[name] for name in ("on_day", "what", "reference", "amount_minor")},
                    "balance_minor": balance,
                }
            )
    return {
        "client_id": client_id,
        "currency": currency,
        "opening_minor": opening,
        "movements": movements,
        "closing_minor": balance,
    }


_PAYMENT = (
    "SELECT p.id, p.client_id, c.name AS client_name, p.amount_minor, p.currency, p.received_on, p.method, p.reference,"
    " payment_left(p.client_id, p.id) AS left_minor FROM payments p JOIN clients c USING (client_id)"
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which payments or bank lines to list; ``None`` wants all. The days are those on which the money came."""

    client_id: UUID | None = None
    from_on: date | None = None
    to_on: date | None = None
    has_left: bool = False
    status: str | None = None


async def list_payments(
    tx: Transaction, *, wanted: Wanted, limit: int, after: str | None
) -> tuple[Sequence[Row], str | None]:
    """Return a page of payments with what is left of them, newest first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        f"{_PAYMENT} WHERE ($1::uuid IS NULL OR p.client_id = $1) AND ($2::date IS NULL OR p.received_on >= $2)"
        " AND ($3::date IS NULL OR p.received_on < $3) AND (NOT $4 OR payment_left(p.client_id, p.id) > 0)"
        " AND ($5::date IS NULL OR (p.received_on, p.id) < ($5, $6::uuid)) ORDER BY p.received_on DESC, p.id DESC LIMIT $7",
        wanted.client_id,
        wanted.from_on,
        wanted.to_on,
        wanted.has_left,
        *cursors.place(after, cursors.on_day, cursors.an_id),
        limit + 1,
    )
    return page_of([dict(row) for row in rows], limit=limit, key=cursors.keys_of("received_on", "id"))


async def left_over(tx: Transaction) -> Sequence[Row]:
    """Return what is left of payments by currency: how many, and how much."""
    rows = await tx.fetch(
        "SELECT currency, count(*) AS payment_count, sum(left_minor)::bigint AS left_minor FROM"
        " (SELECT currency, payment_left(client_id, id) AS left_minor FROM payments) AS p WHERE left_minor > 0"
        " GROUP BY currency ORDER BY currency"
    )
    return [dict(row) for row in rows]


async def one_payment(tx: Transaction, *, payment_id: UUID) -> Row | None:
    """Return a payment with its allocations and refunds."""
    row = await tx.fetchrow(f"{_PAYMENT} WHERE p.id = $1", payment_id)
    if row is None:
        return None
    allocations = await tx.fetch(
        "SELECT a.invoice_id, i.number, a.amount_minor, a.reason, a.made_at FROM allocations a"
        " JOIN invoices i ON i.client_id = a.client_id AND i.id = a.invoice_id WHERE a.payment_id = $1 ORDER BY a.made_at, a.id",
        payment_id,
    )
    refunds = await tx.fetch(
        "SELECT id, kind, amount_minor, refunded_on, reason FROM refunds WHERE payment_id = $1 ORDER BY made_at, id",
        payment_id,
    )
    return {**dict(row), "allocations": [dict(one) for one in allocations], "refunds": [dict(one) for one in refunds]}


_BANK_LINE = (
    "SELECT b.id, b.booked_on, b.amount_minor, b.currency, b.counterparty, b.reference, b.statement, b.status, b.note,"
    " b.payment_id, p.client_id, c.name AS client_name FROM bank_lines b LEFT JOIN payments p ON p.id = b.payment_id"
    " LEFT JOIN clients c ON c.client_id = p.client_id"
)


async def bank_lines(
    tx: Transaction, *, wanted: Wanted, limit: int, after: str | None
) -> tuple[Sequence[Row], str | None]:
    """Return a page of lines of bank statements, newest first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        f"{_BANK_LINE} WHERE ($1::text IS NULL OR b.status = $1) AND ($2::date IS NULL OR b.booked_on >= $2)"
        " AND ($3::date IS NULL OR b.booked_on < $3) AND ($4::date IS NULL OR (b.booked_on, b.id) < ($4, $5::uuid))"
        " AND ($6::uuid IS NULL OR p.client_id = $6) ORDER BY b.booked_on DESC, b.id DESC LIMIT $7",
        wanted.status,
        wanted.from_on,
        wanted.to_on,
        *cursors.place(after, cursors.on_day, cursors.an_id),
        wanted.client_id,
        limit + 1,
    )
    return page_of([dict(row) for row in rows], limit=limit, key=cursors.keys_of("booked_on", "id"))


async def one_bank_line(tx: Transaction, *, line_id: UUID) -> Row | None:
    """Return a line of a bank statement with the open invoices it may be for: numbers first, then amounts, then names."""
    row = await tx.fetchrow(f"{_BANK_LINE} WHERE b.id = $1", line_id)
    if row is None:
        return None
    fitting = await tx.fetch(
        "SELECT o.id, o.client_id, o.client_name, o.number, o.open_minor, o.due_on FROM receivables o"
        " WHERE o.currency = $1 AND o.open_minor > 0 AND (o.number = ANY($2) OR o.open_minor = $3"
        "   OR strpos(lower($4), lower(o.client_name)) > 0)"
        " ORDER BY o.number = ANY($2) DESC, o.open_minor = $3 DESC, o.due_on, o.number LIMIT 20",
        row["currency"],
        numbers_in(row["reference"]),
        row["amount_minor"],
        row["counterparty"],
    )
    is_waiting = row["status"] == "unmatched"
    return {**dict(row), "suggested": [dict(one) for one in fitting] if is_waiting else []}


async def reminders(
    tx: Transaction, *, client_id: UUID | None, limit: int, after: str | None
) -> tuple[Sequence[Row], str | None]:
    """Return a page of the reminders that fell due, newest first, with what is open on their invoices by now.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        "SELECT r.client_id, r.invoice_id, o.number, o.client_name, o.currency, o.due_on, r.step, r.reminded_at,"
        " r.open_minor AS open_then_minor, o.open_minor FROM reminders r"
        " JOIN receivables o ON o.client_id = r.client_id AND o.id = r.invoice_id"
        " WHERE ($1::uuid IS NULL OR r.client_id = $1)"
        " AND ($2::timestamptz IS NULL OR (r.reminded_at, r.invoice_id, r.step) < ($2, $3::uuid, $4::bigint))"
        " ORDER BY r.reminded_at DESC, r.invoice_id DESC, r.step DESC LIMIT $5",
        client_id,
        *cursors.place(after, cursors.an_instant, cursors.an_id, cursors.a_number),
        limit + 1,
    )
    return page_of([dict(row) for row in rows], limit=limit, key=cursors.keys_of("reminded_at", "invoice_id", "step"))


async def write_offs(tx: Transaction, *, limit: int, after: str | None) -> tuple[Sequence[Row], str | None]:
    """Return a page of write-offs: those that wait for a second person first, then the newest.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        "SELECT w.id, w.client_id, w.invoice_id, i.number, i.currency, w.amount_minor, w.reason, w.proposed_at, w.proposed_by,"
        " w.approved_at, w.approved_by FROM write_offs w JOIN invoices i ON i.client_id = w.client_id AND i.id = w.invoice_id"
        " WHERE $1::boolean IS NULL OR (w.approved_at IS NULL, w.proposed_at, w.id) < ($1, $2::timestamptz, $3::uuid)"
        " ORDER BY w.approved_at IS NULL DESC, w.proposed_at DESC, w.id DESC LIMIT $4",
        *cursors.place(after, bool, cursors.an_instant, cursors.an_id),
        limit + 1,
    )
    found = [{**dict(row), "is_waiting": row["approved_at"] is None} for row in rows]
    return page_of(found, limit=limit, key=cursors.keys_of("is_waiting", "proposed_at", "id"))


async def links_of(tx: Transaction, *, invoice_id: UUID) -> Sequence[Row]:
    """Return the links to an invoice, without their tokens."""
    rows = await tx.fetch(
        "SELECT id, expires_at, revoked_at, made_at FROM invoice_links WHERE invoice_id = $1 ORDER BY made_at DESC, id",
        invoice_id,
    )
    return [dict(row) for row in rows]
