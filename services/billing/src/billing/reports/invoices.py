"""Invoices and credit notes as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from billing.domain.invoice import Control
from billing.reports import cursors
from billing.tables import invoices
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.pagination import page_of

Row = dict[str, Any]
_SUMMARY = ("id", "client_id", "kind", "status", "number", "currency", "starts_on", "ends_on", "issued_at", "due_on")
_SUMS = ("net_minor", "tax_minor", "gross_minor", "worked_minutes")


async def list_invoices(
    tx: Transaction,
    *,
    client_id: UUID | None,
    kind: str | None,
    status: str | None,
    from_on: date | None,
    to_on: date | None,
    limit: int,
    after: str | None,
) -> tuple[Sequence[Row], str | None]:
    """Return a page of invoices, newest period first; with days those whose period begins in ``[from_on, to_on)``.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    columns = [invoices.c[name] for name in (*_SUMMARY, *_SUMS, "content")]
    query = sa.select(*columns)
    if client_id is not None:
        query = query.where(invoices.c.client_id == client_id)
    if kind is not None:
        query = query.where(invoices.c.kind == kind)
    if status is not None:
        query = query.where(invoices.c.status == status)
    if from_on is not None:
        query = query.where(invoices.c.starts_on >= from_on)
    if to_on is not None:
        query = query.where(invoices.c.starts_on < to_on)
    if after is not None:
        here = cursors.place(after, cursors.on_day, cursors.an_id)
        query = query.where(sa.tuple_(invoices.c.starts_on, invoices.c.id) < sa.tuple_(*map(sa.literal, here)))
    query = query.order_by(invoices.c.starts_on.desc(), invoices.c.id.desc()).limit(limit + 1)
    rows = (await tx.execute(query)).all()
    page, cursor = page_of(rows, limit=limit, key=lambda row: (row.starts_on.isoformat(), str(row.id)))
    owed = await tx.fetch(
        "SELECT v.id, invoice_open(v.client_id, v.id) AS open_minor, coalesce((SELECT -sum(n.gross_minor) FROM invoices n"
        " WHERE n.corrects = v.id), 0)::bigint AS credited_minor FROM invoices v"
        " WHERE v.id = ANY($1) AND v.kind = 'invoice' AND v.status = 'issued'",
        [row.id for row in page],
    )
    standing = {row["id"]: {name: row[name] for name in ("open_minor", "credited_minor")} for row in owed}
    return [{**_summary(row), **standing.get(row.id, {})} for row in page], cursor


def _summary(row: Any) -> Row:
    made = {name: getattr(row, name) for name in (*_SUMMARY, *_SUMS)}
    return {**made, "client_name": orjson.loads(row.content)["client"]["name"]}


async def one_invoice(tx: Transaction, *, invoice_id: UUID | None, number: str | None) -> Row | None:
    """Return an invoice with everything it says."""
    row = await tx.fetchrow(
        "SELECT v.id, v.client_id, v.kind, v.status, v.number, v.issued_at, v.due_on, v.content, v.content_sha256,"
        " v.previous_sha256, v.findings, v.corrects AS corrects_id, o.open_minor FROM invoices v LEFT JOIN LATERAL"
        " (SELECT invoice_open(v.client_id, v.id) AS open_minor WHERE v.kind = 'invoice' AND v.status = 'issued') o ON true"
        " WHERE v.id = $1 OR v.number = $2",
        invoice_id,
        number,
    )
    if row is None:
        return None
    found = dict(row)
    return {**orjson.loads(found.pop("content")), **found}


async def hosted(tx: Transaction, *, invoice_id: UUID) -> Row:
    """Return what an issued invoice says to somebody who has only its link."""
    row = await one_invoice(tx, invoice_id=invoice_id, number=None)
    assert row is not None, "a link leads to an issued invoice"
    notes = await credit_notes_of(tx, invoice_id=invoice_id)
    seller, address = row["seller"], row["seller"].get("address") or {"lines": [], "city": "", "country": ""}
    place = f"{address['city']} {address.get('postcode', '')}".strip()
    return {
        **row,
        "client_name": row["client"]["name"],
        "seller": seller["name"],
        "seller_lines": [one for one in (*address["lines"], place, address["country"], seller.get("tax_id")) if one],
        "has_logo": bool(seller.get("logo_sha256")),
        "credited_minor": -sum(one["gross_minor"] for one in notes),
        "iban": seller.get("iban"),
        "bic": seller.get("bic"),
    }


async def document_of(tx: Transaction, *, invoice_id: UUID, kind: str) -> bytes | None:
    """Return the stored document of an issued invoice: ``pdf``, ``ubl`` or ``cii``."""
    body: bytes | None = await tx.fetchval(
        "SELECT body FROM documents WHERE invoice_id = $1 AND kind = $2", invoice_id, kind
    )
    return body


