"""The HTTP process."""

from __future__ import annotations

from typing import cast

from fastapi import FastAPI

from billing import endpoints
from billing.providers import provider_of
from billing.settings import Settings
from msp_kit.api import Lifespan, create_api
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings


def create(settings: ServiceSettings, database: Database, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the HTTP application."""
    app = create_api(
        service="billing",
        database=database,
        settings=settings,
        routers=endpoints.ROUTERS,
        problem_table=endpoints.PROBLEMS,
        lifespan=lifespan,
    )
    ours = cast("Settings", settings)
    app.state.default_seller = ours.default_seller
    app.state.provider = provider_of(url=ours.payment_page_url, secret=ours.payment_page_secret.get_secret_value())
    return app
