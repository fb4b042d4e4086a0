"""Invoices and their documents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from msp_kit.database import Transaction


@dataclass(frozen=True, slots=True)
class Draft:
    """An invoice that is not issued yet; ``content`` is what it will say."""

    id: UUID
    client_id: UUID
    period_close_id: UUID
    currency: str
    starts_on: date
    ends_on: date
    content: dict[str, Any]


async def add_draft(tx: Transaction, draft: Draft, *, content_text: str) -> bool:
    """Save a draft; ``False`` when there is an invoice of this client, period and currency already."""
    return bool(
        await tx.fetchval(
            "INSERT INTO invoices (client_id, id, revision, period_close_id, currency, status, starts_on, ends_on,"
            " net_minor, tax_minor, gross_minor, worked_minutes, content)"
            " VALUES ($1, $2, 1, $3, $4, 'draft', $5, $6, $7, $8, $9, $10, $11) ON CONFLICT DO NOTHING RETURNING true",
            draft.client_id,
            draft.id,
            draft.period_close_id,
            draft.currency,
            draft.starts_on,
            draft.ends_on,
            draft.content["net_minor"],
            draft.content["tax_minor"],
            draft.content["gross_minor"],
            draft.content["worked_minutes"],
            content_text,
        )
    )


async def lock_draft(tx: Transaction, *, invoice_id: UUID) -> Draft | None:
    """Return a draft, locked; ``None`` when there is none or it is issued."""
    row = await tx.fetchrow(
        "SELECT id, client_id, period_close_id, currency, starts_on, ends_on, content FROM invoices"
        " WHERE id = $1 AND status = 'draft' FOR UPDATE",
        invoice_id,
    )
    return None if row is None else Draft(**{**dict(row), "content": orjson.loads(row["content"])})


async def next_number(tx: Transaction, *, series: str, prefix: str) -> tuple[int, str, str | None]:
    """Return the next number of a series, its text, and the hash of the invoice before it.

    The row stays locked until the transaction ends: a rollback gives the number back, so there is never a gap.
    """
    number: int = await tx.fetchval(
        "INSERT INTO series AS s (code, prefix, last_number) VALUES ($1, $2, 1)"
        " ON CONFLICT (code) DO UPDATE SET last_number = s.last_number + 1 RETURNING last_number",
        series,
        prefix,
    )
    previous: str | None = await tx.fetchval(
        "SELECT content_sha256 FROM invoices WHERE series = $1 AND series_number = $2", series, number - 1
    )
    return number, f"{prefix}{number:04}", previous


async def issue(tx: Transaction, draft: Draft, *, content_text: str, **issued: Any) -> None:
    """Save an invoice as issued: from here on the database refuses every change."""
    await tx.driver.execute(
        "UPDATE invoices SET status = 'issued', revision = 2, content = $3, series = $4, series_number = $5, number = $6,"
        " issued_at = $7, due_on = $8, content_sha256 = $9, previous_sha256 = $10 WHERE client_id = $1 AND id = $2",
        draft.client_id,
        draft.id,
        content_text,
        *(
            issued[name]
            for name in (
                "series",
                "series_number",
                "number",
                "issued_at",
                "due_on",
                "content_sha256",
                "previous_sha256",
            )
        ),
    )


async def add_pdf(tx: Transaction, draft: Draft, *, body: bytes, sha256: str) -> None:
    """Save the document of an issued invoice."""
    await tx.driver.execute(
        "INSERT INTO documents (client_id, invoice_id, kind, sha256, body) VALUES ($1, $2, 'pdf', $3, $4)",
        draft.client_id,
        draft.id,
        sha256,
        body,
    )
