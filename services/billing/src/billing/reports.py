"""What billing shows: runs, invoices, control totals, and the check that everything still holds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa

from billing.domain.invoice import Control, broken_sums, chained
from billing.tables import invoices
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.pagination import page_of, position
from msp_kit.problems import BadCursor

Row = dict[str, Any]
_SUMMARY = ("id", "client_id", "status", "number", "currency", "starts_on", "ends_on", "issued_at", "due_on")
_SUMS = ("net_minor", "tax_minor", "gross_minor", "worked_minutes")


async def list_runs(tx: Transaction, *, limit: int) -> Sequence[Row]:
    """Return the runs, newest period first."""
    rows = await tx.fetch(
        "SELECT r.id, r.starts_on, r.ends_on, r.started_at, coalesce(c.counts, '{}') AS counts FROM billing_runs r LEFT JOIN"
        " (SELECT run_id, jsonb_object_agg(status, n) AS counts FROM"
        "   (SELECT run_id, status, count(*) AS n FROM billing_run_items GROUP BY run_id, status) AS s GROUP BY run_id) AS c"
        " ON c.run_id = r.id ORDER BY r.starts_on DESC, r.id LIMIT $1",
        limit,
    )
    return [{**dict(row), "status": run_status(row["counts"]), "items": []} for row in rows]


async def one_run(tx: Transaction, *, run_id: UUID) -> Row | None:
    """Return a run with its clients, by name."""
    run = await tx.fetchrow("SELECT id, starts_on, ends_on, started_at FROM billing_runs WHERE id = $1", run_id)
    if run is None:
        return None
    rows = await tx.fetch(
        "SELECT i.client_id, c.name AS client_name, i.period_close_id, i.status, i.detail, i.attempt, i.invoice_id,"
        " v.number, v.gross_minor, v.currency FROM billing_run_items i LEFT JOIN clients c USING (client_id)"
        " LEFT JOIN invoices v ON v.client_id = i.client_id AND v.id = i.invoice_id"
        " WHERE i.run_id = $1 ORDER BY c.name, i.client_id",
        run_id,
    )
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    return {**dict(run), "items": [dict(row) for row in rows], "counts": counts, "status": run_status(counts)}


def run_status(counts: dict[str, int]) -> str:
    """Return the state of a run in one word."""
    for status, said in (
        ("requested", "closing"),
        ("sealed", "closing"),
        ("closed", "drafting"),
        ("issuing", "issuing"),
    ):
        if counts.get(status):
            return said
    if counts.get("drafted"):
        return "review"
    return "blocked" if counts.get("blocked") else "issued"


async def list_invoices(
    tx: Transaction, *, client_id: UUID | None, status: str | None, limit: int, after: str | None
) -> tuple[Sequence[Row], str | None]:
    """Return a page of invoices, newest period first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    columns = [invoices.c[name] for name in (*_SUMMARY, *_SUMS, "content")]
    query = sa.select(*columns)
    if client_id is not None:
        query = query.where(invoices.c.client_id == client_id)
    if status is not None:
        query = query.where(invoices.c.status == status)
    found = position(after, of=2)
    if found is not None:
        try:
            here = (date.fromisoformat(found[0]), UUID(found[1]))
        except (ValueError, TypeError, AttributeError) as error:
            raise BadCursor("take the cursor from `next` of the previous page") from error
        query = query.where(sa.tuple_(invoices.c.starts_on, invoices.c.id) < sa.tuple_(*map(sa.literal, here)))
    query = query.order_by(invoices.c.starts_on.desc(), invoices.c.id.desc()).limit(limit + 1)
    rows = (await tx.execute(query)).all()
    page, cursor = page_of(rows, limit=limit, key=lambda row: (row.starts_on.isoformat(), str(row.id)))
    return [_summary(row) for row in page], cursor


def _summary(row: Any) -> Row:
    made = {name: getattr(row, name) for name in (*_SUMMARY, *_SUMS)}
    return {**made, "client_name": orjson.loads(row.content)["client"]["name"]}


