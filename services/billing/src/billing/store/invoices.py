"""Invoices and their documents."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from billing.domain.credit_note import Credited
from billing.domain.invoice import with_entries
from billing.domain.profile import Finding
from billing.domain.work import Ask
from billing.store import intake, unbilled
from billing.store.canonical import HOLE, pieces
from msp_kit.database import Transaction

Findings = Sequence[Finding]
_SUMS = ("net_minor", "tax_minor", "gross_minor", "worked_minutes")
_DRAFT = "id, client_id, period_close_id, currency, starts_on, ends_on, content, revision"


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
    revision: int = 1

    @property
    def entry_ids(self) -> list[UUID]:
        """Return the time entries on it."""
        return [UUID(one["time_entry_id"]) for one in self.content["entries"]]


@dataclass(frozen=True, slots=True)
class Issued:
    """An issued invoice or credit note, with what it says."""

    id: UUID
    client_id: UUID
    kind: str
    number: str
    currency: str
    gross_minor: int
    due_on: date
    content: dict[str, Any]


_ISSUED = ("series", "series_number", "number", "issued_at", "due_on", "content_sha256", "previous_sha256")


# The list of rows is a sub-select so that it is read once, and looked up in the key, however long it is.
# Texts are read beside what is taken, not carried along with it: every copy of half a megabyte is paid for in page faults.
_ADD_DRAFT = """
WITH taken AS (
    DELETE FROM unbilled WHERE client_id = $1 AND n = ANY((SELECT $13::text::bigint[])::bigint[]) AND contract_id = ANY($14)
    RETURNING time_entry_id, worked_from, asks, minutes
), bound AS (
    INSERT INTO invoiced (client_id, time_entry_id, invoice_id) SELECT $1, time_entry_id, $2 FROM taken
), filled AS (
    SELECT hole, string_agg('{"minutes":' || minutes[n] || ',"time_entry_id":"' || time_entry_id || '"}', ','
                            ORDER BY worked_from, time_entry_id, n) AS text
      FROM (SELECT t.*, p.n, ($16::bigint[])[array_position($15::text[], t.asks[p.n])] AS hole
              FROM taken t, generate_subscripts(t.asks, 1) AS p (n)) AS parts
     GROUP BY hole
)
INSERT INTO invoices (client_id, id, revision, period_close_id, currency, status, starts_on, ends_on, net_minor, tax_minor,
    gross_minor, worked_minutes, content, findings)
SELECT $1, $2, 1, $3, $4, 'draft', $5, $6, $7, $8, $9, $10,
       ($11::text[])[1]
       || coalesce((SELECT string_agg(said, ',' ORDER BY worked_from, time_entry_id) FROM unbilled
                     WHERE client_id = $1 AND n = ANY((SELECT $13::text::bigint[])::bigint[]) AND contract_id = ANY($14)), '')
       || (SELECT string_agg(piece || coalesce(text, ''), '' ORDER BY hole)
             FROM unnest(($11::text[])[2:]) WITH ORDINALITY AS pieces (piece, hole) LEFT JOIN filled USING (hole)), $12
