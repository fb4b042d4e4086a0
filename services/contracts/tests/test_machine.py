"""Grant, log, approve, reject, void, edit, repeat, reorder, expire, roll over, adjust, close, reopen: in any order.

After every step the database has what a ledger done by hand would have, and its proof holds; at the end the same facts
in another order, told to another contract, give the same balances, splits and prices.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings, strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_by_hand import Model, ModelLot, Result

from contracts import reports
from contracts.actions import adjustments, contracts, lots, periods
from contracts.consumers import consumers
from contracts.domain.contract import AmendmentTooEarly
from contracts.domain.entry import Decision, TimeEntry
from contracts.domain.ledger import checksum
from contracts.domain.pricing import priced
from contracts.store import contracts as contract_store
from contracts.store.book_rows import hours_from
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.contracts import PeriodClosed
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database, Scope
from msp_kit.inbox import Inbox
from msp_kit.testing import Speaker, drop_database, fresh_database, said

WEIGHTS = [{"level": "L2", "job_type": None, "condition": None, "percent": 200}]
BOSS = Scope(role="staff", client_id=None, actor=str(new_id()))
ACCOUNTS = ("granted", "adjusted", "carried_in", "carried_out", "held", "consumed", "expired", "available", "overage")
DAYS = st.integers(0, 6)
QUARTERS = st.integers(0, 4 * 24 * 7)
MINUTES = st.integers(1, 240)
codes = (f"{a}{b}{c}" for a, b, c in itertools.product("ABCDEFGHIJKLMNOPQRSTUVWXYZ", repeat=3))


def on(day: int) -> date:
    return START.date() + timedelta(days=day)


class Side:
    """One contract that is told facts."""

    def __init__(self, world: World, terms: dict[str, Any]) -> None:
        self.world = world
        self.client_id, self.contract_id = world.run(a_client_with_contract(world.database, code=next(codes), **terms))

    def tell(self, *entries: TimeEntry) -> None:
        told = [time_told(one, client_id=self.client_id, contract_id=self.contract_id) for one in entries]
        self.world.run(self.world.speaker.say(*told))

    def top_up(self, lot: ModelLot) -> None:
        ends_on = None if lot.ends_at is None else lot.ends_at.date()
        body = {"minutes": lot.minutes, "price_minor": 0, "valid_from": lot.starts_at.date(), "expires_on": ends_on}
        self._act(lambda tx: contracts.top_up(tx, self.contract_id, {**body, "priority": lot.priority}))

    def adjust(self, number: int, minutes: int) -> None:
        lot_id = self._value("SELECT id FROM lots WHERE contract_id = $1 AND sequence = $2", number)
        asked = {"lot_id": lot_id, "minutes": minutes, "reason": "counted anew"}
        adjustment_id = self._act(lambda tx: adjustments.ask(tx, self.contract_id, **asked))
        self._act(lambda tx: adjustments.confirm(tx, self.contract_id, adjustment_id), as_=BOSS)

    def lapse(self) -> None:
        while self._act(lots.let_lapse):
            pass

    def close(self, day: int, posted: list[tuple[UUID, int]]) -> UUID:
        period_close_id = new_id()
        sealed = WorklogSealed(
            occurred_at=START,
            period_close_id=period_close_id,
            client_id=self.client_id,
            starts_on=on(0),
            ends_on=on(day),
            entry_count=len(posted),
            worked_minutes=sum(minutes for _, minutes in posted),
            checksum=checksum(posted),
        )
        self.world.run(self.world.speaker.say(sealed))
        answer = self.world.run(said(self.world.database, PeriodClosed))[-1]
        assert (answer.period_close_id, answer.outcome, answer.detail) == (period_close_id, "closed", "")
        return period_close_id

    def reopen(self, period_close_id: UUID) -> None:
        self._act(lambda tx: periods.reopen(tx, period_close_id, reason="closed too early"))

    def outcome(self) -> tuple[dict[str, int], dict[UUID, Result]]:
        found: tuple[dict[str, int], dict[UUID, Result]] = self.world.run(self._outcome())
        return found

    async def _outcome(self) -> tuple[dict[str, int], dict[UUID, Result]]:
        async with self.world.database.transaction(SYSTEM) as tx:
            bucket = await tx.fetchrow("SELECT * FROM buckets WHERE contract_id = $1", self.contract_id)
            rows = await tx.fetch("SELECT * FROM hours WHERE contract_id = $1", self.contract_id)
            numbers = {
                row["id"]: row["sequence"]
                for row in await tx.fetch("SELECT id, sequence FROM lots WHERE contract_id = $1", self.contract_id)
            }
            contract = await contract_store.contract(tx, self.contract_id)
            assert contract is not None
            assert await reports.verify(tx, contract.ref) == []
        assert bucket is not None
        found: dict[UUID, Result] = {}
        for row in rows:
            hours = hours_from(row)
            split, work = hours.split, hours.entry.work
            takes = tuple((numbers[take.lot_id], take.minutes) for take in split.takes)
            found[hours.entry.id] = Result(
                hours.status, takes, split.bucket_minutes, split.overage_minutes, hours.is_late and hours.is_active
            )
            terms = contract.terms_at(work.worked_from)
            price = priced(split.parts, terms, job_type=work.job_type, level=work.level).overage_minor
            assert price == found[hours.entry.id].price_minor
        return {account: bucket[account] for account in ACCOUNTS}, found

    def _act(self, verb: Callable[[Any], Awaitable[Any]], *, as_: Scope = SYSTEM) -> Any:
        async def act() -> Any:
            async with self.world.database.transaction(as_) as tx:
                return await verb(tx)

        return self.world.run(act())

    def _value(self, sql: str, *arguments: Any) -> Any:
        return self._act(lambda tx: tx.fetchval(sql, self.contract_id, *arguments))


class World:
    """One database for all runs of the machine, on a loop of its own."""

    def __init__(self) -> None:
        self.runner = asyncio.Runner()
        self.made = self.run(fresh_database(database="contracts", module="contracts"))
        self.database = Database(self.made.app, service="contracts", database="contracts", pool_size=4)
        self.speaker = Speaker(Inbox(self.database, consumers))

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    def end(self) -> None:
        self.run(self.database.close())
        self.run(drop_database(self.made))
        self.runner.close()


class Ledger(RuleBasedStateMachine):
    """A contract, its model, and a list of everything that happened to it."""

    world: World

    @initialize(
        minutes=st.integers(1, 600),
        ends=st.one_of(st.none(), st.integers(1, 5)),
        policy=st.sampled_from(["overage", "next_lot"]),
        percent=st.sampled_from([None, 100, 50, 33]),
        cap=st.sampled_from([None, 90]),
        burns=st.sampled_from(["first", "last"]),
    )
    def begin(
        self, minutes: int, ends: int | None, policy: str, percent: int | None, cap: int | None, burns: str
    ) -> None:
        rollover = None if percent is None else {"percent": percent, "cap_minutes": cap, "months": None, "burns": burns}
        self.terms = {
            "minutes": minutes,
            "expires_on": None if ends is None else on(ends),
            "exhaustion_policy": policy,
            "rollover": rollover,
            "weights": WEIGHTS,
        }
        self.side = Side(self.world, self.terms)
        self.model = Model(policy, None if percent is None else (percent, cap), burns)
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

    @rule(minutes=MINUTES, quarter=QUARTERS, level=st.sampled_from(["L1", "L1", "L2"]))
    def log(self, minutes: int, quarter: int, level: Any) -> None:
        self._tell(an_entry(minutes, START + timedelta(minutes=15 * quarter), level=level))

    @rule(several=st.lists(st.tuples(MINUTES, QUARTERS), min_size=2, max_size=5))
    def log_at_once(self, several: list[tuple[int, int]]) -> None:
        self._tell(*(an_entry(minutes, START + timedelta(minutes=15 * quarter)) for minutes, quarter in several))

    @rule(minutes=MINUTES, quarter=QUARTERS, decision=st.sampled_from(["approved", "rejected", "voided"]))
    def log_and_decide_the_wrong_way_round(self, minutes: int, quarter: int, decision: Decision) -> None:
        entry = an_entry(minutes, START + timedelta(minutes=15 * quarter))
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
            self.facts[-1].append(("adjust", (number, minutes)))

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
                    until = START + timedelta(days=fact)
                    closes.append(other.close(fact, self._posted_of(other, until)))
                elif kind == "reopen":
                    other.reopen(closes.pop())
                elif kind == "adjust":
                    other.adjust(*fact)
                else:
                    other.top_up(fact) if kind == "top_up" else other.lapse()

        again, again_results = other.outcome()
        assert again == balances
        assert again_results == {names[entry_id]: result for entry_id, result in results.items()}

    def _posted_of(self, side: Side, until: Any) -> list[tuple[UUID, int]]:
        rows = side._act(  # noqa: SLF001 - what tickets would have sealed
            lambda tx: tx.fetch(
                "SELECT time_entry_id, worked_minutes FROM hours WHERE contract_id = $1 AND status = 'posted'"
                " AND NOT is_closed AND worked_from < $2",
                side.contract_id,
                until,
            )
        )
        return [tuple(row) for row in rows]


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
