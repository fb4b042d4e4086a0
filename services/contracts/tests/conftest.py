"""A database of the contracts service for each test, its inbox, and people who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from contracts import api
from contracts.consumers import consumers
from contracts.settings import Settings
from msp_kit.database import Database
from msp_kit.inbox import Inbox
from msp_kit.provisioning import DatabaseUrls
from msp_kit.testing import Requests, Speaker, a_database, set_service_environment


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    """Give an empty, migrated database."""
    async with a_database(service="contracts", database="contracts", module="contracts") as opened:
        yield opened


@pytest.fixture
def requests(database: Database) -> Requests:
    """Speak HTTP to the service."""
    environment = set_service_environment(DatabaseUrls(app=database.url, owner=""))
    names = ("database_url", "amqp_url", "identity_public_keys")
    settings = Settings(**{name: environment[f"MSP_{name.upper()}"] for name in names})  # type: ignore[arg-type]
    return Requests(api.create(settings, database), "contracts")


@pytest.fixture
def speaker(database: Database) -> Speaker:
    """Say what tickets says."""
    return Speaker(Inbox(database, consumers))
