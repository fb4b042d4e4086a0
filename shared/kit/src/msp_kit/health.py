"""Liveness says the process runs; readiness says it can do its work; metrics say how it does."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson
from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from msp_kit.database import Database, connect

Check = Callable[[], Awaitable[bool]]
CHECK_SECONDS_MAX = 3.0


def health_router(checks: Mapping[str, Check]) -> APIRouter:
    """Return ``/healthz``, ``/readyz`` and ``/metrics``; peers are never asked, only the process's own servers."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @router.get("/readyz")
    async def readyz() -> Response:
        answers = await asyncio.gather(*(_ask(check) for check in checks.values()))
        found: dict[str, Any] = dict(zip(checks, answers, strict=True))
        is_ready = all(answers)
        body = {"status": "ready" if is_ready else "not ready", "checks": found}
        return Response(orjson.dumps(body), status_code=200 if is_ready else 503, media_type="application/json")

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _ask(check: Check) -> bool:
    try:
        async with asyncio.timeout(CHECK_SECONDS_MAX):
            return await check()
    except Exception:  # noqa: BLE001 - whatever went wrong, the answer is "no"
        return False


def database_check(database: Database, *, head: str) -> Check:
    """Return a check that the database answers and stands at migration ``head``.

    It uses a connection of its own: a full pool is load, not a reason to be taken out of service.
    """

    async def check() -> bool:
        connection = await connect(database.url, application=f"{database.service}-ready")
        try:
            return bool(await connection.fetchval("SELECT version_num = $1 FROM alembic_version", head))
        finally:
            await connection.close(timeout=1)

    return check
