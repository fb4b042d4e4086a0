"""What stands around a ticket's thread: files, watchers, links, ratings, assignments, merged tickets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import orjson

from msp_kit.database import Transaction
from tickets.store.threads import FilePlace

Row = dict[str, Any]


async def merged_into(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> dict[UUID, str]:
    """Return the tickets that were merged into one, with their refs."""
    rows = await tx.fetch(
        "SELECT id, ref FROM tickets WHERE client_id = $1 AND merged_into_id = $2 ORDER BY raised_at, id LIMIT 100",
        client_id,
        ticket_id,
    )
    return {row["id"]: row["ref"] for row in rows}


async def attachments_of(
    tx: Transaction, *, client_id: UUID, ticket_id: UUID | None = None, project_id: UUID | None = None
) -> Sequence[Row]:
    """Return the files of a ticket or a project, oldest first; client people see public ones (the database sees to it)."""
    place: FilePlace = "project_id" if ticket_id is None else "ticket_id"
    rows = await tx.fetch(
        "SELECT id, message_id, is_public, name, media_type, size_bytes, sha256, added_by FROM attachments"
        f" WHERE client_id = $1 AND {place} = $2 ORDER BY added_at, id LIMIT 100",
        client_id,
        ticket_id or project_id,
    )
    return [dict(row) for row in rows]


async def watchers_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> Sequence[Row]:
    """Return who watches a ticket; client people see their own colleagues (the database sees to it)."""
    rows = await tx.fetch(
        "SELECT person_id, name FROM watchers WHERE client_id = $1 AND ticket_id = $2 ORDER BY name, person_id LIMIT 100",
        client_id,
        ticket_id,
    )
    return [dict(row) for row in rows]


async def ratings_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> Sequence[Row]:
    """Return what the client thought of each resolution."""
    rows = await tx.fetch(
        "SELECT cycle, score, comment, by_name, rated_at FROM ratings WHERE client_id = $1 AND ticket_id = $2 ORDER BY cycle",
        client_id,
        ticket_id,
    )
    return [dict(row) for row in rows]


async def links_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> Sequence[Row]:
    """Return the tickets one is linked to, in either direction (staff)."""
    rows = await tx.fetch(
        """
        SELECT l.kind, l.ticket_id = $2 AS is_from_here, t.id, t.ref, t.title, t.status
          FROM ticket_links l
          JOIN tickets t ON t.client_id = l.client_id
                        AND t.id = CASE WHEN l.ticket_id = $2 THEN l.other_id ELSE l.ticket_id END
         WHERE l.client_id = $1 AND (l.ticket_id = $2 OR l.other_id = $2)
         ORDER BY l.linked_at, t.id LIMIT 100
        """,
        client_id,
        ticket_id,
    )
    return [dict(row) for row in rows]


async def assignments_of(tx: Transaction, *, client_id: UUID, ticket_id: UUID) -> Sequence[Row]:
    """Return why agents were chosen, newest first (staff)."""
    rows = await tx.fetch(
        """
        SELECT s.at, s.agent_id, a.name AS agent_name, s.load_percent, s.reason, s.runners_up::text AS runners_up
          FROM assignments s JOIN agents a ON a.id = s.agent_id
         WHERE s.client_id = $1 AND s.ticket_id = $2 ORDER BY s.at DESC LIMIT 20
        """,
        client_id,
        ticket_id,
    )
    return [{**dict(row), "runners_up": orjson.loads(row["runners_up"])} for row in rows]
