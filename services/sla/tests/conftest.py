"""A fresh database for each test, somebody who tells events, and somebody who asks over HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import settings

from msp_kit import identity
from msp_kit.database import Database
from msp_kit.inbox import Inbox
from msp_kit.settings import ServiceSettings
from msp_kit.testing import KEY, Requests, Speaker, a_database
from sla import api
from sla.consumers import consumers

# A busy machine is no bug: properties have no time limit.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    async with a_database(service="sla", database="sla", module="sla") as opened:
        yield opened


@pytest.fixture
def speaker(database: Database) -> Speaker:
    return Speaker(Inbox(database, consumers))


@pytest.fixture
async def requests(database: Database) -> Requests:
    settings = ServiceSettings.model_validate(
        {
            "database_url": database.url,
            "amqp_url": "amqp://nobody@127.0.0.1:1/",
            "identity_public_keys": json.dumps(identity.public_keys([KEY])),
        }
    )
    return Requests(api.create(settings, database), "sla")
