"""Grant, log, approve, reject, void, edit, repeat, reorder, expire, roll over, adjust, close, reopen: in any order.

After every step the database has what a ledger done by hand would have, and its proof holds; at the end the same facts
in another order, told to another contract, give the same balances, splits and prices.
"""

from __future__ import annotations

import random
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_by_hand import Model, ModelLot
from ledger_sides import Side, World, on

from contracts.domain.contract import AmendmentTooEarly
from contracts.domain.entry import Decision, TimeEntry
from contracts.domain.rounding import Rounding
from contracts.testing import START, an_entry
from msp_kernel.ids import new_id

WEIGHTS = [{"level": "L2", "job_type": None, "condition": None, "percent": 200}]
POLICIES = ("overage", "next_lot", "needs_approval", "reject")
ROUNDINGS = (
    Rounding(),
    Rounding(15),
    Rounding(15, 20),
    Rounding(10, 0, "nearest"),
    Rounding(15, level="ticket_day"),
    Rounding(10, 25, "nearest", "ticket_day"),
)
TICKETS = [new_id() for _ in range(2)]
DAYS = st.integers(0, 6)
# Mostly the first two days, so that entries meet on a lot, on a ticket and day, and behind a close.
QUARTERS = st.one_of(st.integers(0, 4 * 24 * 2), st.integers(0, 4 * 24 * 7))
MINUTES = st.integers(1, 240)
WORK = st.tuples(MINUTES, QUARTERS, st.sampled_from(TICKETS))


def some_work(work: tuple[int, int, UUID], **more: Any) -> TimeEntry:
    minutes, quarter, ticket_id = work
    return an_entry(minutes, START + timedelta(minutes=15 * quarter), ticket_id=ticket_id, **more)


