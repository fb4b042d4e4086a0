"""The message process: consumers, jobs, relay."""

from __future__ import annotations

from typing import cast

from billing import consumers
from billing.jobs import jobs
from billing.settings import Settings
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker


def create(settings: ServiceSettings, database: Database) -> Worker:
    """Build the worker."""
    seller = cast("Settings", settings).default_seller
    return Worker(
        service="billing",
        database_name="billing",
        settings=settings,
        consumers=consumers.consumers,
        jobs=jobs(seller),
        database=database,
    )
