"""The message process of the contracts service."""

from __future__ import annotations

from contracts.consumers import consumers
from contracts.jobs import JOBS
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker


def create(settings: ServiceSettings, database: Database) -> Worker:
    """Build the worker."""
    return Worker(
        service="contracts",
        database_name="contracts",
        settings=settings,
        consumers=consumers,
        jobs=JOBS,
        database=database,
    )
