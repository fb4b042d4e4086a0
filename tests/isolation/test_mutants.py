"""Whether the matrix would notice: each mutant takes one guard away, and some attempt must then get through."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from cast import sign_in_anew
from matrix import Cell, Report, Stage, cells, run
from mutants import CANARY_MUTANTS, MUTANTS

CELLS = 250
"""Attempts per mutant, spread over all operations."""


def harmless(one: Cell) -> bool:
    """Return whether an attempt changes nothing even when it gets through: it reads, or says too little to be acted on."""
    if one.family == "csrf" and one.method == "DELETE" and "session" in one.operation:
        # It would end the session that all others are tried with.
        return False
    return one.method == "GET" or one.family in ("direct", "csrf", "read only", "step-up", "mass assignment")


@pytest.fixture(scope="module", autouse=True)
async def _whole_again(stage: Stage) -> AsyncIterator[None]:
    yield
    await sign_in_anew(stage.n, stage.actors)


@pytest.fixture(scope="module")
async def _signed_in(stage: Stage) -> None:
    """Ended sessions are no wall: what got through before, as it may without a guard, can have ended some."""
    await sign_in_anew(stage.n, stage.actors)


@pytest.mark.parametrize("name", MUTANTS)
async def test_a_guard_taken_away_is_noticed(stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    families, mutate = MUTANTS[name]
    wanted = [one for one in cells(stage.n, stage.actors, stage.operations) if one.family in families and harmless(one)]

    async with mutate(stage, monkeypatch):
        report = await run(stage.n, wanted[:: max(1, len(wanted) // CELLS)])
    stage.n.app.state.visitors.forget_all()

    caught(stage, name, report)


@pytest.mark.usefixtures("_signed_in")
@pytest.mark.parametrize("name", CANARY_MUTANTS)
async def test_a_newer_guard_taken_away_is_noticed(stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family, check, mutate = CANARY_MUTANTS[name]

    async with mutate(stage, monkeypatch):
        report = await check(stage)

    # Without the mutant nothing fails: the tests of the canaries show it.
    caught(stage, name, report)
    assert {found["family"] for found in report.failures} == {family}


def caught(stage: Stage, name: str, report: Report) -> None:
    """Note which attempt got through first.

    Raises:
        AssertionError: none did.
    """
    assert report.failures, "no attempt got through: what this guard protects is not tried"
    first = min(report.failures, key=lambda found: (found["family"], found["actor"], found["operation"]))
    stage.caught[name] = f"{first['family']}: {first['actor']}, {first['operation']}"
