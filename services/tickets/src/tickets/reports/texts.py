"""Canned replies, templates, saved views as they are shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from msp_kit.database import Transaction

Row = dict[str, Any]


async def replies(tx: Transaction) -> Sequence[Row]:
    """Return the canned replies by name."""
    rows = await tx.fetch("SELECT id, name, body, is_public, set_status FROM canned_replies ORDER BY name LIMIT 1000")
    return [dict(row) for row in rows]


async def templates(tx: Transaction) -> Sequence[Row]:
    """Return the templates by name; a client's people see those made for them (the database sees to it)."""
    rows = await tx.fetch(
        "SELECT id, name, title, description, job_type, level, priority, tags, is_for_clients FROM ticket_templates"
        " ORDER BY name LIMIT 1000"
    )
    return [dict(row) for row in rows]


async def views(tx: Transaction, *, person_id: UUID) -> Sequence[Row]:
    """Return a person's views and those shared by others, by name."""
    rows = await tx.fetch(
        "SELECT id, name, filters::text AS filters, is_shared, person_id = $1 AS is_mine FROM saved_views"
        " WHERE is_shared OR person_id = $1 ORDER BY person_id <> $1, name, id LIMIT 200",
        person_id,
    )
    return [{**dict(row), "filters": orjson.loads(row["filters"])} for row in rows]


async def priority_table(tx: Transaction, *, client_id: UUID) -> dict[tuple[str, str], str]:
    """Return what a client's own priority table says."""
    rows = await tx.fetch("SELECT impact, urgency, priority FROM priority_tables WHERE client_id = $1", client_id)
    return {(row["impact"], row["urgency"]): row["priority"] for row in rows}
