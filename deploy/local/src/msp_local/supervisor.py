"""Five processes under one supervisor: started, watched, started again when they die, stopped together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from msp_local.servers.processes import spawn, stop

RESTART_SECONDS_MAX = 10.0
STEADY_SECONDS = 30.0


class Supervised:
    """One service process that should run."""

    def __init__(self, name: str, arguments: list[str], *, env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.arguments = arguments
        self.env = env
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.starts = 0
        self._started_at = 0.0
        self._delay_seconds = 0.5

    def start(self) -> None:
        """Start the process now."""
        self.starts += 1
        self._started_at = time.monotonic()
        self.process = spawn(
            [sys.executable, "-m", *self.arguments], log=self.log, env=self.env, death_signal=signal.SIGTERM
        )

    def is_running(self) -> bool:
        """Return whether the process runs now."""
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """Kill the process as a crash would."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """Ask the process to drain, and wait for its end."""
        stop(self.process, signals=(signal.SIGTERM,), seconds=20)
        self.process = None

    def is_due(self) -> bool:
        """Return whether a dead process should be started again; it waits longer each time it dies young."""
        if self.is_running():
            return False
        lived_seconds = time.monotonic() - self._started_at
        if lived_seconds > STEADY_SECONDS:
            self._delay_seconds = 0.5
        if lived_seconds < self._delay_seconds:
            return False
        self._delay_seconds = min(self._delay_seconds * 2, RESTART_SECONDS_MAX)
        return True


class Supervisor:
    """Keeps a set of processes running."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.supervised: dict[str, Supervised] = {}

    def add(self, one: Supervised) -> None:
        """Start a process and keep it running from now on."""
        self.supervised[one.name] = one
        one.start()

    def watch(self) -> None:
        """Start again what has died; called now and then."""
        for one in self.supervised.values():
            if one.is_due():
                code = one.process.returncode if one.process else None
                self.say(f"{one.name} ended with {code}, starting it again (log: {one.log})")
                one.start()

    def stop(self) -> None:
        """Stop all processes side by side: everybody is asked first, then everybody is waited for."""
        for one in self.supervised.values():
            if one.process is not None and one.is_running():
                one.process.send_signal(signal.SIGTERM)
        for one in self.supervised.values():
            one.stop()
