"""PostgreSQL and RabbitMQ in containers, where a Docker daemon answers and the images can be had."""

from __future__ import annotations

import os
import secrets
import subprocess
import time
from collections.abc import Callable
from typing import Any

from msp_local.servers.processes import ServerFailed
from msp_local.servers.rabbitmq import answers

POSTGRES_IMAGE = "postgres:18"
RABBITMQ_IMAGE = "rabbitmq:4"


def is_available() -> bool:
    """Return whether a Docker daemon answers."""
    try:
        asked = subprocess.run(["docker", "info"], capture_output=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


class Container:
    """A running container and the URL of the server in it; it is removed when this process ends, however it ends."""

    def __init__(self, container: Any, *, url: str, version: str) -> None:
        self.url = url
        self.version = version
        # The reaper of testcontainers is one more image, which may not be had where only these two are mirrored. The
        # pipe of this shell closes when we die.
        name = container.get_wrapped_container().id
        self._reaper = subprocess.Popen(
            ["sh", "-c", f"cat; docker rm --force --volumes {name}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def stop(self) -> None:
        """Remove the container."""
        assert self._reaper.stdin is not None
        self._reaper.stdin.close()
        self._reaper.wait()


def rabbitmq(vhosts: list[str]) -> Container:
    """Start RabbitMQ with some vhosts; raises what testcontainers raises when the image cannot be had."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - heavy, and only for this provider

    # Not the module testcontainers has for RabbitMQ: it wants a second AMQP library.
    password = secrets.token_urlsafe(16)
    started = DockerContainer(RABBITMQ_IMAGE).with_exposed_ports(5672)
    started.with_env("RABBITMQ_DEFAULT_USER", "admin").with_env("RABBITMQ_DEFAULT_PASS", password)
    started.start()
    host, port = started.get_container_host_ip(), int(started.get_exposed_port(5672))
    made = Container(started, url=f"amqp://admin:{password}@{host}:{port}/", version=RABBITMQ_IMAGE)
    try:
        _wait(lambda: answers(host, port), "RabbitMQ")
        script = " && ".join(
            f"rabbitmqctl -q add_vhost {name} && rabbitmqctl -q set_permissions -p {name} admin '.*' '.*' '.*'"
            for name in vhosts
        )
        code, said = started.exec(["sh", "-c", script])
        if code:
            raise ServerFailed(f"RabbitMQ in a container takes no vhosts: {said.decode(errors='replace')[-600:]}")
    except BaseException:
        made.stop()
        raise
    return made


def _wait(condition: Callable[[], bool], name: str, *, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ServerFailed(f"{name} in a container did not answer within {seconds:.0f} s")
        time.sleep(0.2)


def postgres() -> Container:
    """Start PostgreSQL; raises what testcontainers raises when the image cannot be had."""
    os.environ.setdefault("TESTCONTAINERS_RYUK_DISABLED", "true")
    from testcontainers.postgres import PostgresContainer  # noqa: PLC0415 - heavy, and only for this provider

    started = PostgresContainer(POSTGRES_IMAGE, driver=None).with_command(
        "postgres -c max_connections=300 -c fsync=off"
    )
    started.start()
    return Container(started, url=started.get_connection_url(), version=POSTGRES_IMAGE)
