"""``make run``: from nothing to a platform with demo data, and back on Ctrl-C."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import shutil
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from msp_local.servers import rabbitmq
from msp_local.servers.postgres import Postgres
from msp_local.servers.processes import ServerFailed, is_listening
from msp_local.servers.throwaway import cache_folder
from msp_local.services import SERVICES
from msp_local.stack import ADMIN_EMAIL, VHOST, Platform

ROOT = Path(__file__).resolve().parents[4]
STATE = ROOT / ".state"
_started_at = time.monotonic()


def say(line: str) -> None:
    """Print a line of progress with the seconds since the start."""
    sys.stdout.write(f"[{time.monotonic() - _started_at:6.1f} s] {line}\n")
    sys.stdout.flush()


class Stopped(Exception):
    """Somebody asked to stop."""


def postgres_folder() -> Path:
    """Return where the cluster lives: under ``.state``, or, for root, where "nobody" can enter."""
    if os.geteuid() != 0:
        return STATE / "postgres"
    return Path("/var/tmp") / f"effigate-{hashlib.sha256(str(ROOT).encode()).hexdigest()[:12]}"


def clean() -> int:
    """Remove the platform's data."""
    shutil.rmtree(STATE, ignore_errors=True)
    shutil.rmtree(postgres_folder(), ignore_errors=True)
    say("data removed")
    return 0


def run() -> int:
    """Start everything, stay until asked to stop, and stop everything."""
    port = int(os.environ.get("MSP_PORT", "8000"))
    if is_listening(port):
        sys.stderr.write(f"port {port} is taken; choose another: MSP_PORT=8100 make run\n")
        return 1
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, _stop)
    STATE.mkdir(mode=0o700, exist_ok=True)
    try:
        with _servers() as (postgres, broker):
            platform = Platform(
                STATE,
                postgres=postgres,
                broker=broker,
                postgres_url=os.environ.get("MSP_POSTGRES_URL", ""),
                amqp_url=os.environ.get("MSP_AMQP_URL", ""),
                port=port,
                say=say,
            )
            try:
                _up(platform)
                while True:
                    time.sleep(0.5)
                    platform.supervisor.watch()
            finally:
                say("stopping the services")
                platform.supervisor.stop()
    except (Stopped, KeyboardInterrupt):
        say("stopped; the data is kept, `make clean` removes it")
        return 0


def _up(platform: Platform) -> None:
    platform.prepare()
    platform.create_admin()
    platform.start()
    say("five services are starting")
    platform.wait_until_ready()
    say("the gateway is ready")
    from msp_local import demo  # noqa: PLC0415 - needs an HTTP client, which the other commands do without

    people = asyncio.run(demo.seed(platform.url, email=ADMIN_EMAIL, password=platform.admin_password, say=say))
    lines = [f"  {who:28} {email:36} {password}" for who, email, password in people]
    say(
        f"ready: {platform.url}\n\n  sign in as{'':18} e-mail{'':30} password\n"
        + "\n".join(lines)
        + "\n\nCtrl-C stops it."
    )


@contextlib.contextmanager
def _servers() -> Iterator[tuple[Postgres | None, rabbitmq.RabbitMQ | None]]:
    """Give the servers that keep their data; those of the environment are used as they are."""
    with contextlib.ExitStack() as stack:
        broker = postgres = None
        if "MSP_AMQP_URL" not in os.environ:
            prefix = rabbitmq.installed() or rabbitmq.unpacked(cache_folder())
            broker = rabbitmq.RabbitMQ(
                STATE / "rabbitmq", prefix=prefix, vhosts=[VHOST], services=[service.name for service in SERVICES]
            )
            stack.callback(broker.stop)
            broker.start()
        if "MSP_POSTGRES_URL" not in os.environ:
            postgres = Postgres(postgres_folder(), is_kept=True)
            stack.callback(postgres.stop)
            postgres.start()
            say(f"{postgres.version} is ready")
        if broker is not None:
            broker.wait()
            say(f"{broker.version} is ready")
        yield postgres, broker


def _stop(*_: object) -> None:
    # A second signal ends at once: every child dies with us.
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, signal.SIG_DFL)
    raise Stopped


__all__ = ["ServerFailed", "clean", "run"]
