"""The message process: consumers, jobs, relay."""

from __future__ import annotations

from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker
from tickets import consumers, jobs


def create(settings: ServiceSettings, database: Database) -> Worker:
    """Build the worker."""
    return Worker(
        service="tickets",
        database_name="tickets",
        settings=settings,
        consumers=consumers.consumers,
        jobs=jobs.JOBS,
        database=database,
    )
