"""The HTTP process, put together."""

from __future__ import annotations

from fastapi import FastAPI

import msp_kit.api
from msp_kit.api import Lifespan
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from sla import endpoints


def create(settings: ServiceSettings, database: Database, lifespan: Lifespan | None = None) -> FastAPI:
    """Build the HTTP application."""
    return msp_kit.api.create_api(
        service="sla",
        database=database,
        settings=settings,
        routers=[endpoints.clocks, endpoints.boards],
        problem_table=endpoints.PROBLEMS,
        lifespan=lifespan,
    )
