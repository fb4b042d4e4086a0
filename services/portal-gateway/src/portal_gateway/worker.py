"""The message process."""

from __future__ import annotations

from typing import cast

from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker
from portal_gateway import consumers, jobs
from portal_gateway.settings import Settings


def create(settings: ServiceSettings, database: Database) -> Worker:
    """Build the worker."""
    settings = cast("Settings", settings)
    return Worker(
        service="portal-gateway",
        database_name="portal_gateway",
        settings=settings,
        consumers=consumers.consumers,
        jobs=jobs.jobs(
            smtp_url=settings.smtp_url.get_secret_value(), sender=settings.mail_from, house=settings.house()
        ),
        database=database,
    )
