"""The message process: consumers, jobs, relay."""

from __future__ import annotations

from typing import cast

from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker
from tickets import consumers, jobs
from tickets.settings import Settings


def create(settings: ServiceSettings, database: Database) -> Worker:
    """Build the worker."""
    settings = cast("Settings", settings)
    return Worker(
        service="tickets",
        database_name="tickets",
        settings=settings,
        consumers=consumers.consumers,
        jobs=jobs.jobs(settings.blobs(), kept_days=settings.attachments_kept_days),
        database=database,
    )