ON CONFLICT DO NOTHING RETURNING (SELECT count(*) FROM taken)
"""


async def add_draft(
    tx: Transaction,
    draft: Draft,
    *,
    asks_of_lines: Sequence[Sequence[Ask]],
    contract_ids: Collection[UUID],
    rows: str,
    findings: Findings,
) -> int | None:
    """Save a draft, and move the entries that wait in ``rows`` under ``contract_ids`` onto it.

    ``draft.content`` is a frame, ``asks_of_lines`` the work behind each of its lines: the database writes the entries in from
    their own texts. Return how many there are; ``None`` when there is an invoice of this client, period and currency already.
    """
    holes = [
        (unbilled.text_of(ask), hole)
        for hole, asks in enumerate((asks for asks in asks_of_lines if asks), start=1)
        for ask in asks
    ]
    framed = with_entries(draft.content, [HOLE], [[HOLE] if asks else [] for asks in asks_of_lines])
    taken: int | None = await tx.fetchval(
        _ADD_DRAFT,
        draft.client_id,
        draft.id,
        draft.period_close_id,
        draft.currency,
        draft.starts_on,
        draft.ends_on,
        *(draft.content[name] for name in _SUMS),
        pieces(framed),
        _findings(findings),
        rows,
        contract_ids,
        [ask for ask, _ in holes],
        [hole for _, hole in holes],
    )
    return taken


async def change_draft(tx: Transaction, draft: Draft, *, content_text: str, findings: Findings | None) -> int:
    """Save a draft that was made anew; return its revision. Without ``findings`` the old ones stay."""
    revision: int = await tx.fetchval(
        "UPDATE invoices SET revision = revision + 1, net_minor = $3, tax_minor = $4, gross_minor = $5,"
        " worked_minutes = $6, content = $7, findings = coalesce($8, findings) WHERE client_id = $1 AND id = $2 AND status = 'draft'"
        " RETURNING revision",
        draft.client_id,
        draft.id,
        *(draft.content[name] for name in _SUMS),
        content_text,
        None if findings is None else _findings(findings),
    )
    return revision


async def change_findings(tx: Transaction, draft: Draft, *, findings: Findings) -> None:
    """Save what was found when a draft was looked at again."""
    await tx.driver.execute(
        "UPDATE invoices SET findings = $3 WHERE client_id = $1 AND id = $2 AND status = 'draft'",
        draft.client_id,
        draft.id,
        _findings(findings),
    )


def _findings(findings: Findings) -> str:
    return orjson.dumps([asdict(one) for one in findings]).decode()


async def lock_draft_of_close(tx: Transaction, *, period_close_id: UUID) -> tuple[Draft | None, int]:
    """Return a draft of a client's period, locked, by currency, and how many more there are."""
    rows = await tx.fetch(
        f"SELECT {_DRAFT} FROM invoices WHERE period_close_id = $1 AND status = 'draft' ORDER BY currency FOR UPDATE",
        period_close_id,
    )
    return (_draft(rows[0]), len(rows) - 1) if rows else (None, 0)


async def is_any_issued(tx: Transaction, *, period_close_id: UUID) -> bool:
    """Return whether an invoice of a client's period is issued, in any currency."""
    return bool(
        await tx.fetchval(
            "SELECT EXISTS (SELECT FROM invoices WHERE period_close_id = $1 AND status = 'issued')", period_close_id
        )
    )


async def drop_drafts(tx: Transaction, *, period_close_id: UUID) -> None:
    """Delete the drafts of a client's period; their work and credits are free for another one."""
    rows = await tx.fetch(
        f"DELETE FROM invoices WHERE period_close_id = $1 AND status = 'draft' RETURNING {_DRAFT}", period_close_id
    )
    dropped = [_draft(row) for row in rows]
    await intake.let_go(tx, entry_ids=[entry_id for one in dropped for entry_id in one.entry_ids])
    await tx.driver.execute(
        "UPDATE credits SET invoice_id = NULL WHERE invoice_id = ANY($1)", [one.id for one in dropped]
    )


async def lock_drafts_of_run(tx: Transaction, *, run_id: UUID) -> list[Draft]:
    """Return the drafts of a run, locked."""
    rows = await tx.fetch(
        f"SELECT {_DRAFT} FROM invoices WHERE status = 'draft' AND period_close_id IN"
        " (SELECT period_close_id FROM billing_run_items WHERE run_id = $1) ORDER BY id FOR UPDATE",
        run_id,
    )
    return [_draft(row) for row in rows]


async def lock_drafts(tx: Transaction, *, client_id: UUID | None = None) -> list[Draft]:
    """Return the drafts of a client, or all, locked."""
    rows = await tx.fetch(
        f"SELECT {_DRAFT} FROM invoices WHERE status = 'draft' AND ($1::uuid IS NULL OR client_id = $1)"
        " ORDER BY id FOR UPDATE",
        client_id,
    )
    return [_draft(row) for row in rows]


async def usual_gross(
    tx: Transaction, *, client_id: UUID, currency: str, before: date, invoices_max: int = 3
) -> list[int]:
    """Return the gross of a client's last invoices before a day, newest first."""
    rows = await tx.fetch(
        "SELECT gross_minor FROM invoices WHERE client_id = $1 AND currency = $2 AND kind = 'invoice' AND status = 'issued'"
        " AND ends_on <= $3 ORDER BY ends_on DESC LIMIT $4",
        client_id,
        currency,
        before,
        invoices_max,
    )
    return [row["gross_minor"] for row in rows]


async def lock_draft(tx: Transaction, *, invoice_id: UUID) -> Draft | None:
    """Return a draft, locked; ``None`` when there is none or it is issued."""
    row = await tx.fetchrow(f"SELECT {_DRAFT} FROM invoices WHERE id = $1 AND status = 'draft' FOR UPDATE", invoice_id)
    return None if row is None else _draft(row)


