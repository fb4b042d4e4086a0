"""The HTTP process of the contracts service."""

from __future__ import annotations

from fastapi import FastAPI

from contracts import endpoints
from msp_kit import api
from msp_kit.api import Lifespan
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings


def create(settings: ServiceSettings, database: Database, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the HTTP application."""
    return api.create_api(
        service="contracts",
        database=database,
        settings=settings,
        routers=endpoints.ROUTERS,
        problem_table=endpoints.PROBLEMS,
        lifespan=lifespan,
    )
