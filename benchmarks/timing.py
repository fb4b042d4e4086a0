"""Whether the time an answer takes tells that something of another client exists: a foreign id against one nobody has.

``make bench args="timing:200"`` asks two hundred times each, in random order (100 where no number is given). That both send the same
statements is a test (``tests/isolation/test_timing.py``); this looks at what is left: caches, indexes, what a row costs that a policy hides.
"""

from __future__ import annotations

import itertools
import math
import random
import statistics
import time
from typing import Any

import aiohttp
import uvloop

from benchmarks.mix import Desk, people
from benchmarks.platform import fresh_platform
from msp_kernel.ids import new_id
from msp_local.stack import Platform

SAMPLES = 100
P_MIN = 0.01
MS_MAX, RATIO_MAX = 5.0, 1.1


def run(samples: int = SAMPLES) -> dict[str, Any]:
    """Measure so many samples of each kind at each address."""
    with fresh_platform() as platform:
        return uvloop.run(_measured(platform, samples))


def goals(found: dict[str, Any]) -> list[tuple[str, bool]]:
    """Return each goal in words and whether it was reached."""
    return [
        (
            f"{name}: medians within {MS_MAX:g} ms or 10 % ({one['foreign_ms']} and {one['missing_ms']} ms, p = {one['p']})",
            abs(one["foreign_ms"] - one["missing_ms"]) <= MS_MAX or 1 / RATIO_MAX <= one["ratio"] <= RATIO_MAX,
        )
        for name, one in found["addresses"].items()
    ] + [
        (
            f"the two cannot be told apart (p > {P_MIN} over {len(found['addresses'])} addresses)",
            all(one["p"] > P_MIN / len(found["addresses"]) for one in found["addresses"].values()),
        )
    ]


def addresses(theirs: Desk) -> dict[str, tuple[str, str]]:
    """Return what is asked for: the address of something of another client, and of the same thing nobody has."""
    nothing, code = str(new_id()), f"{theirs.ref[0]}{''.join(random.choices('BCDFGHJK', k=4))}"
    return {
        "ticket by id": (f"/api/v1/tickets/{theirs.ticket_id}", f"/api/v1/tickets/{nothing}"),
        "ticket by ref": (f"/api/v1/tickets/{theirs.ref}", f"/api/v1/tickets/{code}-{theirs.ref.rpartition('-')[2]}"),
        "contract": (f"/api/v1/contracts/{theirs.contract_id}", f"/api/v1/contracts/{nothing}"),
        "balance": (f"/api/v1/contracts/{theirs.contract_id}/balance", f"/api/v1/contracts/{nothing}/balance"),
    }


async def _measured(platform: Platform, samples: int) -> dict[str, Any]:
    desks, _ = await people(platform)
    took: dict[str, tuple[list[float], list[float]]] = {name: ([], []) for name in addresses(desks[0])}
    async with aiohttp.ClientSession() as session:
        pairs = itertools.cycle(zip(desks, [*desks[1:], desks[0]], strict=True))
        for turn in range(samples + 5):
            asker, theirs = next(pairs)
            wanted = [(name, kind, url) for name, urls in addresses(theirs).items() for kind, url in enumerate(urls)]
            random.shuffle(wanted)
            for name, kind, url in wanted:
                started = time.perf_counter()
                headers = {"authorization": f"Bearer {asker.token}"}
                async with session.get(platform.url + url, headers=headers) as answer:
                    text = await answer.text()
                    assert answer.status == 404, f"{url}: {answer.status} {text}"
                # The first turns warm everything up.
                if turn >= 5:
                    took[name][kind].append(1000 * (time.perf_counter() - started))
    return {"samples": samples, "addresses": {name: _compared(*times) for name, times in took.items()}}


def _compared(foreign: list[float], missing: list[float]) -> dict[str, float]:
    one, other = statistics.median(foreign), statistics.median(missing)
    return {
        "foreign_ms": round(one, 2),
        "missing_ms": round(other, 2),
        "ratio": round(one / other, 3),
        "p": round(mann_whitney(foreign, missing), 4),
    }


def mann_whitney(one: list[float], other: list[float]) -> float:
    """Return how likely two samples at least this different are, when both come from one distribution."""
    ranks = {
        place: rank for rank, (_, place) in enumerate(sorted((v, i) for i, v in enumerate([*one, *other])), start=1)
    }
    n, m = len(one), len(other)
    u = sum(ranks[place] for place in range(n)) - n * (n + 1) / 2
    z = (u - n * m / 2) / math.sqrt(n * m * (n + m + 1) / 12)
    return math.erfc(abs(z) / math.sqrt(2))
