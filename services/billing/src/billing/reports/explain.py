"""Why: from a cent to its entries, rules and clauses; and from a worked minute to its cents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from billing.domain.coverage import PLACES, places_of, shares
from msp_kernel.money import amount_text
from msp_kernel.periods import midnight
from msp_kit.database import Transaction

Row = dict[str, Any]


async def line(tx: Transaction, *, content: Mapping[str, Any], n: int, with_rule: bool) -> Row | None:
    """Return why a line of an invoice is what it is: its arithmetic, its rule, its clause and its entries."""
    found = next((one for one in content["lines"] if one["n"] == n), None)
    if found is None:
        return None
    entries = {one["time_entry_id"]: one for one in content["entries"]}
    parts = _parts(found)
    return {
        "n": n,
        "invoice": content.get("number"),
        "kind": found["kind"],
        "text": found["text"],
        "currency": content["currency"],
        "arithmetic": _arithmetic(found, content["currency"]),
        "net_minor": found["net_minor"],
        "tax_minor": found.get("tax_minor"),
        "tax_category": found["tax_category"],
        "tax_rate_basis_points": found["tax_rate_basis_points"],
        "clause": found.get("clause") or {},
        "rule": await _rule(tx, found) if with_rule else None,
        "entries": [
            {
                **entries[one["time_entry_id"]],
                "minutes": one["minutes"],
                "net_minor": parts.get(one["time_entry_id"], 0),
            }
            for one in found["entries"]
        ],
    }


def _arithmetic(line: Mapping[str, Any], currency: str) -> str:
    unit, net = (amount_text(line[name], currency) for name in ("unit_minor", "net_minor"))
    if line["quantity_minutes"] is None:
        return f"{line['quantity']} x {unit} = {net}"
    return f"{line['quantity_minutes']} min x {unit} an hour / 60 = {net} (rounded half up once)"


def _parts(line: Mapping[str, Any]) -> dict[str, int]:
    """Return the part of a line's net that falls on each of its entries, to the cent; the parts add up to the line."""
    if not line["entries"]:
        return {}
    sign = 1 if line["net_minor"] >= 0 else -1
    minutes: dict[str, int] = {}
    for one in line["entries"]:
        minutes[one["time_entry_id"]] = minutes.get(one["time_entry_id"], 0) + one["minutes"]
    split = shares(abs(line["net_minor"]), list(minutes.values()))
    return {entry: sign * part for entry, part in zip(minutes, split, strict=True)}


async def _rule(tx: Transaction, line: Mapping[str, Any]) -> Row | None:
    """Return the rate or item of the contract version behind a line, as contracts said it."""
    version = (line.get("clause") or {}).get("contract_version")
    row = await tx.fetchrow(
        "SELECT version, state FROM contract_versions WHERE contract_id = $1 AND ($2::int IS NULL OR version = $2)"
        " ORDER BY version DESC LIMIT 1",
        UUID(line["contract_id"]),
        version,
    )
    if row is None:
        return None
    state = row["state"]
    for place in ("overage_rates", "rates", "fixed_items"):
        for one in state[place]:
            if line["rule_id"] in (one.get("rule_id"), one.get("item_id")):
                return {"contract": state["ref"], "version": row["version"], "place": place, **one}
    return {"contract": state["ref"], "version": row["version"], "place": line["rule_id"].partition(":")[0]}


async def whereabouts(tx: Transaction, *, time_entry_id: UUID) -> Row | None:
    """Return where a time entry went: its minutes by place, its invoice, its lines and its cents."""
    row = await tx.fetchrow(
        "SELECT h.client_id, h.status, h.worked_minutes, h.state, b.invoice_id, v.number, v.status AS invoice_status,"
        " v.content, (SELECT c.state->>'kind' FROM contract_versions c WHERE c.contract_id = h.contract_id LIMIT 1) AS kind"
        " FROM hours h LEFT JOIN invoiced b USING (time_entry_id)"
        " LEFT JOIN invoices v ON v.client_id = h.client_id AND v.id = b.invoice_id WHERE h.time_entry_id = $1",
        time_entry_id,
    )
    if row is None:
        return None
    lines: list[Row] = []
    content = orjson.loads(row["content"]) if row["content"] else None
    for one in content["lines"] if content else ():
        parts = _parts(one)
        if str(time_entry_id) in parts:
            lines.append(
                {
                    "n": one["n"],
                    "text": one["text"],
                    "minutes": sum(e["minutes"] for e in one["entries"] if e["time_entry_id"] == str(time_entry_id)),
                    "net_minor": parts[str(time_entry_id)],
                    "rule_id": one["rule_id"],
                }
            )
    return {
        "time_entry_id": time_entry_id,
        "client_id": row["client_id"],
        "status": row["status"],
        "worked_minutes": row["worked_minutes"],
        "places": places_of(row["state"], kind=row["kind"] or "bucket"),
        "invoice_id": row["invoice_id"],
        "invoice_number": row["number"],
        "invoice_status": row["invoice_status"],
        "currency": content["currency"] if content else None,
        "net_minor": sum(one["net_minor"] for one in lines),
        "lines": lines,
    }


async def coverage(tx: Transaction, *, client_id: UUID, from_on: date, to_on: date) -> Row:
    """Return the worked minutes of a client in ``[from_on, to_on)`` by place; every minute is in exactly one."""
    zone = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id) or "UTC"
    kinds = {
        row["contract_id"]: row["kind"]
        for row in await tx.fetch(
            "SELECT contract_id, min(state->>'kind') AS kind FROM contract_versions WHERE client_id = $1 GROUP BY contract_id",
            client_id,
        )
    }
    found = dict.fromkeys(PLACES, 0)
    worked = entries = 0
    rows: Sequence[Any] = await tx.fetch(
        "SELECT contract_id, state FROM hours WHERE client_id = $1 AND worked_from >= $2 AND worked_from < $3",
        client_id,
        midnight(from_on, zone),
        midnight(to_on, zone),
    )
    for row in rows:
        entries += 1
        worked += row["state"]["worked_minutes"]
        for place, minutes in places_of(row["state"], kind=kinds.get(row["contract_id"], "bucket")).items():
            found[place] += minutes
    return {
        "client_id": client_id,
        "entry_count": entries,
        "worked_minutes": worked,
        "places": found,
        "unaccounted_minutes": worked - sum(found.values()),
    }
