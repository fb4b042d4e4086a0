"""The whole platform on one machine: servers, databases, topology, five services. Used by run, tests and benchmarks."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import os
import secrets
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msp_kit import identity, topology
from msp_kit.provisioning import DatabaseUrls, provision
from msp_local.servers.postgres import Postgres
from msp_local.servers.processes import ServerFailed, free_ports
from msp_local.servers.rabbitmq import RabbitMQ
from msp_local.services import GATEWAY, SERVICES, LocalService, environment
from msp_local.supervisor import Supervised, Supervisor

VHOST = "msp"
ADMIN_EMAIL = "admin@meridian.example"


class Platform:
    """Everything between a folder and a gateway that is ready."""

    def __init__(
        self,
        folder: Path,
        *,
        postgres: Postgres | None,
        broker: RabbitMQ | None,
        postgres_url: str = "",
        amqp_url: str = "",
        port: int | None = None,
        say: Callable[[str], None] = lambda _: None,
        splits_processes: bool = False,
        otlp_endpoint: str = "",
    ) -> None:
        self.folder = folder
        self.postgres = postgres
        self.broker = broker
        self.postgres_url = postgres.url if postgres else postgres_url
        self.amqp_url = broker.url(VHOST) if broker else amqp_url
        self.say = say
        self.splits_processes = splits_processes
        """Run api and worker of each service apart, as on Kubernetes."""
        self.otlp_endpoint = otlp_endpoint or os.environ.get("MSP_OTLP_ENDPOINT", "")
        """Where the services send their traces; nowhere when empty."""
        self.secrets = self._secrets()
        gateway, *others = [port or free_ports(1)[0], *free_ports(len(SERVICES) - 1)]
        names = [service.name for service in SERVICES if service.name != GATEWAY]
        self.ports = {GATEWAY: gateway, **dict(zip(names, others, strict=True))}
        self.databases: dict[str, DatabaseUrls] = {}
        self.supervisor = Supervisor(say)
        (folder / "logs").mkdir(parents=True, exist_ok=True)

    @property
    def url(self) -> str:
        """Return the gateway's address."""
        return f"http://127.0.0.1:{self.ports[GATEWAY]}"

    @property
    def admin_password(self) -> str:
        """Return the password of the first administrator."""
        password: str = self.secrets["admin_password"]
        return password

    def prepare(self) -> None:
        """Make databases, roles, shapes and topology; any number of times."""
        asyncio.run(self._provision())
        self.say("databases and roles are there")
        with concurrent.futures.ThreadPoolExecutor(len(SERVICES)) as pool:
            list(pool.map(lambda service: self.command(service.name, "migrate"), SERVICES))
        self.say("migrations are done")
        asyncio.run(topology.declare(self.amqp_url))
        self.say("exchanges and queues are declared")

    def start(self) -> None:
        """Start the five services."""
        for service in SERVICES:
            commands = ("api", "worker") if self.splits_processes else ("serve",)
            for command in commands:
                name = service.name if command != "worker" else f"{service.name}-worker"
                env = self.environment(service)
                if command == "worker":
                    env["MSP_HTTP_PORT"] = str(free_ports(1)[0])
                log = self.folder / "logs" / f"{name}.log"
                self.supervisor.add(Supervised(name, [service.module, command], env=env, log=log))

    def wait_until_ready(self, *, seconds: float = 90) -> None:
        """Return when every service says it is ready.

        Raises:
            ServerFailed: one did not become ready in time; with the end of its log.
        """
        deadline = time.monotonic() + seconds
        for service in SERVICES:
            while not is_ready(f"http://127.0.0.1:{self.ports[service.name]}"):
                self.supervisor.watch()
                if time.monotonic() > deadline:
                    log = self.folder / "logs" / f"{service.name}.log"
                    raise ServerFailed(f"{service.name} is not ready:\n{log.read_text(errors='replace')[-2500:]}")
                time.sleep(0.1)

    def create_admin(self) -> None:
        """Make the first person, who can invite all others; nothing happens when it is there."""
        self.command(
            GATEWAY,
            *("create-person", "--email", ADMIN_EMAIL, "--name", "Ada Okafor", "--role", "admin", "--password-stdin"),
            stdin=self.admin_password,
        )

    def command(self, name: str, *arguments: str, stdin: str = "") -> str:
        """Run ``python -m <service> …`` and return what it says.

        Raises:
            ServerFailed: it failed; with the end of what it said.
        """
        service = next(one for one in SERVICES if one.name == name)
        done = subprocess.run(
            [sys.executable, "-m", service.module, *arguments],
            env=self.environment(service),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = (done.stdout + done.stderr)[-3000:]
            raise ServerFailed(f"python -m {service.module} {' '.join(arguments[:1])} failed:\n{said}")
        return done.stdout

    def process_ids(self) -> dict[str, int]:
        """Return the process of each service that runs."""
        return {name: one.process.pid for name, one in self.supervisor.supervised.items() if one.process is not None}

    def stop(self) -> None:
        """Stop services, then servers."""
        self.supervisor.stop()
        if self.broker is not None:
            self.broker.stop()
        if self.postgres is not None:
            self.postgres.stop()

    def environment(self, service: LocalService) -> dict[str, str]:
        """Return the environment of a service's process."""
        amqp_url = self.broker.url(VHOST, service=service.name) if self.broker else self.amqp_url
        made = environment(
            service,
            database=self.databases[service.name],
            amqp_url=amqp_url,
            ports=self.ports,
            private_key=self.secrets["identity_key"],
            otlp_endpoint=self.otlp_endpoint,
        )
        return {**made, "MSP_ATTACHMENTS_URL": (self.folder.resolve() / "attachments").as_uri()}

    async def _provision(self) -> None:
        for service in SERVICES:
            self.databases[service.name] = await provision(
                self.postgres_url,
                database=service.database,
                owner_password=self.secrets["owner_password"],
                app_password=self.secrets["app_password"],
            )

    def _secrets(self) -> dict[str, Any]:
        path = self.folder / "secrets.json"
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
            made = {name: secrets.token_urlsafe(16) for name in ("owner_password", "app_password", "admin_password")}
            path.write_text(json.dumps({**made, "identity_key": identity.new_key()}))
        found: dict[str, Any] = json.loads(path.read_text())
        return found


def is_ready(url: str) -> bool:
    """Return whether a service's ``/readyz`` is green."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=3) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
