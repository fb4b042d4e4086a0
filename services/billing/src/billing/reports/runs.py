"""Billing runs as they are shown: how far they are, and what to look at before issuing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from billing.reports import cursors
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.pagination import page_of

Row = dict[str, Any]


async def list_runs(tx: Transaction, *, limit: int, after: str | None) -> tuple[Sequence[Row], str | None]:
    """Return a page of runs, newest period first.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    rows = await tx.fetch(
        "SELECT r.id, r.starts_on, r.ends_on, r.started_at, coalesce(c.counts, '{}') AS counts FROM billing_runs r LEFT JOIN"
        " (SELECT run_id, jsonb_object_agg(status, n) AS counts FROM"
        "   (SELECT run_id, status, count(*) AS n FROM billing_run_items GROUP BY run_id, status) AS s GROUP BY run_id) AS c"
        " ON c.run_id = r.id WHERE $1::date IS NULL OR (r.starts_on, r.id) < ($1, $2::uuid)"
        " ORDER BY r.starts_on DESC, r.id DESC LIMIT $3",
        *cursors.place(after, cursors.on_day, cursors.an_id),
        limit + 1,
    )
    found = [{**dict(row), "status": run_status(row["counts"]), "items": [], "progress": None} for row in rows]
    return page_of(found, limit=limit, key=cursors.keys_of("starts_on", "id"))


async def one_run(tx: Transaction, *, run_id: UUID) -> Row | None:
    """Return a run with its clients, by name."""
    run = await tx.fetchrow("SELECT id, starts_on, ends_on, started_at FROM billing_runs WHERE id = $1", run_id)
    if run is None:
        return None
    rows = await tx.fetch(
        "SELECT i.client_id, c.name AS client_name, i.period_close_id, i.status, i.detail, i.reason, i.attempt, i.invoice_id,"
        " c.state->>'code' AS client_code, CASE WHEN i.status = 'blocked' THEN (SELECT array_agg(DISTINCT k.state->>'ref')"
        "   FROM contract_versions k WHERE k.client_id = i.client_id AND k.status <> 'draft') END AS contract_refs,"
        " i.drafted_at, i.issued_at, v.number, v.gross_minor, v.currency, coalesce(v.findings, '[]') AS findings,"
        " (SELECT count(*) FROM invoices o WHERE o.period_close_id = i.period_close_id) AS invoice_count"
        " FROM billing_run_items i LEFT JOIN clients c USING (client_id)"
        " LEFT JOIN invoices v ON v.client_id = i.client_id AND v.id = i.invoice_id"
        " WHERE i.run_id = $1 ORDER BY c.name, i.client_id",
        run_id,
    )
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["status"]] = counts.get(row["status"], 0) + 1
    return {
        **dict(run),
        "items": [dict(row) for row in rows],
        "counts": counts,
        "status": run_status(counts),
        "progress": progress(rows, started_at=run["started_at"]),
    }


def progress(rows: Sequence[Any], *, started_at: datetime) -> Row:
    """Return how far a run is in its present step (n of m), and the seconds left at the pace so far; ``None``: no pace yet."""
    issuing = [row for row in rows if row["status"] in ("issuing", "issued")]
    if any(row["status"] == "issuing" for row in rows):
        step, members, name = "issuing", issuing, "issued_at"
    else:
        step, members, name = "drafting", list(rows), "drafted_at"
    waiting = {"requested", "sealed", "closed", "issuing"}
    done = sum(row["status"] not in waiting for row in members)
    stamps = sorted(row[name] for row in members if row[name] is not None)
    left = None
    if done == len(members):
        left = 0
    elif len(stamps) > 1:
        left = round((stamps[-1] - stamps[0]).total_seconds() * (len(members) - done) / (len(stamps) - 1))
    elif stamps and step == "drafting":
        left = round((stamps[0] - started_at).total_seconds() * (len(members) - done))
    return {"step": step, "done": done, "of": len(members), "seconds_left": left}


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


