"""Tickets found by words: title and description first, then the messages."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msp_kit.database import Transaction

WORDS_MAX = 12
NEWEST = 3000
"""Rows looked through before the index is asked."""
_WORD = re.compile(r"[^\W_]+")
_SHOWN = (
    "t.id, c.client_id, t.ref, t.title, t.status, t.priority, t.level, t.handling_level, t.job_type, t.queue, t.assignee_id,"
    " t.assignee_name, t.raised_at, t.updated_at, t.revision, t.tags, c.name AS client_name, c.code AS client_code"
)


def words_query(text: str) -> str | None:
    """Return the tsquery of what somebody typed: every word, the last one as the beginning of a word; ``None`` for none."""
    words = [word.lower() for word in _WORD.findall(text)][:WORDS_MAX]
    if not words:
        return None
    return " & ".join([*(f"'{word}'" for word in words[:-1]), f"'{words[-1]}':*"])


async def search(tx: Transaction, *, text: str, limit: int) -> Sequence[dict[str, Any]]:
    """Return the newest tickets with all the words, in themselves or in one message; ``found_in`` says where.

    A word that is everywhere is found among the newest rows at once; only a rarer one is looked up in the index, which
    would have to gather and sort every place of a common word.
    """
    query = words_query(text)
    if query is None:
        return []
    by_ticket = await tx.fetch(_AMONG_NEWEST_TICKETS, query, limit, NEWEST)
    if len(by_ticket) < limit:
        by_ticket = await tx.fetch(_BY_TICKET, query, limit)
    left = limit - len(by_ticket)
    if left <= 0:
        return [dict(row) for row in by_ticket]
    known = [row["id"] for row in by_ticket]
    by_message = await tx.fetch(_by_message(_NEWEST_MESSAGES), query, left, known, NEWEST)
    if len(by_message) < left:
        by_message = await tx.fetch(_by_message(_ALL_MESSAGES), query, left, known, NEWEST)
    return [dict(row) for row in (*by_ticket, *by_message)]


# Materialised: nothing is known of how rare the beginning of a word is, and a limit would tempt the planner to read the
# tickets by date until it has enough, which it never has of a word that is nowhere. What is shown is joined to the few that
# are left: a word that was everywhere years ago is found a hundred thousand times.
_BY_TICKET = f"""
    WITH found AS MATERIALIZED (
        SELECT client_id, id, updated_at FROM tickets WHERE search @@ to_tsquery('simple', $1) AND merged_into_id IS NULL)
    SELECT {_SHOWN}, 'ticket' AS found_in
      FROM (SELECT client_id, id FROM found ORDER BY updated_at DESC, id DESC LIMIT $2) AS f
      JOIN tickets t USING (client_id, id) JOIN clients c USING (client_id)
     ORDER BY t.updated_at DESC, t.id DESC
"""
_AMONG_NEWEST_TICKETS = f"""
    SELECT {_SHOWN}, 'ticket' AS found_in
      FROM (SELECT * FROM tickets ORDER BY updated_at DESC, id DESC LIMIT $3) AS t JOIN clients c USING (client_id)
     WHERE t.search @@ to_tsquery('simple', $1) AND t.merged_into_id IS NULL
     ORDER BY t.updated_at DESC, t.id DESC LIMIT $2
"""
_NEWEST_MESSAGES = """
    SELECT client_id, ticket_id, posted_at FROM (SELECT * FROM messages ORDER BY posted_at DESC LIMIT $4) AS n
     WHERE search @@ to_tsquery('simple', $1)
"""
_ALL_MESSAGES = """
    WITH found AS MATERIALIZED (
        SELECT client_id, ticket_id, posted_at FROM messages WHERE search @@ to_tsquery('simple', $1))
    SELECT client_id, ticket_id, posted_at FROM found LIMIT $4
"""


def _by_message(messages: str) -> str:
    return f"""
        SELECT {_SHOWN}, 'message' AS found_in
          FROM (SELECT client_id, ticket_id, max(posted_at) AS said_at FROM ({messages}) AS m
                 WHERE NOT ticket_id = ANY($3)
                 GROUP BY client_id, ticket_id ORDER BY said_at DESC LIMIT $2) AS f
          JOIN tickets t ON t.client_id = f.client_id AND t.id = f.ticket_id JOIN clients c ON c.client_id = t.client_id
         ORDER BY f.said_at DESC, t.id DESC
    """
