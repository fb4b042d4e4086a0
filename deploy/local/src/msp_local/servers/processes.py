"""Children that do not outlive us, and ports that are free."""

from __future__ import annotations

import contextlib
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)


class ServerFailed(Exception):
    """A server could not be started; ``str`` says why and what to install."""


def free_ports(count: int) -> list[int]:
    """Return ports of the loopback interface nobody listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


def is_listening(port: int) -> bool:
    """Return whether somebody listens on a loopback port."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.5):
        return True
    return False


def unprivileged() -> dict[str, Any]:
    """Return the ``subprocess`` arguments that step down from root; PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def spawn(
    command: Sequence[str | Path],
    *,
    log: Path,
    env: Mapping[str, str],
    cwd: str | Path = "/",
    death_signal: signal.Signals = signal.SIGKILL,
    **more: Any,
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own that gets ``death_signal`` when this process dies, however it dies."""

    def die_with_parent() -> None:
        _libc.prctl(_PR_SET_PDEATHSIG, int(death_signal))

    with log.open("ab") as out:
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(env),
            cwd=cwd,
            start_new_session=True,
            preexec_fn=die_with_parent,
            **more,
        )


def stop(process: subprocess.Popen[bytes] | None, *, signals: Sequence[signal.Signals], seconds: float = 10) -> None:
    """End a process, politely first."""
    if process is None:
        return
    for one in (*signals, signal.SIGKILL):
        if process.poll() is not None:
            return
        process.send_signal(one)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes], *, log: Path, seconds: float) -> None:
    """Wait for a server to be ready.

    Raises:
        ServerFailed: it ended, or it took too long; with the end of its log.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if process.poll() is not None or time.monotonic() > deadline:
            tail = log.read_text(errors="replace")[-1500:]
            raise ServerFailed(f"{log.stem} did not start:\n{tail}")
        time.sleep(0.03)
