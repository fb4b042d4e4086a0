"""Tickets found by words: title and description first, then the messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msp_kit.database import Transaction

WORDS_MAX = 12
_WORD = re.compile(r"[^\W_]+")
_SHOWN = (
    "t.id, t.client_id, t.ref, t.title, t.status, t.priority, t.level, t.handling_level, t.job_type, t.queue, t.assignee_id,"
    " t.assignee_name, t.raised_at, t.updated_at, t.revision, t.tags, c.name AS client_name, c.code AS client_code"
)


def words_query(text: str) -> str | None:
    """Return the tsquery of what somebody typed: every word, the last one as the beginning of a word; ``None`` for none."""
    words = [word.lower() for word in _WORD.findall(text)][:WORDS_MAX]
    if not words:
        return None
    return " & ".join([*(f"'{word}'" for word in words[:-1]), f"'{words[-1]}':*"])


async def search(tx: Transaction, *, text: str, limit: int) -> Sequence[dict[str, Any]]:
    """Return the newest tickets with all the words, in themselves or in one message; ``found_in`` says where."""
    query = words_query(text)
    if query is None:
        return []
    by_ticket = await tx.fetch(
        f"""
        SELECT {_SHOWN}, 'ticket' AS found_in
          FROM tickets t JOIN clients c USING (client_id)
         WHERE t.search @@ to_tsquery('simple', $1) AND t.merged_into_id IS NULL
         ORDER BY t.updated_at DESC, t.id DESC LIMIT $2
        """,
        query,
        limit,
    )
    left = limit - len(by_ticket)
    if left <= 0:
        return [dict(row) for row in by_ticket]
    by_message = await tx.fetch(
        f"""
        SELECT {_SHOWN}, 'message' AS found_in
          FROM (SELECT client_id, ticket_id, max(posted_at) AS said_at
                  FROM (SELECT client_id, ticket_id, posted_at FROM messages WHERE search @@ to_tsquery('simple', $1)
                         LIMIT 2000) AS m
                 GROUP BY client_id, ticket_id ORDER BY said_at DESC LIMIT $2) AS f
          JOIN tickets t ON t.client_id = f.client_id AND t.id = f.ticket_id JOIN clients c ON c.client_id = t.client_id
         WHERE NOT t.id = ANY($3)
         ORDER BY f.said_at DESC, t.id DESC
        """,
        query,
        left,
        [row["id"] for row in by_ticket],
    )
    return [dict(row) for row in (*by_ticket, *by_message)]