class Ledger(RuleBasedStateMachine):
    """A contract, its model, and a list of everything that happened to it."""

    world: World

    @initialize(
        minutes=st.integers(1, 600),
        ends=st.one_of(st.none(), st.integers(1, 5)),
        policy=st.sampled_from(POLICIES),
        rounding=st.sampled_from(ROUNDINGS),
        rollover=st.one_of(st.none(), st.tuples(st.sampled_from([100, 50, 33]), st.sampled_from([None, 90]))),
        burns=st.sampled_from(["first", "last"]),
    )
    def begin(
        self,
        minutes: int,
        ends: int | None,
        policy: str,
        rounding: Rounding,
        rollover: tuple[int, int | None] | None,
        burns: str,
    ) -> None:
        percent, cap = rollover or (0, None)
        self.terms = {
            "minutes": minutes,
            "expires_on": None if ends is None else on(ends),
            "exhaustion_policy": policy,
            "rounding": asdict(rounding),
            "rollover": rollover and {"percent": percent, "cap_minutes": cap, "months": None, "burns": burns},
            "weights": WEIGHTS,
        }
        self.side = Side(self.world, self.terms)
        self.model = Model(policy, rollover, burns, rounding)
        first = ModelLot(1, minutes, START, None if ends is None else START + timedelta(days=ends))
        self.model.lots[1] = first
        self.tellings: list[TimeEntry] = []
        self.closes: list[UUID] = []
        # Facts between two barriers may come in any order: ("tell", entry), ("lot", verb), …
        self.facts: list[list[tuple[str, Any]]] = [[]]

    def _tell(self, *entries: TimeEntry) -> None:
        self.side.tell(*entries)
        for entry in entries:
            self.model.tell(entry)
            self.tellings.append(entry)
            self.facts[-1].append(("tell", entry))

    def _one(self, pick: int) -> TimeEntry:
        found: TimeEntry = list(self.model.told.values())[pick % len(self.model.told)]
        return found

    # ---- time -----------------------------------------------------------------------------------------------------

    @rule(work=WORK, level=st.sampled_from(["L1", "L1", "L2"]))
    def log(self, work: tuple[int, int, UUID], level: Any) -> None:
        self._tell(some_work(work, level=level))

    @rule(several=st.lists(WORK, min_size=2, max_size=5))
    def log_at_once(self, several: list[tuple[int, int, UUID]]) -> None:
        self._tell(*map(some_work, several))

    @precondition(lambda self: self.model.told)
    @rule(pick=st.integers(0, 99), minutes=MINUTES, quarter=st.integers(0, 4 * 24 - 1))
    def log_on_the_same_ticket_and_day(self, pick: int, minutes: int, quarter: int) -> None:
        beside = self._one(pick)
        day = (beside.work.worked_from - START).days
        assert beside.ticket_id is not None
        self._tell(some_work((minutes, 4 * 24 * day + quarter, beside.ticket_id)))

    @rule(work=WORK, decision=st.sampled_from(["approved", "rejected", "voided"]))
    def log_and_decide_the_wrong_way_round(self, work: tuple[int, int, UUID], decision: Decision) -> None:
        entry = some_work(work)
        self._tell(replace(entry, revision=2, decision=decision))
        self._tell(entry)

    @precondition(lambda self: self.model.told)
    @rule(pick=st.integers(0, 99), decision=st.sampled_from(["approved", "approved", "approved", "rejected", "voided"]))
    def decide(self, pick: int, decision: Decision) -> None:
        entry = self._one(pick)
        if entry.id in self.model.frozen and decision == "rejected":
            decision = "voided"
        self._tell(replace(entry, revision=entry.revision + 1, decision=decision))

    @precondition(lambda self: self.model.told)
    @rule(pick=st.integers(0, 99), minutes=MINUTES, quarter=st.one_of(st.none(), QUARTERS))
    def edit(self, pick: int, minutes: int, quarter: int | None) -> None:
        entry = self._one(pick)
        at = entry.work.worked_from if quarter is None else START + timedelta(minutes=15 * quarter)
        decision: Decision = "approved" if entry.id in self.model.frozen else entry.decision
        work = replace(entry.work, worked_minutes=minutes, worked_from=at)
        self._tell(replace(entry, revision=entry.revision + 1, decision=decision, work=work))

    @precondition(lambda self: self.tellings)
    @rule(pick=st.integers(0, 99))
    def repeat(self, pick: int) -> None:
        self._tell(self.tellings[pick % len(self.tellings)])

    @precondition(lambda self: self.model.waiting())
    @rule(pick=st.integers(0, 99), decision=st.sampled_from(["approved", "approved", "declined"]))
    def answer(self, pick: int, decision: Any) -> None:
        waiting = self.model.waiting()
        entry_id = sorted(waiting)[pick % len(waiting)]
        answered = (entry_id, decision, waiting[entry_id])
        self.side.answer(*answered)
        self.model.answer(*answered)
        self.facts += [[("answer", answered)], []]

    # ---- lots -----------------------------------------------------------------------------------------------------

    @rule(
        minutes=st.integers(1, 300),
        day=DAYS,
        days=st.one_of(st.none(), st.integers(1, 4)),
        priority=st.sampled_from([0, 0, -1, 1]),
    )
    def top_up(self, minutes: int, day: int, days: int | None, priority: int) -> None:
        starts_at = START + timedelta(days=day)
        ends_at = None if days is None else starts_at + timedelta(days=days)
        lot = ModelLot(max(self.model.lots) + 1, minutes, starts_at, ends_at, priority)
        if self.model.closes and starts_at < self.model.closes[-1]:
            with pytest.raises(AmendmentTooEarly):
                self.side.top_up(lot)
            return
        self.side.top_up(lot)
        self.model.lots[lot.number] = lot
        self.facts[-1].append(("top_up", replace(lot)))

    @rule(pick=st.integers(0, 99), minutes=st.integers(-200, 200).filter(bool))
    def adjust(self, pick: int, minutes: int) -> None:
        numbers = [lot.number for lot in self.model.lots.values() if lot.carried_from is None and not lot.is_closed]
        if not numbers:
            return
        number = numbers[pick % len(numbers)]
        lot = self.model.lots[number]
        minutes = max(minutes, -self.model.free(number), 1 - lot.minutes - lot.adjusted)
        if minutes:
            self.side.adjust(number, minutes)
            lot.adjusted += minutes
            # Minutes can be taken that closed work has left: whether it is closed still is not to be shuffled.
            self.facts += [[("adjust", (number, minutes))], []]

    @rule()
    def lapse(self) -> None:
        self.side.lapse()
        self.model.lapse(START + timedelta(days=20))
        self.facts[-1].append(("lapse", None))

    # ---- periods --------------------------------------------------------------------------------------------------

    @rule(days=st.integers(1, 3))
    def close(self, days: int) -> None:
        day = min((self.model.closes[-1] - START).days + days if self.model.closes else days, 8)
        until = START + timedelta(days=day)
        if self.model.closes and until == self.model.closes[-1]:
            return
        self.closes.append(self.side.close(day, self._posted(until)))
        self.model.close(until)
        self.facts += [[("close", day)], []]

    def _posted(self, until: Any) -> list[tuple[UUID, int]]:
        return [
            (entry_id, self.model.told[entry_id].work.worked_minutes)
            for entry_id, result in self.model.results().items()
            if result.status == "posted"
            and entry_id not in self.model.frozen
            and self.model.told[entry_id].work.worked_from < until
        ]

    @precondition(lambda self: self.closes)
    @rule()
    def reopen(self) -> None:
        self.side.reopen(self.closes.pop())
        self.model.reopen()
        self.facts += [[("reopen", None)], []]

    # ---- what must hold -------------------------------------------------------------------------------------------

    @invariant()
    def the_database_has_what_the_model_has(self) -> None:
        balances, results = self.side.outcome()

        assert results == self.model.results()
        assert balances == self.model.balances()

    def teardown(self) -> None:
        if not hasattr(self, "side") or not self.tellings:
            return
        # Looked at first: the job that lets lots lapse, told again below, wakes for every contract there is.
        balances, results = self.side.outcome()
        chance = random.Random(len(self.tellings))  # noqa: S311 - a shuffle, not a secret
        names = dict(zip(sorted(self.model.told), sorted(new_id() for _ in self.model.told), strict=True))
        other, closes = Side(self.world, self.terms), list[UUID]()
        for facts in self.facts:
            for kind, fact in _shuffled(facts, chance):
                if kind == "tell":
                    other.tell(replace(fact, id=names[fact.id]))
                elif kind == "close":
                    closes.append(other.close(fact, other.posted_before(fact)))
                elif kind == "answer":
                    other.answer(names[fact[0]], *fact[1:])
                elif kind == "reopen":
                    other.reopen(closes.pop())
                elif kind == "adjust":
                    other.adjust(*fact)
                else:
                    other.top_up(fact) if kind == "top_up" else other.lapse()

        again, again_results = other.outcome()
        assert again == balances
        assert again_results == {names[entry_id]: result for entry_id, result in results.items()}


def _shuffled(facts: list[tuple[str, Any]], chance: random.Random) -> list[tuple[str, Any]]:
    """Return facts in another order; what happens to lots keeps its own, for lots are numbered by it."""
    told = [fact for fact in facts if fact[0] == "tell"]
    chance.shuffle(told)
    places = sorted(chance.sample(range(len(facts)), k=len(told)))
    others = iter([fact for fact in facts if fact[0] != "tell"])
    tellings = iter(told)
    return [next(tellings) if place in places else next(others) for place in range(len(facts))]


@pytest.fixture(scope="module", autouse=True)
def _world() -> Any:
    Ledger.world = World()
    yield
    Ledger.world.end()


TestLedger = Ledger.TestCase
TestLedger.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    # No shrinking: a failing run is short already, and each step of it is a transaction.
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
