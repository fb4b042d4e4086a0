"""``make bench``: everything that is measured, with its floor or peer, printed and kept in ``benchmarks/results``."""

from __future__ import annotations

import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import (
    assignment,
    billing,
    entries,
    gateway,
    kernel,
    ledger,
    mix,
    pages,
    queue,
    replay,
    sla,
    streams,
    timing,
)

BENCHES: dict[str, Any] = {
    one.__name__.rpartition(".")[2]: one
    for one in (kernel, entries, replay, sla, ledger, assignment, queue, billing, gateway, streams, mix, pages, timing)
}
RESULTS = Path(__file__).parent / "results"


def main() -> int:
    """Run the named benchmarks (``billing:20000`` gives a size), or all; the exit code is 0 whatever they show: a missed goal is a fact to be read."""
    wanted = sys.argv[1:] or list(BENCHES)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "on": f"{datetime.now(UTC):%Y-%m-%d}"}
    RESULTS.mkdir(exist_ok=True)
    for asked in wanted:
        name, _, size = asked.partition(":")
        found = BENCHES[name].run(int(size)) if size else BENCHES[name].run()
        goals = BENCHES[name].goals(found)
        kept = {
            "machine": machine,
            "results": found,
            "goals": [{"goal": goal, "is_reached": bool(ok)} for goal, ok in goals],
        }
        (RESULTS / f"{name}.json").write_text(json.dumps(kept, indent=2) + "\n")
        sys.stdout.write(f"{name}\n{json.dumps(found, indent=2)}\n")
        for goal, is_reached in goals:
            sys.stdout.write(f"  {'reached' if is_reached else 'MISSED '}  {goal}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
