"""The HTTP process."""

from __future__ import annotations

from fastapi import FastAPI

from billing import endpoints
from msp_kit.api import Lifespan, create_api
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings


def create(settings: ServiceSettings, database: Database, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the HTTP application."""
    return create_api(
        service="billing",
        database=database,
        settings=settings,
        routers=[endpoints.router],
        problem_table=endpoints.PROBLEMS,
        lifespan=lifespan,
    )
