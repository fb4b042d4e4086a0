"""PostgreSQL and RabbitMQ in containers, where a Docker daemon answers and the images can be had."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from typing import Any

POSTGRES_IMAGE = "postgres:18"
RABBITMQ_IMAGE = "rabbitmq:4"


def is_available() -> bool:
    """Return whether a Docker daemon answers."""
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


@dataclass
class Container:
    """A running container and the URL of the server in it."""

    container: Any
    url: str
    version: str

    def stop(self) -> None:
        """Remove the container."""
        self.container.stop()


def rabbitmq(vhosts: list[str]) -> Container:
    """Start RabbitMQ with some vhosts; raises what testcontainers raises when the image cannot be had."""
    # The reaper's own image may not be had where only these two are mirrored; we stop what we start.
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.rabbitmq import RabbitMqContainer  # noqa: PLC0415 - heavy, and only for this provider

    started = RabbitMqContainer(RABBITMQ_IMAGE)
    started.start()
    script = " && ".join(
        f"rabbitmqctl add_vhost {name} && rabbitmqctl set_permissions -p {name} guest '.*' '.*' '.*'" for name in vhosts
    )
    started.exec(["sh", "-c", script])
    host, port = started.get_container_host_ip(), started.get_exposed_port(5672)
    return Container(started, f"amqp://guest:guest@{host}:{port}/", RABBITMQ_IMAGE)


def postgres() -> Container:
    """Start PostgreSQL; raises what testcontainers raises when the image cannot be had."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - heavy, and only for this provider

    started = PostgresContainer(POSTGRES_IMAGE, driver=None).with_command(
        "postgres -c max_connections=300 -c fsync=off"
    )
    started.start()
    return Container(started, started.get_connection_url(), POSTGRES_IMAGE)
