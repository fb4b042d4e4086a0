"""The message process, put together."""

from __future__ import annotations

import msp_kit.worker
from msp_kit.database import Database
from msp_kit.settings import ServiceSettings
from msp_kit.worker import Worker
from sla import consumers, jobs


def create(settings: ServiceSettings, database: Database) -> Worker:
    """Build the worker: consumers, timers, relay."""
    return msp_kit.worker.Worker(
        service="sla",
        database_name="sla",
        settings=settings,
        consumers=consumers.consumers,
        jobs=jobs.JOBS,
        database=database,
    )
