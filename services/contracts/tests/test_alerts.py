"""Each alert is said once per (lot, threshold, episode): an episode ends with a top-up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

import pytest

from contracts.actions import contracts
from contracts.domain.entry import Decision, TimeEntry
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.contracts import BucketExhausted, BucketThresholdCrossed
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Speaker, said


@dataclass
class Story:
    """A bucket of 100 minutes and what it warns of."""

    database: Database
    speaker: Speaker
    client_id: UUID
    contract_id: UUID

    async def tell(self, entry: TimeEntry, decision: Decision = "submitted", revision: int = 1) -> None:
        told = replace(entry, decision=decision, revision=revision)
        await self.speaker.say(time_told(told, client_id=self.client_id, contract_id=self.contract_id))

    async def top_up(self, minutes: int) -> None:
        lot = {"minutes": minutes, "price_minor": 0, "valid_from": START.date(), "expires_on": None}
        async with self.database.transaction(SYSTEM) as tx:
            await contracts.top_up(tx, self.contract_id, lot)

    async def alerts(self) -> list[tuple[int, int]]:
        """Return (number of the lot, percent) of every threshold that was said, in order."""
        async with self.database.transaction(SYSTEM) as tx:
            numbers = {row["id"]: row["sequence"] for row in await tx.fetch("SELECT id, sequence FROM lots")}
        return [
            (numbers[one.lot_id], one.threshold_percent) for one in await said(self.database, BucketThresholdCrossed)
        ]

    async def ends(self) -> int:
        return len(await said(self.database, BucketExhausted))


@pytest.fixture
async def story(database: Database, speaker: Speaker) -> Story:
    """Give the story."""
    return Story(database, speaker, *await a_client_with_contract(database, minutes=100))


async def test_holds_count_and_neither_approval_nor_repetition_says_it_again(story: Story) -> None:
    entry = an_entry(95)

    await story.tell(entry)
    await story.tell(entry)
    await story.tell(entry, "approved", 2)
    await story.tell(an_entry(5, "Tue 09:00"))

    assert await story.alerts() == [(1, 75), (1, 90), (1, 100)]
    assert await story.ends() == 1


async def test_minutes_that_come_back_and_go_again_are_the_same_episode(story: Story) -> None:
    entry = an_entry(100)

    for revision in (1, 3, 5):
        await story.tell(entry, "submitted", revision)
        await story.tell(entry, "voided", revision + 1)

    assert await story.alerts() == [(1, 75), (1, 90), (1, 100)]
    assert await story.ends() == 1


async def test_a_top_up_begins_another_episode_with_alerts_of_its_own(story: Story) -> None:
    await story.tell(an_entry(100))
    await story.top_up(60)
    before = await story.alerts()

    await story.tell(an_entry(50, "Tue 09:00"))
    await story.tell(an_entry(10, "Wed 09:00"))

    assert before == [(1, 75), (1, 90), (1, 100)]
    assert (await story.alerts())[3:] == [(2, 75), (2, 90), (2, 100)]
    assert await story.ends() == 2


async def test_a_top_up_rearms_a_lot_whose_minutes_came_back(story: Story) -> None:
    entry = an_entry(80)
    await story.tell(entry)
    await story.tell(entry, "voided", 2)
    await story.top_up(60)

    await story.tell(an_entry(80, "Tue 09:00"))

    assert await story.alerts() == [(1, 75), (1, 75)]
