"""The policy ``reject``: no minute beyond the bucket, whoever approves it, and whatever comes later."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from contracts import reports
from contracts.actions import adjustments, contracts, periods
from contracts.domain.entry import TimeEntry
from contracts.domain.ledger import checksum
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.contracts import HoursPosted, HoursReleased, PeriodClosed, TimeRefused
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database, Scope
from msp_kit.testing import Speaker, said

SECOND_PERSON = Scope(role="staff", client_id=None, actor=str(new_id()))


def approved(entry: TimeEntry) -> TimeEntry:
    return replace(entry, revision=entry.revision + 1, decision="approved")


def voided(entry: TimeEntry) -> TimeEntry:
    return replace(entry, revision=entry.revision + 1, decision="voided")


@dataclass
class Story:
    """A contract and what is told about it."""

    database: Database
    speaker: Speaker
    client_id: UUID
    contract_id: UUID

    async def log(self, *entries: TimeEntry) -> None:
        for entry in entries:
            await self.speaker.say(time_told(entry, client_id=self.client_id, contract_id=self.contract_id))
        async with self.database.transaction(SYSTEM) as tx:
            assert await reports.verify(tx) == []

    async def became(self, *entries: TimeEntry) -> list[tuple[Any, ...]]:
        """Return status, bucket minutes and overage of entries."""
        async with self.database.transaction(SYSTEM) as tx:
            rows = await tx.fetch("SELECT * FROM hours WHERE contract_id = $1", self.contract_id)
        found = {row["time_entry_id"]: row for row in rows}
        names = ("status", "bucket_minutes", "overage_minutes")
        return [tuple(found[entry.id][name] for name in names) for entry in entries]

    async def close(self, *posted: TimeEntry) -> PeriodClosed:
        told = [(entry.id, entry.work.worked_minutes) for entry in posted]
        sealed = WorklogSealed(
            occurred_at=START,
            period_close_id=new_id(),
            client_id=self.client_id,
            starts_on=date(2026, 11, 1),
            ends_on=date(2026, 12, 1),
            entry_count=len(told),
            worked_minutes=sum(minutes for _, minutes in told),
            checksum=checksum(told),
        )
        await self.speaker.say(sealed)
        closed: PeriodClosed = (await said(self.database, PeriodClosed))[-1]
        return closed


async def a_story(database: Database, speaker: Speaker, **terms: Any) -> Story:
    terms = {"minutes": 60, "exhaustion_policy": "reject", **terms}
    return Story(database, speaker, *await a_client_with_contract(database, **terms))


@pytest.fixture
async def story(database: Database, speaker: Speaker) -> Story:
    """Give a bucket of an hour that allows no overage."""
    return await a_story(database, speaker)


async def test_work_the_bucket_cannot_pay_for_whole_is_refused_and_shorter_work_is_taken(story: Story) -> None:
    long, short = an_entry(90), an_entry(60, "Tue 09:00")

    await story.log(long, short)

    assert await story.became(long, short) == [("refused", 0, 0), ("held", 60, 0)]
    (refused,) = await said(story.database, TimeRefused)
    assert (refused.time_entry_id, refused.reason) == (long.id, "bucket-exhausted")
    assert await said(story.database, HoursReleased) == []


@pytest.mark.parametrize("is_logged_first", [True, False])
async def test_an_approval_makes_no_overage_of_what_is_refused(story: Story, is_logged_first: bool) -> None:
    entry = an_entry(90)

    await story.log(*([entry] if is_logged_first else []), approved(entry))

    assert await story.became(entry) == [("refused", 0, 0)]
    assert await said(story.database, HoursPosted) == []


async def test_back_dated_work_takes_the_minutes_and_later_work_is_told_that_it_lost_them(story: Story) -> None:
    later, earlier = an_entry(60, "Wed 09:00"), an_entry(40, "Mon 09:00")
    await story.log(later, approved(later))

    await story.log(earlier)

    assert await story.became(earlier, later) == [("held", 40, 0), ("refused", 0, 0)]
    (released,) = await said(story.database, HoursReleased)
    assert (released.time_entry_id, released.bucket_minutes, released.overage_minutes) == (later.id, 0, 0)
    (refused,) = await said(story.database, TimeRefused)
    assert refused.time_entry_id == later.id


async def test_minutes_given_back_let_refused_work_in_although_the_lot_had_some_left(story: Story) -> None:
    first, refused = an_entry(40, "Mon 09:00"), an_entry(50, "Tue 09:00")
    await story.log(first, refused, approved(refused))
    before = await story.became(refused)

    await story.log(voided(first))

    assert before == [("refused", 0, 0)]
    assert await story.became(first, refused) == [("released", 0, 0), ("posted", 50, 0)]
    assert [one.time_entry_id for one in await said(story.database, HoursPosted)] == [refused.id]


async def test_a_shorter_edit_of_earlier_work_lets_refused_work_in(story: Story) -> None:
    first, refused = an_entry(40, "Mon 09:00"), an_entry(50, "Tue 09:00")
    await story.log(first, refused)

    await story.log(replace(first, revision=2, work=replace(first.work, worked_minutes=10)))

    assert await story.became(first, refused) == [("held", 10, 0), ("held", 50, 0)]


async def test_a_top_up_lets_refused_work_in(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)

    async with story.database.transaction(SYSTEM) as tx:
        lot = {"minutes": 30, "price_minor": 0, "valid_from": START.date(), "expires_on": None}
        await contracts.top_up(tx, story.contract_id, lot)

    assert await story.became(entry) == [("held", 90, 0)]


async def test_an_adjustment_lets_refused_work_in_and_puts_it_out(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    found = []
    for minutes in (30, -30):
        async with story.database.transaction(SYSTEM) as tx:
            lot_id = await tx.fetchval("SELECT id FROM lots WHERE contract_id = $1", story.contract_id)
            asked = await adjustments.ask(tx, story.contract_id, lot_id=lot_id, minutes=minutes, reason="counted anew")
        async with story.database.transaction(SECOND_PERSON) as tx:
            await adjustments.confirm(tx, story.contract_id, asked)
        found += await story.became(entry)

    assert found == [("held", 90, 0), ("refused", 0, 0)]


async def test_a_period_with_approved_work_that_is_refused_does_not_close_and_names_it(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry, approved(entry))

    closed = await story.close(entry)

    assert closed.outcome == "differs"
    assert closed.detail.endswith(f"; refused by the contract although approved: {entry.id}")


async def test_late_work_of_a_ticket_and_day_is_rounded_in_its_place_when_the_period_opens_again(
    database: Database, speaker: Speaker
) -> None:
    rounding = {"increment_minutes": 15, "minimum_minutes": 0, "direction": "up", "level": "ticket_day"}
    story, ticket_id = await a_story(database, speaker, rounding=rounding), new_id()
    closed = an_entry(5, "Mon 10:00", decision="approved", ticket_id=ticket_id)
    late = an_entry(5, "Mon 09:00", ticket_id=ticket_id)
    await story.log(closed)
    close = await story.close(closed)
    await story.log(late)
    beside_a_closed_one = await story.became(late, closed)

    async with database.transaction(SYSTEM) as tx:
        await periods.reopen(tx, close.period_close_id, reason="closed too early")

    assert beside_a_closed_one == [("held", 15, 0), ("posted", 15, 0)]
    assert await story.became(late, closed) == [("held", 15, 0), ("posted", 0, 0)]