async def clients_of_period(
    tx: Transaction,
    *,
    starts_on: date,
    ends_on: date,
    client_ids: Sequence[UUID] | None,
    after: UUID | None,
    limit: int,
) -> list[tuple[UUID, str]]:
    """Return id and name of the clients a run of a period would bill, in order of id, after one of them."""
    rows = await tx.fetch(
        "SELECT DISTINCT c.client_id, c.name FROM clients c JOIN contract_versions v USING (client_id)"
        " WHERE v.status <> 'draft' AND (v.state->>'starts_on')::date < $2"
        " AND ((v.state->>'ends_on') IS NULL OR (v.state->>'ends_on')::date > $1)"
        " AND ($3::uuid[] IS NULL OR c.client_id = ANY($3)) AND ($4::uuid IS NULL OR c.client_id > $4)"
        " ORDER BY c.client_id LIMIT $5",
        starts_on,
        ends_on,
        client_ids,
        after,
        limit,
    )
    return [(row["client_id"], row["name"]) for row in rows]


async def review(tx: Transaction, *, run_id: UUID) -> Row | None:
    """Return what to look at before a run is issued; each list is complete up to 200 rows."""
    run = await tx.fetchrow("SELECT starts_on, ends_on FROM billing_runs WHERE id = $1", run_id)
    if run is None:
        return None
    starts_at, ends_at = midnight(run["starts_on"], "UTC"), midnight(run["ends_on"], "UTC")
    unapproved = await tx.fetch(
        "SELECT h.client_id, c.name AS client_name, count(*) AS entry_count, sum(h.worked_minutes)::bigint AS worked_minutes"
        " FROM hours h JOIN clients c USING (client_id) WHERE h.status = 'held' AND h.worked_from >= $1 AND h.worked_from < $2"
        " GROUP BY h.client_id, c.name ORDER BY worked_minutes DESC, h.client_id LIMIT 200",
        starts_at,
        ends_at,
    )
    without = await tx.fetch(
        "SELECT c.client_id, c.name AS client_name, c.state->>'code' AS client_code FROM clients c"
        " WHERE coalesce((c.state->>'is_active')::boolean, true)"
        " AND NOT EXISTS (SELECT FROM contract_versions v WHERE v.client_id = c.client_id AND v.status <> 'draft'"
        "   AND (v.state->>'starts_on')::date < $2 AND ((v.state->>'ends_on') IS NULL OR (v.state->>'ends_on')::date > $1))"
        " ORDER BY c.name, c.client_id LIMIT 200",
        run["starts_on"],
        run["ends_on"],
    )
    leaking = await tx.fetch(
        "SELECT u.client_id, c.name AS client_name, count(*) AS entry_count, sum(u.worked_minutes)::bigint AS worked_minutes,"
        " min(u.worked_from) AS oldest_worked_from FROM unbilled u JOIN clients c USING (client_id)"
        " WHERE u.worked_from < $1 GROUP BY u.client_id, c.name ORDER BY worked_minutes DESC, u.client_id LIMIT 200",
        ends_at,
    )
    items = await tx.fetch(
        "SELECT i.client_id, c.name AS client_name, i.status, i.detail, i.reason, c.state->>'code' AS client_code,"
        " v.id AS invoice_id, coalesce(v.findings, '[]') AS findings"
        " FROM billing_run_items i JOIN clients c USING (client_id)"
        " LEFT JOIN invoices v ON v.period_close_id = i.period_close_id AND v.status = 'draft'"
        " WHERE i.run_id = $1 AND (i.status = 'blocked' OR v.findings <> '[]') ORDER BY c.name, i.client_id LIMIT 200",
        run_id,
    )
    return {
        "unapproved": [dict(row) for row in unapproved],
        "without_contract": [dict(row) for row in without],
        "leaking": [dict(row) for row in leaking],
        "blocked": [dict(row) for row in items if row["status"] == "blocked"],
        "findings": [
            {**finding, **{name: row[name] for name in ("client_id", "client_name", "invoice_id")}}
            for row in items
            for finding in row["findings"]
        ],
    }
