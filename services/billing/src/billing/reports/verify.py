"""The check that everything still holds: ``python -m billing verify``."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from billing.documents.check import differences
from billing.domain.invoice import broken_sums, chained
from msp_kit.database import Transaction

_SUMS = ("net_minor", "tax_minor", "gross_minor", "worked_minutes")


async def verify(tx: Transaction) -> Sequence[str]:
    """Recompute numbers, hashes, sums, entries and documents of every issued invoice; name what does not hold."""
    broken: list[str] = []
    expected: dict[str, int] = {}
    hashes: dict[str, str] = {}
    counts = dict(await tx.fetch("SELECT invoice_id, count(*) FROM invoiced GROUP BY invoice_id"))
    rows = await tx.fetch("SELECT v.* FROM invoices v WHERE v.status = 'issued' ORDER BY v.series, v.series_number")
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
        broken += [f"{number}: {sentence}" for sentence in await _broken_documents(tx, row["id"], content)]
        if row["kind"] == "invoice":
            broken += [
                f"{number}: {sentence}"
                for sentence in await _broken_bindings(tx, row["id"], content, bound_count=counts.get(row["id"], 0))
            ]
    numbers = await tx.fetch("SELECT code, last_number FROM series")
    broken += [
        f"series {row['code']}: last number is {row['last_number']}, the last invoice has {expected.get(row['code'], 0)}"
        for row in numbers
        if row["last_number"] != expected.get(row["code"], 0)
    ]
    return broken + await _broken_queue(tx)


async def _broken_queue(tx: Transaction) -> list[str]:
    """Return where posted work neither waits for an invoice nor is on one, or does both."""
    astray = await tx.fetchval(
        "SELECT count(*) FROM invoiced b WHERE NOT EXISTS (SELECT FROM invoices v WHERE v.id = b.invoice_id)"
    )
    rows = await tx.fetch(
        "SELECT coalesce(h.time_entry_id, u.time_entry_id) AS id, u.time_entry_id IS NOT NULL AS waits,"
        " b.time_entry_id IS NOT NULL AS is_invoiced FROM hours h FULL JOIN unbilled u"
        " ON u.time_entry_id = h.time_entry_id AND u.revision = h.revision"
        " LEFT JOIN invoiced b ON b.time_entry_id = coalesce(h.time_entry_id, u.time_entry_id)"
        " WHERE (u.time_entry_id IS NOT NULL)::int + (b.time_entry_id IS NOT NULL)::int"
        " <> CASE WHEN h.status = 'posted' THEN 1 ELSE 0 END ORDER BY id LIMIT 100"
    )
    said = {
        (True, True): "waits for an invoice and is on one",
        (True, False): "waits for an invoice, but not as it is stamped",
        (False, True): "is on an invoice, but not posted",
        (False, False): "is posted, but neither waits for an invoice nor is on one",
    }
    return [f"{astray} time entries are on an invoice that is not there"] * bool(astray) + [
        f"time entry {row['id']}: {said[row['waits'], row['is_invoiced']]}" for row in rows
    ]


async def _broken_documents(tx: Transaction, invoice_id: UUID, content: dict[str, Any]) -> list[str]:
    rows = await tx.fetch("SELECT kind, sha256, body FROM documents WHERE invoice_id = $1 ORDER BY kind", invoice_id)
    broken = [
        f"the document ({row['kind']}) is not what was issued"
        for row in rows
        if hashlib.sha256(row["body"]).hexdigest() != row["sha256"]
    ]
    if "pdf" not in {row["kind"] for row in rows}:
        broken.append("the document (pdf) is missing")
    for row in rows:
        if row["kind"] != "pdf":
            broken += [f"the e-invoice ({row['kind']}): {one}" for one in differences(content, row["body"])]
    return broken


async def _broken_bindings(
    tx: Transaction, invoice_id: UUID, content: dict[str, Any], *, bound_count: int
) -> list[str]:
    broken = []
    listed = {entry["time_entry_id"] for entry in content["entries"]}
    bound = await tx.fetchval(
        "SELECT count(*) FROM invoiced WHERE time_entry_id = ANY($1::uuid[]) AND invoice_id = $2", listed, invoice_id
    )
    if not len(listed) == bound == bound_count:
        broken.append("the entries on the invoice are not those bound to it")
    lines = await tx.fetch("SELECT n, net_minor, tax_minor FROM invoice_lines WHERE invoice_id = $1", invoice_id)
    said = {(line["n"], line["net_minor"], line["tax_minor"]) for line in content["lines"] if "tax_minor" in line}
    if {tuple(row) for row in lines} != said:
        broken.append("the lines credit notes are measured against are not those of the invoice")
    return broken + [
        f"line {row['n']} is credited by more than it was"
        for row in await tx.fetch(
            "SELECT l.n FROM invoice_lines l JOIN credited_lines c ON c.client_id = l.client_id"
            " AND c.invoice_id = l.invoice_id AND c.n = l.n WHERE l.invoice_id = $1 GROUP BY l.n, l.net_minor, l.tax_minor"
            " HAVING abs(sum(c.net_minor)) > abs(l.net_minor) OR abs(sum(c.tax_minor)) > abs(l.tax_minor) ORDER BY l.n",
            invoice_id,
        )
    ]
