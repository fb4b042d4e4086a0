"""The HTTP process."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI

from msp_kit.api import Lifespan, create_api
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from tickets import endpoints
from tickets.blobs import blobs_at
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
    app.state.blobs = blobs_at(
        settings.attachments_url,
        access_key=settings.attachments_access_key,
        secret_key=settings.attachments_secret_key.get_secret_value(),
    )
    return app
