"""Bringing in the history of another system: rows a second until the ledger has every minute, and peak memory.

The log is made here, of the form and with the noise of a real one. A second, larger one follows on the same platform, so
that memory can be seen next to the amount of data.
"""

from __future__ import annotations

import asyncio
import csv
import io
import random
import resource
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.platform import fresh_platform
from msp_local.api import Api
from msp_local.replay import log as incident_log
from msp_local.replay.run import bring_in
from msp_local.stack import ADMIN_EMAIL, Platform

SIZES = (500, 2000)
LOCATIONS = 30
STATES = ("New", "Active", "Active", "Awaiting User Info", "Active", "Resolved", "Closed")


def run() -> dict[str, Any]:
    """Import a small log, then a larger one, and return rate and memory of each."""
    with fresh_platform(vhost=2) as platform:
        return {f"{size} incidents": asyncio.run(_import(platform, size)) for size in SIZES}


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return what has to hold: memory does not follow the amount of data."""
    small, large = (found[f"{size} incidents"]["peak_mb"] for size in SIZES)
    grown = {name: round(large[name] / small[name], 2) for name in small}
    return [(f"replay: no process doubles its memory with four times the data ({grown})", max(grown.values()) < 2)]


async def _import(platform: Platform, size: int) -> dict[str, Any]:
    found = incident_log.parse(_rows(size))
    async with Api(platform.url, email=ADMIN_EMAIL, password=platform.admin_password) as api:
        outcome = await bring_in(api, found)
    assert outcome.updates_accepted > 0, "the platform took nothing"
    return {
        "rows": found.row_count,
        "refused": len(found.refusals) + len(outcome.refused),
        "rows_per_second": round(found.row_count / outcome.seconds, 1),
        "peak_mb": {
            **{name: _peak_mb(pid) for name, pid in platform.process_ids().items()},
            "importer": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        },
    }


def _peak_mb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) // 1024
    raise AssertionError(f"process {pid} tells no peak memory")


def _rows(size: int) -> Iterator[str]:
    """Make the lines of a log; the same size gives the same lines."""
    made = random.Random(size)
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=(*incident_log.REQUIRED, "made_sla"), restval="?")
    writer.writeheader()
    for number in range(size):
        at = datetime(2026, 3, 1) + timedelta(minutes=made.randrange(60 * 24 * 60))
        incident = {
            "number": f"INC{size:05}{number:05}",
            "reassignment_count": str(made.choice((0, 0, 0, 1, 4))),
            "caller_id": f"Caller {made.randrange(500)}",
            "opened_at": f"{at:%d/%m/%Y %H:%M}",
            "location": f"Location {made.randrange(LOCATIONS)}",
            "category": f"Category {made.randrange(8)}",
            "priority": made.choice(("1 - Critical", "2 - High", "3 - Moderate", "3 - Moderate", "4 - Low")),
            "assignment_group": f"Group {made.randrange(6)}",
            "assigned_to": made.choice(("?", f"Resolver {made.randrange(20)}")),
        }
        for count, state in enumerate(STATES):
            at += timedelta(minutes=made.randrange(5, 600))
            noisy = "-100" if made.random() < 0.001 else state
            writer.writerow(
                {
                    **incident,
                    "incident_state": noisy,
                    "sys_mod_count": str(count),
                    "sys_updated_by": f"Updater {made.randrange(20)}",
                    "sys_updated_at": f"{at:%d/%m/%Y %H:%M}",
                }
            )
    yield from out.getvalue().splitlines(keepends=True)
