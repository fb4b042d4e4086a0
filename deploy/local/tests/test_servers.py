"""Servers and commands as a stranger's machine meets them: real processes, ended in unfriendly ways."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from msp_local.servers import debian
from msp_local.servers.postgres import Postgres
from msp_local.servers.processes import ServerFailed, free_ports, is_listening, spawn, stop, wait_until
from msp_local.supervisor import Supervised, Supervisor

ROOT = Path(__file__).parents[3]


def own_environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("MSP_")} | more


def eventually(condition: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.05)
    return bool(condition())


def test_throwaway_servers_die_with_whoever_started_them(tmp_path: Path) -> None:
    told = tmp_path / "told"
    script = f"echo $MSP_POSTGRES_URL $MSP_AMQP_URL > {told}.part; mv {told}.part {told}; sleep 600"
    parent = subprocess.Popen(
        [sys.executable, "-m", "msp_local", "with-servers", "sh", "-c", script],
        env=own_environment(),
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert eventually(told.exists, 120), "no servers were told"
        ports = [int(one) for one in re.findall(r"127\.0\.0\.1:(\d+)", told.read_text())]
        assert len(ports) == 2
        assert all(is_listening(port) for port in ports)
    finally:
        parent.kill()
        parent.wait()

    assert eventually(lambda: not any(is_listening(port) for port in ports)), "a server outlived its parent"
    os.killpg(parent.pid, signal.SIGKILL)  # the program itself has to see to its own end


def test_a_server_that_cannot_be_fetched_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(ServerFailed, match="install rabbitmq-server"):
        debian.unpack("rabbitmq-server", into=tmp_path / "in", cache=tmp_path / "cache")


def test_a_server_that_ends_at_once_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    log = tmp_path / "broken.log"
    process = spawn(["sh", "-c", "echo no room on the disk; exit 3"], log=log, env={"PATH": "/bin:/usr/bin"})

    with pytest.raises(ServerFailed, match=r"(?s)broken did not start.*no room on the disk"):
        wait_until(lambda: False, process, log=log, seconds=10)


def test_a_taken_port_is_refused_with_the_way_out() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        done = subprocess.run(
            [sys.executable, "-m", "msp_local", "run"],
            env=own_environment(MSP_PORT=str(port)),
            capture_output=True,
            text=True,
            check=False,
        )

    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    assert "MSP_PORT=" in done.stderr


def test_a_log_that_is_none_is_refused_before_anything_is_sent(tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")

    done = subprocess.run(
        [sys.executable, "-m", "msp_local", "replay", str(tmp_path / "other.csv"), "--url", "http://127.0.0.1:9"],
        env=own_environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 2
    assert "columns number, incident_state" in done.stderr


def test_setup_does_nothing_when_nothing_changed() -> None:
    done = subprocess.run([ROOT / "deploy/local/setup.sh"], capture_output=True, text=True, check=True)

    assert done.stdout + done.stderr == ""


def test_ports_given_at_once_differ() -> None:
    assert len(set(free_ports(50))) == 50


def test_a_process_that_dies_is_started_again_and_waits_longer_each_time(tmp_path: Path) -> None:
    (tmp_path / "dies.py").write_text("import sys; print('born', flush=True); sys.exit(7)")
    said: list[str] = []
    supervisor = Supervisor(said.append)
    log = tmp_path / "dies.log"
    one = Supervised("dies", ["dies"], env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]}, log=log)
    supervisor.add(one)
    try:
        started = time.monotonic()
        while one.starts < 3 and time.monotonic() - started < 30:
            supervisor.watch()
            time.sleep(0.02)
        waited = time.monotonic() - started
    finally:
        supervisor.stop()

    assert one.starts == 3
    assert waited >= 0.5 + 1.0, "the second wait is longer than the first"
    assert all("dies ended with 7" in line for line in said)
    assert log.read_text().count("born") >= 2


def test_a_process_that_will_not_end_is_killed(tmp_path: Path) -> None:
    log = tmp_path / "stubborn.log"
    process = spawn(
        [
            sys.executable,
            "-c",
            "import signal,time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)",
        ],
        log=log,
        env={"PATH": os.environ["PATH"]},
    )
    wait_until(lambda: "up" in log.read_text(), process, log=log, seconds=20)

    stop(process, signals=(signal.SIGTERM,), seconds=0.5)

    assert process.returncode == -signal.SIGKILL


@pytest.fixture
def kept_postgres() -> Iterator[Postgres]:
    """A cluster in a folder that ``nobody`` may enter, as the tests' own temporary folders may not be."""
    folder = Path(tempfile.mkdtemp(prefix="effigate-postgres-"))
    folder.chmod(0o755)
    server = Postgres(folder / "postgres", is_kept=True)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


async def test_a_killed_postgresql_leaves_nobody_on_its_data_and_starts_again(kept_postgres: Postgres) -> None:
    busy = [await asyncpg.connect(kept_postgres.url) for _ in range(20)]
    await busy[0].execute("CREATE TABLE kept AS SELECT 1 AS one")
    working = [asyncio.ensure_future(one.execute("SELECT pg_sleep(60)")) for one in busy]
    await asyncio.sleep(0)

    await asyncio.to_thread(kept_postgres.kill)
    await asyncio.to_thread(kept_postgres.start)

    assert all(isinstance(error, Exception) for error in await asyncio.gather(*working, return_exceptions=True))
    again = await asyncpg.connect(kept_postgres.url)
    assert await again.fetchval("SELECT one FROM kept") == 1
    await again.close()


def test_two_postgresql_never_share_their_data(kept_postgres: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("msp_local.servers.postgres.LEFTOVER_SECONDS_MAX", 0.2)
    second = Postgres(kept_postgres.folder, is_kept=True)

    with pytest.raises(ServerFailed, match="another PostgreSQL"):
        second.start()
