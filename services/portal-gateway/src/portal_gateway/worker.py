"""The message process."""

from __future__ import annotations

from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker
from portal_gateway import consumers, jobs


def create(settings: ServiceSettings, database: Database) -> Worker:
    """Build the worker."""
    return Worker(
        service="portal-gateway",
        database_name="portal_gateway",
        settings=settings,
        consumers=consumers.consumers,
        jobs=jobs.JOBS,
        database=database,
    )
