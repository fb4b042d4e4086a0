"""What a replay did so far, and how it speaks to the terminal."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What a replay did."""

    clients: dict[str, str] = field(default_factory=dict)
    contracts: dict[str, str] = field(default_factory=dict)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    tickets_created: int = 0
    updates_accepted: int = 0
    already_known: int = 0
    seconds: float = 0.0


def say(line: str) -> None:
    """Print a line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def progress(done: int, total: int, what: str, started: float, *, step: int = 1) -> None:
    """Draw a progress bar; on a pipe, a line at every tenth."""
    width = 30
    filled = width * done // max(total, 1)
    rate = done / max(time.monotonic() - started, 0.001)
    line = f"  [{'#' * filled}{'.' * (width - filled)}] {done}/{total} {what}, {rate:.0f}/s"
    if sys.stdout.isatty():
        sys.stdout.write("\r" + line + ("\n" if done >= total else ""))
        sys.stdout.flush()
    elif done >= total or (10 * done // max(total, 1)) != (10 * max(done - step, 0) // max(total, 1)):
        say(line)
