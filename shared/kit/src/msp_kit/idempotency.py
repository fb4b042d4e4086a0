"""``Idempotency-Key``: the same POST again gives the same answer, and does nothing again.

The key, the effect and the answer are stored in one transaction.
"""

from __future__ import annotations

import hashlib

import orjson
from fastapi import Request, Response

from msp_kit.database import Transaction
from msp_kit.problems import IdempotencyConflict

HEADER = "Idempotency-Key"
KEY_CHARACTERS_MIN, KEY_CHARACTERS_MAX = 8, 128
_METHODS = frozenset({"POST", "PATCH", "PUT", "DELETE"})


class Replay(Exception):
    """The request was answered before; carries that answer."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


async def begin(request: Request, tx: Transaction) -> None:
    """Claim the key of a request, when it has one.

    Raises:
        Replay: the same request was answered before.
        IdempotencyConflict: the key belongs to another request, or is too short or too long.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method not in _METHODS:
        return
    if not KEY_CHARACTERS_MIN <= len(key) <= KEY_CHARACTERS_MAX:
        raise IdempotencyConflict(f"a key has {KEY_CHARACTERS_MIN} to {KEY_CHARACTERS_MAX} characters")
    fingerprint = hashlib.sha256(str(request.url.query).encode() + b"\0" + await request.body()).digest()
    route = f"{request.method} {request.url.path}"
    # A running twin holds the row: this waits for it, and then finds its answer.
    claimed = await tx.fetchval(
        "INSERT INTO bus.idempotency (actor, route, key, request_sha256) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT DO NOTHING RETURNING true",
        tx.scope.actor,
        route,
        key,
        fingerprint,
    )
    if claimed:
        request.state.idempotency = (route, key)
        return
    row = await tx.fetchrow(
        "SELECT request_sha256, status, headers, body FROM bus.idempotency WHERE actor = $1 AND route = $2 AND key = $3",
        tx.scope.actor,
        route,
        key,
    )
    if row is None or row["request_sha256"] != fingerprint:
        raise IdempotencyConflict("use a new key for a new request")
    headers = {**row["headers"], "Idempotent-Replayed": "true"}
    raise Replay(Response(row["body"], status_code=row["status"], headers=headers))


async def remember(request: Request, response: Response) -> None:
    """Store the answer of a request that claimed a key; called while its transaction is still open."""
    claimed = getattr(request.state, "idempotency", None)
    if claimed is None:
        return
    tx: Transaction = request.state.tx
    route, key = claimed
    kept = {name: value for name, value in response.headers.items() if name in ("content-type", "location", "etag")}
    await tx.driver.execute(
        "UPDATE bus.idempotency SET status = $4, headers = $5, body = $6 WHERE actor = $1 AND route = $2 AND key = $3",
        tx.scope.actor,
        route,
        key,
        response.status_code,
        orjson.dumps(kept).decode(),
        response.body,
    )


async def answer_again(_request: Request, error: Exception) -> Response:
    """Exception handler of ``Replay``."""
    assert isinstance(error, Replay)
    return error.response
