"""Payments, what they went to, write-offs, bank lines, reminders and links."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

import asyncpg

from billing.domain.payments import BankLine, MoreThanThereIs, OpenInvoice
from msp_kernel.ids import new_id
from msp_kit.database import Transaction

REMINDED_DAYS = 180
"""What is overdue for longer had its reminders, or came from elsewhere; nobody wants a first one then."""
_OPEN = (
    "SELECT i.id, i.client_id, i.content::json->'client'->>'name' AS client_name, i.number, i.currency,"
    " invoice_open(i.client_id, i.id) AS open_minor, i.due_on FROM invoices i WHERE i.status = 'issued' AND i.kind = 'invoice'"
)


async def add_payment(tx: Transaction, **payment: Any) -> bool:
    """Save a payment; ``False`` when one of the same outside id is known."""
    names = ("client_id", "id", "amount_minor", "currency", "received_on", "method", "reference", "external_id")
    return bool(
        await tx.fetchval(
            f"INSERT INTO payments ({', '.join(names)}, recorded_at, recorded_by)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (external_id) DO NOTHING RETURNING true",
            *(payment[name] for name in names),
            tx.now,
            tx.scope.actor,
        )
    )


async def payment(tx: Transaction, *, payment_id: UUID) -> dict[str, Any] | None:
    """Return a payment with what is left of it, locked."""
    row = await tx.fetchrow(
        "SELECT p.*, payment_left(p.client_id, p.id) AS left_minor FROM payments p WHERE p.id = $1 FOR UPDATE",
        payment_id,
    )
    return None if row is None else dict(row)


async def open_invoice(tx: Transaction, *, invoice_id: UUID) -> OpenInvoice | None:
    """Return an issued invoice with what is owed on it, locked."""
    row = await tx.fetchrow(f"{_OPEN} AND i.id = $1 FOR UPDATE", invoice_id)
    return None if row is None else OpenInvoice(**row)


async def owed(tx: Transaction, *, invoice_id: UUID) -> OpenInvoice | None:
    """Return an issued invoice with what is owed on it, not locked: clients may ask."""
    row = await tx.fetchrow(f"{_OPEN} AND i.id = $1", invoice_id)
    return None if row is None else OpenInvoice(**row)


async def payment_of(tx: Transaction, *, external_id: str) -> UUID | None:
    """Return the payment of an outside id."""
    found: UUID | None = await tx.fetchval("SELECT id FROM payments WHERE external_id = $1", external_id)
    return found


async def open_invoices(tx: Transaction, *, numbers: Sequence[str], amounts: Sequence[int]) -> list[OpenInvoice]:
    """Return the issued invoices of these numbers, and those on which exactly one of these amounts is open."""
    rows = await tx.fetch(
        f"SELECT * FROM ({_OPEN} AND (i.number = ANY($1) OR i.gross_minor >= ANY($2))) AS o"
        " WHERE o.number = ANY($1) OR o.open_minor = ANY($2)",
        numbers,
        amounts,
    )
    return [OpenInvoice(**row) for row in rows]


async def allocate(
    tx: Transaction, *, payment_id: UUID, invoice: OpenInvoice, amount_minor: int, reason: str = ""
) -> None:
    """Give money of a payment to an invoice; below zero takes it back.

    Raises:
        MoreThanThereIs: the database's guard: more than is left, or more than is open.
    """
    await _guarded(
        tx,
        "INSERT INTO allocations (client_id, id, payment_id, invoice_id, amount_minor, reason, made_at, made_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp(), $7)",
        invoice.client_id,
        new_id(),
        payment_id,
        invoice.id,
        amount_minor,
        reason,
        tx.scope.actor,
    )


async def allocations_of(tx: Transaction, *, invoice_id: UUID) -> list[tuple[UUID, int]]:
    """Return what payments gave to an invoice, the last payment first."""
    rows = await tx.fetch(
        "SELECT payment_id, sum(amount_minor)::bigint AS amount_minor FROM allocations WHERE invoice_id = $1"
        " GROUP BY payment_id HAVING sum(amount_minor) > 0 ORDER BY max(made_at) DESC, payment_id",
        invoice_id,
    )
    return [(row["payment_id"], row["amount_minor"]) for row in rows]


async def allocations_from(tx: Transaction, *, payment_id: UUID) -> list[tuple[UUID, int]]:
    """Return what a payment gave to invoices and did not take back, by invoice."""
    rows = await tx.fetch(
        "SELECT invoice_id, sum(amount_minor)::bigint AS amount_minor FROM allocations WHERE payment_id = $1"
        " GROUP BY invoice_id HAVING sum(amount_minor) > 0 ORDER BY invoice_id",
        payment_id,
    )
    return [(row["invoice_id"], row["amount_minor"]) for row in rows]


async def add_refund(
    tx: Transaction,
    *,
    client_id: UUID,
    payment_id: UUID,
    amount_minor: int,
    refunded_on: date,
    reason: str,
    kind: str = "refund",
) -> UUID:
    """Save money given back of a payment, or withdrawn because it never was the client's.

    Raises:
        MoreThanThereIs: the database's guard: more than is left of the payment.
    """
    refund_id = new_id()
    await _guarded(
        tx,
        "INSERT INTO refunds (client_id, id, payment_id, amount_minor, refunded_on, reason, kind, made_at, made_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        client_id,
        refund_id,
        payment_id,
        amount_minor,
        refunded_on,
        reason,
        kind,
        tx.now,
        tx.scope.actor,
    )
    return refund_id


async def propose_write_off(tx: Transaction, invoice: OpenInvoice, *, amount_minor: int, reason: str) -> UUID:
    """Save a write-off that waits for a second person.

    Raises:
        MoreThanThereIs: the database's guard: more than is open.
    """
    write_off_id = new_id()
    await _guarded(
        tx,
        "INSERT INTO write_offs (client_id, id, invoice_id, amount_minor, reason, proposed_at, proposed_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        invoice.client_id,
        write_off_id,
        invoice.id,
        amount_minor,
        reason,
        tx.now,
        tx.scope.actor,
    )
    return write_off_id


async def write_off(tx: Transaction, *, write_off_id: UUID) -> dict[str, Any] | None:
    """Return a write-off, locked."""
    row = await tx.fetchrow("SELECT * FROM write_offs WHERE id = $1 FOR UPDATE", write_off_id)
    return None if row is None else dict(row)


async def approve_write_off(tx: Transaction, *, write_off_id: UUID) -> None:
    """Save that a second person approved a write-off.

    Raises:
        MoreThanThereIs: less than that is open by now.
    """
    await _guarded(
        tx,
        "UPDATE write_offs SET approved_at = $2, approved_by = $3 WHERE id = $1",
        write_off_id,
        tx.now,
        tx.scope.actor,
    )


async def _guarded(tx: Transaction, sql: str, *values: Any) -> None:
    try:
        async with tx.savepoint():
            await tx.driver.execute(sql, *values)
    except asyncpg.PostgresError as error:
        if error.sqlstate == "MSP11":
            raise MoreThanThereIs(str(error)) from error
        raise


async def add_bank_line(tx: Transaction, line: BankLine, *, fingerprint: str, statement: str) -> UUID | None:
    """Save a bank line as not matched; ``None`` when it was imported before."""
    found: UUID | None = await tx.fetchval(
        "INSERT INTO bank_lines (id, fingerprint, booked_on, amount_minor, currency, counterparty, reference, statement,"
        " status, imported_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 'unmatched', $9)"
        " ON CONFLICT (fingerprint) DO NOTHING RETURNING id",
        new_id(),
        fingerprint,
        line.booked_on,
        line.amount_minor,
        line.currency,
        line.counterparty,
        line.reference,
        statement,
        tx.now,
    )
    return found


async def bank_line(
    tx: Transaction, *, line_id: UUID, statuses: Sequence[str] = ("unmatched",)
) -> dict[str, Any] | None:
    """Return a bank line, locked; those that wait for a decision unless other states are asked for."""
    row = await tx.fetchrow(
        "SELECT * FROM bank_lines WHERE id = $1 AND status = ANY($2) FOR UPDATE", line_id, list(statuses)
    )
    return None if row is None else dict(row)


async def decide_bank_line(
    tx: Transaction, *, line_id: UUID, status: str, note: str, payment_id: UUID | None, taken_back: int | None = None
) -> None:
    """Save what a bank line is, and how often a match of it was taken back when that changed."""
    await tx.driver.execute(
        "UPDATE bank_lines SET status = $2, note = $3, payment_id = $4, taken_back = coalesce($5, taken_back) WHERE id = $1",
        line_id,
        status,
        note,
        payment_id,
        taken_back,
    )


async def lock_overdue(tx: Transaction, *, step: int, due_before: date) -> OpenInvoice | None:
    """Return an invoice that is overdue since before a day and had ``step - 1`` reminders, locked."""
    row = await tx.fetchrow(
        f"{_OPEN} AND i.due_on <= $1 AND i.due_on > $1 - {REMINDED_DAYS} AND invoice_open(i.client_id, i.id) > 0"
        " AND (SELECT count(*) FROM reminders r WHERE r.client_id = i.client_id AND r.invoice_id = i.id) = $2"
        " ORDER BY i.due_on, i.id LIMIT 1 FOR UPDATE OF i SKIP LOCKED",
        due_before,
        step - 1,
    )
    return None if row is None else OpenInvoice(**row)


async def add_reminder(tx: Transaction, invoice: OpenInvoice, *, step: int) -> None:
    """Save that a step of reminders fell due."""
    await tx.driver.execute(
        "INSERT INTO reminders (client_id, invoice_id, step, open_minor, reminded_at) VALUES ($1, $2, $3, $4, $5)",
        invoice.client_id,
        invoice.id,
        step,
        invoice.open_minor,
        tx.now,
    )


async def add_link(tx: Transaction, invoice: OpenInvoice, *, token_sha256: str, expires_at: datetime) -> UUID:
    """Save a link to an invoice by the hash of its token."""
    link_id = new_id()
    await tx.driver.execute(
        "INSERT INTO invoice_links (client_id, id, invoice_id, token_sha256, expires_at, made_at, made_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7)",
        invoice.client_id,
        link_id,
        invoice.id,
        token_sha256,
        expires_at,
        tx.now,
        tx.scope.actor,
    )
    return link_id


async def revoke_link(tx: Transaction, *, link_id: UUID) -> bool:
    """End a link; return whether there is one that was not ended."""
    done: str = await tx.driver.execute(
        "UPDATE invoice_links SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL", link_id, tx.now
    )
    return done.endswith(" 1")


async def linked_invoice(tx: Transaction, *, token_sha256: str) -> UUID | None:
    """Return the invoice behind a token that is neither expired nor revoked."""
    found: UUID | None = await tx.fetchval(
        "SELECT invoice_id FROM invoice_links WHERE token_sha256 = $1 AND revoked_at IS NULL AND expires_at > $2",
        token_sha256,
        tx.now,
    )
    return found


async def gross_of(tx: Transaction, *, invoice_id: UUID) -> int:
    """Return the gross of an invoice."""
    gross: int = await tx.fetchval("SELECT gross_minor FROM invoices WHERE id = $1", invoice_id)
    return gross
