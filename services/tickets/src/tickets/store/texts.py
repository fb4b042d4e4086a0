"""Texts to start from, and saved views: small tables of the desk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from msp_kit.database import Transaction


async def save_reply(
    tx: Transaction, *, reply_id: UUID, name: str, body: str, is_public: bool, set_status: str | None
) -> bool:
    """Save a canned reply; ``False`` when its name is taken."""
    return bool(
        await tx.fetchval(
            "INSERT INTO canned_replies AS r (id, name, body, is_public, set_status) SELECT $1, $2, $3, $4, $5"
            " WHERE NOT EXISTS (SELECT FROM canned_replies WHERE name = $2 AND id <> $1)"
            " ON CONFLICT (id) DO UPDATE SET name = $2, body = $3, is_public = $4, set_status = $5 RETURNING true",
            reply_id,
            name,
            body,
            is_public,
            set_status,
        )
    )


async def reply(tx: Transaction, *, reply_id: UUID) -> Mapping[str, Any] | None:
    """Return a canned reply."""
    row = await tx.fetchrow("SELECT id, name, body, is_public, set_status FROM canned_replies WHERE id = $1", reply_id)
    return None if row is None else dict(row)


async def save_template(tx: Transaction, *, template_id: UUID, values: Mapping[str, Any]) -> bool:
    """Save a template of a ticket; ``False`` when its name is taken."""
    return bool(
        await tx.fetchval(
            "INSERT INTO ticket_templates AS t (id, name, title, description, job_type, level, priority, tags, is_for_clients)"
            " SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9"
            " WHERE NOT EXISTS (SELECT FROM ticket_templates WHERE name = $2 AND id <> $1)"
            " ON CONFLICT (id) DO UPDATE SET name = $2, title = $3, description = $4, job_type = $5, level = $6,"
            " priority = $7, tags = $8, is_for_clients = $9 RETURNING true",
            template_id,
            values["name"],
            values["title"],
            values["description"],
            values["job_type"],
            values["level"],
            values["priority"],
            list(values["tags"]),
            values["is_for_clients"],
        )
    )


async def save_view(
    tx: Transaction, *, view_id: UUID, person_id: UUID, name: str, filters: Mapping[str, Any], is_shared: bool
) -> bool:
    """Save a view; ``False`` when the person has one of this name, or it is somebody else's."""
    return bool(
        await tx.fetchval(
            "INSERT INTO saved_views AS v (id, person_id, name, filters, is_shared) SELECT $1, $2, $3, $4, $5"
            " WHERE NOT EXISTS (SELECT FROM saved_views WHERE person_id = $2 AND name = $3 AND id <> $1)"
            " ON CONFLICT (id) DO UPDATE SET name = $3, filters = $4, is_shared = $5 WHERE v.person_id = $2 RETURNING true",
            view_id,
            person_id,
            name,
            orjson.dumps(filters).decode(),
            is_shared,
        )
    )


async def delete_reply(tx: Transaction, *, reply_id: UUID) -> bool:
    """Delete a canned reply; return whether it was there."""
    return bool(await tx.fetchval("DELETE FROM canned_replies WHERE id = $1 RETURNING true", reply_id))


async def delete_template(tx: Transaction, *, template_id: UUID) -> bool:
    """Delete a template; return whether it was there."""
    return bool(await tx.fetchval("DELETE FROM ticket_templates WHERE id = $1 RETURNING true", template_id))


async def delete_view(tx: Transaction, *, view_id: UUID, person_id: UUID) -> bool:
    """Delete a person's view; return whether it was there."""
    return bool(
        await tx.fetchval("DELETE FROM saved_views WHERE id = $1 AND person_id = $2 RETURNING true", view_id, person_id)
    )