def _draft(row: Any) -> Draft:
    return Draft(**{**dict(row), "content": orjson.loads(row["content"])})


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
        "UPDATE invoices SET status = 'issued', revision = revision + 1, content = $3, series = $4, series_number = $5, number = $6,"
        " issued_at = $7, due_on = $8, content_sha256 = $9, previous_sha256 = $10 WHERE client_id = $1 AND id = $2",
        draft.client_id,
        draft.id,
        content_text,
        *(issued[name] for name in _ISSUED),
    )


async def add_lines(tx: Transaction, draft: Draft) -> None:
    """Save the lines of an invoice with the tax on each; only in the transaction that issues it."""
    await tx.driver.executemany(
        "INSERT INTO invoice_lines (client_id, invoice_id, n, kind, contract_id, quantity_minutes, net_minor, tax_minor)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        [
            (
                draft.client_id,
                draft.id,
                line["n"],
                line["kind"],
                UUID(line["contract_id"]),
                line["quantity_minutes"],
                line["net_minor"],
                line["tax_minor"],
            )
            for line in draft.content["lines"]
        ],
    )


async def add_documents(tx: Transaction, *, client_id: UUID, invoice_id: UUID, made: Mapping[str, bytes]) -> None:
    """Save the documents of an issued invoice, by kind."""
    await tx.driver.executemany(
        "INSERT INTO documents (client_id, invoice_id, kind, sha256, body) VALUES ($1, $2, $3, $4, $5)",
        [(client_id, invoice_id, kind, hashlib.sha256(body).hexdigest(), body) for kind, body in sorted(made.items())],
    )


async def lock_issued(tx: Transaction, *, invoice_id: UUID) -> Issued | None:
    """Return an issued invoice or credit note, locked against another credit note; ``None`` when there is none."""
    row = await tx.fetchrow(
        "SELECT id, client_id, kind, number, currency, gross_minor, due_on, content FROM invoices"
        " WHERE id = $1 AND status = 'issued' FOR UPDATE",
        invoice_id,
    )
    return None if row is None else Issued(**{**dict(row), "content": orjson.loads(row["content"])})


async def credited(tx: Transaction, *, invoice_id: UUID) -> dict[int, Credited]:
    """Return what earlier credit notes gave back of each line."""
    rows = await tx.fetch(
        "SELECT n, sum(net_minor)::bigint AS net_minor, sum(tax_minor)::bigint AS tax_minor FROM credited_lines"
        " WHERE invoice_id = $1 GROUP BY n",
        invoice_id,
    )
    return {row["n"]: Credited(row["net_minor"], row["tax_minor"]) for row in rows}


async def returned_minutes(tx: Transaction, *, invoice_id: UUID) -> dict[UUID, int]:
    """Return the bucket minutes that credit notes of an invoice gave back, by contract."""
    rows = await tx.fetch("SELECT content FROM invoices WHERE corrects = $1", invoice_id)
    found: dict[UUID, int] = {}
    for row in rows:
        for one in orjson.loads(row["content"])["returned_hours"]:
            contract = UUID(one["contract_id"])
            found[contract] = found.get(contract, 0) + one["bucket_minutes"]
    return found


async def add_credit_note(
    tx: Transaction, invoice: Issued, *, note_id: UUID, content: dict[str, Any], content_text: str, **issued: Any
) -> None:
    """Save an issued credit note with its parts: from here on the database refuses every change."""
    await tx.driver.execute(
        "INSERT INTO invoices (client_id, id, revision, kind, corrects, reason, currency, status, starts_on, ends_on,"
        " net_minor, tax_minor, gross_minor, worked_minutes, content, series, series_number, number, issued_at, due_on,"
        " content_sha256, previous_sha256) VALUES ($1, $2, 1, 'credit_note', $3, $4, $5, 'issued', $6, $7, $8, $9, $10, 0,"
        " $11, $12, $13, $14, $15, $16, $17, $18)",
        invoice.client_id,
        note_id,
        invoice.id,
        content["reason"],
        invoice.currency,
        date.fromisoformat(content["starts_on"]),
        date.fromisoformat(content["ends_on"]),
        content["net_minor"],
        content["tax_minor"],
        content["gross_minor"],
        content_text,
        *(issued[name] for name in _ISSUED),
    )
    await tx.driver.executemany(
        "INSERT INTO credited_lines (client_id, credit_note_id, invoice_id, n, net_minor, tax_minor)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        [
            (invoice.client_id, note_id, invoice.id, line["corrects_line"], -line["net_minor"], -line["tax_minor"])
            for line in content["lines"]
        ],
    )
