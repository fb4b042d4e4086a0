"""The HTTP process."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI

from msp_kit.api import Lifespan, create_api
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from tickets import endpoints
from tickets.settings import Settings


def create(settings: ServiceSettings, database: Database, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the HTTP application."""
    settings = cast("Settings", settings)
    app = create_api(
        service="tickets",
        database=database,
        settings=settings,
        routers=endpoints.ROUTERS,
        problem_table=endpoints.PROBLEMS,
        lifespan=lifespan,
    )
    app.state.blobs = settings.blobs()
    return app