async def one_invoice(tx: Transaction, *, invoice_id: UUID | None, number: str | None) -> Row | None:
    """Return an invoice with everything it says."""
    row = await tx.fetchrow(
        "SELECT id, client_id, status, number, issued_at, due_on, content, content_sha256, previous_sha256 FROM invoices"
        " WHERE id = $1 OR number = $2",
        invoice_id,
        number,
    )
    if row is None:
        return None
    found = dict(row)
    return {**orjson.loads(found.pop("content")), **found}


async def pdf_of(tx: Transaction, *, invoice_id: UUID) -> bytes | None:
    """Return the stored document of an issued invoice."""
    body: bytes | None = await tx.fetchval(
        "SELECT body FROM documents WHERE invoice_id = $1 AND kind = 'pdf'", invoice_id
    )
    return body


async def totals(tx: Transaction, *, client_id: UUID, from_on: date, to_on: date) -> Row:
    """Return the control totals of a client's invoiced entries worked in ``[from_on, to_on)``."""
    zone = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id) or "UTC"
    rows = await tx.fetch(
        "SELECT time_entry_id::text AS id, worked_minutes FROM hours WHERE client_id = $1 AND invoice_id IS NOT NULL"
        " AND worked_from >= $2 AND worked_from < $3",
        client_id,
        midnight(from_on, zone),
        midnight(to_on, zone),
    )
    control = Control.of((row["id"], row["worked_minutes"]) for row in rows)
    gross = await tx.fetch(
        "SELECT currency, sum(gross_minor)::bigint AS gross_minor FROM invoices WHERE client_id = $1 GROUP BY currency",
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
        " FROM invoices GROUP BY currency ORDER BY currency"
    )
    return [dict(row) for row in rows]


async def verify(tx: Transaction) -> Sequence[str]:
    """Recompute numbers, hashes, sums, entries and documents of every issued invoice; name what does not hold."""
    broken: list[str] = []
    expected: dict[str, int] = {}
    hashes: dict[str, str] = {}
    rows = await tx.fetch(
        "SELECT v.*, d.sha256 AS pdf_sha256, d.body AS pdf FROM invoices v"
        " LEFT JOIN documents d ON d.client_id = v.client_id AND d.invoice_id = v.id AND d.kind = 'pdf'"
        " WHERE v.status = 'issued' ORDER BY v.series, v.series_number"
    )
    for row in rows:
        series, number = row["series"], row["number"]
        if row["series_number"] != expected.get(series, 0) + 1:
            broken.append(f"series {series}: after number {expected.get(series, 0)} comes {row['series_number']}")
        expected[series] = row["series_number"]
        if row["previous_sha256"] != hashes.get(series):
            broken.append(f"{number}: does not follow the invoice before it")
        if chained(row["content"], row["previous_sha256"]) != row["content_sha256"]:
            broken.append(f"{number}: the content is not what was issued")
        hashes[series] = row["content_sha256"]
        content = orjson.loads(row["content"])
        broken += [f"{number}: {sentence}" for sentence in broken_sums(content)]
        if any(content[name] != row[name] for name in _SUMS):
            broken.append(f"{number}: the row and the content say different sums")
        if row["pdf"] is None or hashlib.sha256(row["pdf"]).hexdigest() != row["pdf_sha256"]:
            broken.append(f"{number}: the document is not what was issued")
        listed = {entry["time_entry_id"] for entry in content["entries"]}
        bound = await tx.fetch("SELECT time_entry_id::text AS id FROM hours WHERE invoice_id = $1", row["id"])
        if listed != {one["id"] for one in bound}:
            broken.append(f"{number}: the entries on the invoice are not those bound to it")
    numbers = await tx.fetch("SELECT code, last_number FROM series")
    broken += [
        f"series {row['code']}: last number is {row['last_number']}, the last invoice has {expected.get(row['code'], 0)}"
        for row in numbers
        if row["last_number"] != expected.get(row["code"], 0)
    ]
    return broken
