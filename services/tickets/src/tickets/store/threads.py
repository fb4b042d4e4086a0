"""Messages, attachments and history as merging, splitting and moving see them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from msp_kit.database import Transaction
from tickets.domain.ticket import Ticket

FilePlace = Literal["ticket_id", "project_id"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file on a ticket or a project; its content is kept by its hash, once."""

    id: UUID
    client_id: UUID
    ticket_id: UUID | None
    message_id: UUID | None
    is_public: bool
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    added_by: str
    project_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a ticket as its history tells it."""

    revision: int
    at: datetime
    actor_name: str
    text: str
    changed: tuple[str, ...]


async def changes_since(tx: Transaction, ticket: Ticket, *, revision: int) -> list[Change]:
    """Return what changed after a revision, oldest first."""
    rows = await tx.fetch(
        "SELECT revision, at, actor_name, text, changed FROM activities"
        " WHERE client_id = $1 AND ticket_id = $2 AND revision > $3 AND cardinality(changed) > 0 ORDER BY id LIMIT 20",
        ticket.client_id,
        ticket.id,
        revision,
    )
    return [Change(**{**dict(row), "changed": tuple(row["changed"])}) for row in rows]


async def messages_there(tx: Transaction, ticket: Ticket, *, message_ids: Sequence[UUID]) -> set[UUID]:
    """Return which of the messages stand in a ticket's thread."""
    rows = await tx.fetch(
        "SELECT id FROM messages WHERE client_id = $1 AND ticket_id = $2 AND id = ANY($3)",
        ticket.client_id,
        ticket.id,
        message_ids,
    )
    return {row["id"] for row in rows}


async def move_messages(
    tx: Transaction, *, source: Ticket, target: Ticket, message_ids: Sequence[UUID] | None = None
) -> int:
    """Move messages with their files (``None``: all, and the files of the ticket itself); return how many messages.

    What goes to another client's ticket becomes internal: neither client reads what was written for the other.
    """
    await tx.driver.execute("SET CONSTRAINTS attachments_message DEFERRED")
    stays_public = source.client_id == target.client_id
    arguments = (source.client_id, source.id, target.client_id, target.id, stays_public, message_ids)
    moved = await tx.fetch(
        "UPDATE messages SET client_id = $3, ticket_id = $4, is_public = is_public AND $5"
        " WHERE client_id = $1 AND ticket_id = $2 AND ($6::uuid[] IS NULL OR id = ANY($6)) RETURNING id",
        *arguments,
    )
    await tx.driver.execute(
        "UPDATE attachments SET client_id = $3, ticket_id = $4, is_public = is_public AND $5"
        " WHERE client_id = $1 AND ticket_id = $2 AND ($6::uuid[] IS NULL OR message_id = ANY($6))",
        *arguments,
    )
    await tx.driver.execute("SET CONSTRAINTS attachments_message IMMEDIATE")
    return len(moved)


async def add_attachment(tx: Transaction, one: Attachment) -> None:
    """Save what is known of a file."""
    await tx.driver.execute(
        "INSERT INTO attachments (id, client_id, ticket_id, message_id, is_public, name, media_type, size_bytes, sha256,"
        " added_by, added_at, project_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        one.id,
        one.client_id,
        one.ticket_id,
        one.message_id,
        one.is_public,
        one.name,
        one.media_type,
        one.size_bytes,
        one.sha256,
        one.added_by,
        tx.now,
        one.project_id,
    )


async def attachment(tx: Transaction, *, attachment_id: UUID) -> Attachment | None:
    """Return a file the caller may see."""
    row = await tx.fetchrow(
        "SELECT id, client_id, ticket_id, project_id, message_id, is_public, name, media_type, size_bytes, sha256, added_by"
        " FROM attachments WHERE id = $1",
        attachment_id,
    )
    return None if row is None else Attachment(**row)


async def bytes_kept(tx: Transaction, *, client_id: UUID, place: FilePlace, place_id: UUID) -> tuple[int, int]:
    """Return how many files a ticket or project has, and their bytes."""
    row = await tx.fetchrow(
        "SELECT count(*) AS files, coalesce(sum(size_bytes), 0)::bigint AS bytes FROM attachments"
        f" WHERE client_id = $1 AND {place} = $2",
        client_id,
        place_id,
    )
    assert row is not None, "a count is a row"
    return row["files"], row["bytes"]


async def hold_content(tx: Transaction, sha256: str) -> None:
    """Hold a content until the end of the transaction: nobody forgets it while it is put."""
    await tx.fetchval("SELECT pg_advisory_xact_lock(hashtextextended($1, 7242))", sha256)


async def try_hold_content(tx: Transaction, sha256: str) -> bool:
    """Hold a content until the end of the transaction, unless somebody else does; return whether it is held."""
    return bool(await tx.fetchval("SELECT pg_try_advisory_xact_lock(hashtextextended($1, 7242))", sha256))


async def contents_needed(tx: Transaction, *, names: Sequence[str]) -> set[str]:
    """Return which of the contents belong to a file."""
    rows = await tx.fetch("SELECT DISTINCT sha256 FROM attachments WHERE sha256 = ANY($1)", names)
    return {row["sha256"] for row in rows}