async def credit_notes_of(tx: Transaction, *, invoice_id: UUID) -> Sequence[Row]:
    """Return the credit notes of an invoice, oldest first."""
    rows = await tx.fetch(
        "SELECT id, number, issued_at, net_minor, tax_minor, gross_minor, reason FROM invoices WHERE corrects = $1"
        " ORDER BY issued_at, id",
        invoice_id,
    )
    return [dict(row) for row in rows]


async def lines_left(tx: Transaction, *, invoice_id: UUID) -> Sequence[Row]:
    """Return the lines of an issued invoice with what is left to be credited."""
    rows = await tx.fetch(
        "SELECT l.n, l.net_minor, l.tax_minor, l.net_minor - coalesce(sum(c.net_minor), 0)::bigint AS left_net_minor,"
        " l.tax_minor - coalesce(sum(c.tax_minor), 0)::bigint AS left_tax_minor FROM invoice_lines l"
        " LEFT JOIN credited_lines c ON c.client_id = l.client_id AND c.invoice_id = l.invoice_id AND c.n = l.n"
        " WHERE l.invoice_id = $1 GROUP BY l.n, l.net_minor, l.tax_minor ORDER BY l.n",
        invoice_id,
    )
    return [dict(row) for row in rows]


async def totals(tx: Transaction, *, client_id: UUID, from_on: date, to_on: date) -> Row:
    """Return the control totals of a client's invoiced entries worked in ``[from_on, to_on)``."""
    zone = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id) or "UTC"
    rows = await tx.fetch(
        "SELECT h.time_entry_id::text AS id, h.worked_minutes FROM hours h JOIN invoiced b USING (time_entry_id)"
        " WHERE h.client_id = $1 AND h.worked_from >= $2 AND h.worked_from < $3",
        client_id,
        midnight(from_on, zone),
        midnight(to_on, zone),
    )
    control = Control.of((row["id"], row["worked_minutes"]) for row in rows)
    gross = await tx.fetch(
        "SELECT currency, sum(gross_minor)::bigint AS gross_minor FROM invoices WHERE client_id = $1 AND kind = 'invoice'"
        " GROUP BY currency",
        client_id,
    )
    return {
        "entry_count": control.entry_count,
        "worked_minutes": control.worked_minutes,
        "checksum": control.checksum,
        "gross_minor": {row["currency"]: row["gross_minor"] for row in gross},
    }


async def summary(tx: Transaction) -> Sequence[Row]:
    """Return what is issued and drafted, by currency."""
    rows = await tx.fetch(
        "SELECT currency, count(*) FILTER (WHERE status = 'issued') AS issued_count,"
        " coalesce(sum(gross_minor) FILTER (WHERE status = 'issued'), 0)::bigint AS issued_minor,"
        " count(*) FILTER (WHERE status = 'draft') AS draft_count,"
        " coalesce(sum(gross_minor) FILTER (WHERE status = 'draft'), 0)::bigint AS draft_minor"
        " FROM invoices WHERE kind = 'invoice' GROUP BY currency ORDER BY currency"
    )
    return [dict(row) for row in rows]


async def list_credits(
    tx: Transaction, *, client_id: UUID | None, limit: int, after: str | None
) -> tuple[Sequence[Row], str | None]:
    """Return a page of credits with their evidence, newest first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        "SELECT c.client_id, c.id, c.contract_id, c.currency, c.amount_minor, c.basis_points, c.text, c.evidence, c.source, c.earned_on,"
        " CASE WHEN v.status = 'issued' THEN 'given' WHEN c.invoice_id IS NOT NULL THEN 'on_draft' ELSE c.status END AS status,"
        " v.number FROM credits c LEFT JOIN invoices v ON v.client_id = c.client_id AND v.id = c.invoice_id"
        " WHERE ($1::uuid IS NULL OR c.client_id = $1) AND ($2::date IS NULL OR (c.earned_on, c.id) < ($2, $3::uuid))"
        " ORDER BY c.earned_on DESC, c.id DESC LIMIT $4",
        client_id,
        *cursors.place(after, cursors.on_day, cursors.an_id),
        limit + 1,
    )
    return page_of([dict(row) for row in rows], limit=limit, key=cursors.keys_of("earned_on", "id"))


async def cost_rates(tx: Transaction) -> Sequence[Row]:
    """Return what an hour of each level costs the MSP."""
    return [dict(row) for row in await tx.fetch("SELECT level, currency, rate_minor FROM cost_rates ORDER BY level")]
