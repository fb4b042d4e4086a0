"""Two ways to a real ledger: a side is one contract that is told facts, a world the database they share."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from ledger_by_hand import ModelLot, Result

from contracts import reports
from contracts.actions import adjustments, approvals, contracts, lots, periods
from contracts.consumers import consumers
from contracts.domain.entry import TimeEntry
from contracts.domain.ledger import checksum
from contracts.domain.pricing import priced
from contracts.store import contracts as contract_store
from contracts.store.book_rows import hours_from
from contracts.testing import START, a_client_with_contract, time_told
from msp_events.contracts import PeriodClosed
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database, Scope
from msp_kit.inbox import Inbox
from msp_kit.testing import Speaker, a_client_person, drop_database, fresh_database, said

BOSS = Scope(role="staff", client_id=None, actor=str(new_id()))
ACCOUNTS = ("granted", "adjusted", "carried_in", "carried_out", "held", "consumed", "expired", "available", "overage")
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

    def answer(self, entry_id: UUID, decision: approvals.Decision, overage_minutes: int) -> None:
        by = a_client_person(self.client_id, "approver")

        async def decide(tx: Any) -> None:
            await approvals.decide(
                tx, entry_id, by=by, decision=decision, overage_minutes=overage_minutes, reason="as we agreed"
            )

        self._act(decide, as_=by.scope)
        assert self._act(approvals.settle) is False

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

    def posted_before(self, day: int) -> list[tuple[UUID, int]]:
        """Return what tickets would seal."""
        rows = self._act(
            lambda tx: tx.fetch(
                "SELECT time_entry_id, worked_minutes FROM hours WHERE contract_id = $1 AND status = 'posted'"
                " AND NOT is_closed AND worked_from < $2",
                self.contract_id,
                START + timedelta(days=day),
            )
        )
        return [tuple(row) for row in rows]

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
                hours.status,
                takes,
                split.billed_minutes,
                split.bucket_minutes,
                split.overage_minutes,
                hours.is_late and hours.is_active,
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
