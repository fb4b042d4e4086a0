"""The whole platform, real, for stories: servers of its own (so that they can be killed), five service processes."""

from __future__ import annotations

import pathlib
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator

import pytest
from collector import Collector, collecting

from msp_local.api import Api
from msp_local.servers import rabbitmq
from msp_local.servers.postgres import Postgres
from msp_local.servers.throwaway import cache_folder
from msp_local.services import SERVICES
from msp_local.stack import ADMIN_EMAIL, VHOST, Platform


@pytest.fixture(scope="session")
def spans() -> Iterator[Collector]:
    """What all services tell of their work, as a collector of OpenTelemetry receives it."""
    with collecting() as collector:
        yield collector


@pytest.fixture(scope="session")
def platform(spans: Collector) -> Iterator[Platform]:
    folder = pathlib.Path(tempfile.mkdtemp(prefix="effigate-story-"))
    folder.chmod(0o755)
    prefix = rabbitmq.installed() or rabbitmq.unpacked(cache_folder())
    names = [service.name for service in SERVICES]
    # Kept servers: what was committed has to survive a power cut.
    broker = rabbitmq.RabbitMQ(folder / "rabbitmq", prefix=prefix, vhosts=[VHOST], services=names)
    postgres = Postgres(folder / "postgres", is_kept=True)
    made: Platform | None = None
    try:
        broker.start()
        postgres.start()
        broker.wait()
        made = Platform(folder / "state", postgres=postgres, broker=broker, otlp_endpoint=spans.url)
        made.prepare()
        made.create_admin()
        made.start()
        made.wait_until_ready()
        yield made
    finally:
        if made is not None:
            made.stop()
        broker.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
async def admin(platform: Platform) -> AsyncIterator[Api]:
    async with Api(platform.url, email=ADMIN_EMAIL, password=platform.admin_password) as api:
        yield api
