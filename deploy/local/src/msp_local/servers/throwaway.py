"""Servers for one run of tests or benchmarks: nothing is kept, nothing outlives the process.

Per server the first that answers: an address in the environment, a program on the machine, a container, a download.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from msp_local.servers import docker, rabbitmq
from msp_local.servers.postgres import Postgres
from msp_local.servers.processes import ServerFailed

VHOSTS = [f"t{number:02}" for number in range(1, 25)]


@dataclass(frozen=True)
class Servers:
    """Where the servers are, and what they are."""

    postgres_url: str
    amqp_url: str
    vhosts: tuple[str, ...]
    description: str


def cache_folder() -> Path:
    """Return where downloads are kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "effigate"


@contextlib.contextmanager
def throwaway_servers() -> Iterator[Servers]:
    """Give a PostgreSQL and a RabbitMQ, and end what was started.

    Raises:
        ServerFailed: a server is not to be had; one sentence says what to install.
    """
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="effigate-"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        # The broker takes the longest: it starts while PostgreSQL is made.
        amqp_url, broker, vhosts, wait = _broker(folder, stack)
        postgres_url, database = _postgres(folder, stack)
        wait()
        yield Servers(postgres_url, amqp_url, vhosts, f"{database}; {broker}")


def _postgres(folder: Path, stack: contextlib.ExitStack) -> tuple[str, str]:
    given = os.environ.get("MSP_POSTGRES_URL")
    if given:
        return given, "PostgreSQL from MSP_POSTGRES_URL"
    try:
        server = Postgres(folder / "postgres", is_kept=False)
        stack.callback(server.stop)
        server.start()
    except ServerFailed:
        if not docker.is_available():
            raise
        container = docker.postgres()
        stack.callback(container.stop)
        return container.url, f"{container.version} in a container"
    return server.url, server.version


def _broker(folder: Path, stack: contextlib.ExitStack) -> tuple[str, str, tuple[str, ...], Callable[[], None]]:
    given = os.environ.get("MSP_AMQP_URL")
    if given:
        vhosts = tuple(name for name in os.environ.get("MSP_TEST_VHOSTS", "").split(",") if name)
        return given, "RabbitMQ from MSP_AMQP_URL", vhosts or ("%2F",), lambda: None
    prefix = rabbitmq.installed()
    if prefix is None and docker.is_available():
        with contextlib.suppress(Exception):  # the image cannot be had: go on to the next way
            container = docker.rabbitmq(VHOSTS)
            stack.callback(container.stop)
            return container.url, f"{container.version} in a container", tuple(VHOSTS), lambda: None
    server = rabbitmq.RabbitMQ(folder / "rabbitmq", prefix=prefix or rabbitmq.unpacked(cache_folder()), vhosts=VHOSTS)
    stack.callback(server.stop)
    server.start()
    return server.url(), server.version, tuple(VHOSTS), server.wait
