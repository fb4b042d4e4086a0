"""The client's word on work beyond the bucket: asked, given, settled, and nobody else's to give."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.event import listen

from contracts import reports
from contracts.actions import approvals
from contracts.domain.entry import TimeEntry
from contracts.domain.ledger import checksum
from contracts.reports.approvals import waiting_page
from contracts.store import contracts as contract_store
from contracts.testing import START, a_client, a_client_with_contract, an_active_contract, an_entry, time_told
from msp_events.contracts import ApprovalDecided, ApprovalRequested, HoursHeld, HoursPosted, PeriodClosed, TimeRefused
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.identity import Caller
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person, said

AGENT = a_staff_person("agent")


def approved(entry: TimeEntry) -> TimeEntry:
    return replace(entry, revision=entry.revision + 1, decision="approved")


class Story:
    """A client whose bucket of an hour is not enough, and that wants to be asked."""

    def __init__(self, database: Database, requests: Requests, speaker: Speaker, ids: tuple[UUID, UUID]) -> None:
        self.database, self.requests, self.speaker = database, requests, speaker
        self.client_id, self.contract_id = ids
        self.approver = a_client_person(self.client_id, "approver")

    async def log(self, *entries: TimeEntry) -> None:
        await self.speaker.say(
            *(time_told(one, client_id=self.client_id, contract_id=self.contract_id) for one in entries)
        )

    async def decide(
        self,
        entry: TimeEntry,
        decision: str = "approved",
        *,
        minutes: int = 30,
        by: Caller | None = None,
        reason: str = "no",
    ) -> Any:
        body = {"decision": decision, "overage_minutes": minutes, "reason": reason}
        return await self.requests.post(by or self.approver, f"/approvals/{entry.id}", body)

    async def settle(self) -> None:
        async with self.database.transaction(SYSTEM) as tx:
            assert await approvals.settle(tx) is False
        async with self.database.transaction(SYSTEM) as tx:
            assert await reports.verify(tx) == []

    async def hours(self, entry: TimeEntry) -> dict[str, Any]:
        found: dict[str, Any] = (await self.requests.get(AGENT, f"/hours/{entry.id}")).json()
        return found

    async def waiting(self, caller: Caller | None = None) -> list[dict[str, Any]]:
        answer = await self.requests.get(caller or self.approver, "/approvals")
        items: list[dict[str, Any]] = answer.json()["items"]
        return items


@pytest.fixture
async def story(database: Database, requests: Requests, speaker: Speaker) -> Story:
    """Give the story."""
    ids = await a_client_with_contract(database, minutes=60, exhaustion_policy="needs_approval")
    return Story(database, requests, speaker, ids)


async def test_work_beyond_the_bucket_waits_for_the_client_and_is_not_posted_before(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.log(approved(entry))

    (waiting,) = await story.waiting()
    hours = await story.hours(entry)

    assert (waiting["overage_minutes"], waiting["price_minor"], waiting["state"]) == (30, 4500, "waiting")
    assert (hours["status"], hours["bucket_minutes"], hours["overage_minutes"]) == ("held", 60, 30)
    (asked,) = await said(story.database, ApprovalRequested)
    assert (asked.overage_minutes, asked.price_minor, asked.currency) == (30, 4500, "EUR")
    assert await said(story.database, HoursPosted) == []


async def test_the_clients_approval_funds_the_hold(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.log(approved(entry))

    answer = await story.decide(entry)
    before = await story.waiting()
    await story.settle()

    assert (answer.status_code, answer.json()["price_minor"]) == (201, 4500)
    assert [one["state"] for one in before] == ["approved"]
    assert (await story.hours(entry))["status"] == "posted"
    assert await story.waiting() == []
    (decided,) = await said(story.database, ApprovalDecided)
    assert (decided.decision, decided.decided_by_name) == ("approved", "Priya Nair")
    (posted,) = await said(story.database, HoursPosted)
    assert (posted.bucket_minutes, posted.overage_minutes) == (60, 30)


async def test_the_client_may_agree_before_the_msp_does(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.decide(entry)
    await story.settle()

    assert (await story.hours(entry))["status"] == "held"
    await story.log(approved(entry))

    assert (await story.hours(entry))["status"] == "posted"


async def test_work_the_bucket_pays_for_asks_nobody(story: Story) -> None:
    entry = an_entry(60)
    await story.log(entry)
    await story.log(approved(entry))

    assert (await story.hours(entry))["status"] == "posted"
    assert await said(story.database, ApprovalRequested) == []


async def test_declined_work_gives_its_minutes_back_and_later_work_has_them(story: Story) -> None:
    declined, later = an_entry(90), an_entry(60, "Tue 09:00")
    await story.log(declined, later)

    await story.decide(declined, "declined", reason="we had agreed on half an hour")
    await story.settle()

    assert (await story.hours(declined))["refusal"] == "declined-by-client"
    assert [(one["bucket_minutes"], one["status"]) for one in [await story.hours(later)]] == [(60, "held")]
    (refused,) = await said(story.database, TimeRefused)
    assert refused.reason == "declined-by-client"
    coverage = (await story.requests.get(AGENT, f"/coverage/{declined.id}")).json()
    assert (coverage["answer"], coverage["checks"][-1]["rule"]) == ("not_covered", "declined-by-client")


async def test_declined_work_stays_declined_when_the_msp_approves_it_and_other_work_is_asked_anew(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.decide(entry, "declined")
    await story.settle()

    await story.log(approved(entry))
    still = (await story.hours(entry))["refusal"]
    shorter = replace(entry, revision=3, work=replace(entry.work, worked_minutes=80))
    await story.log(shorter)

    assert still == "declined-by-client"
    assert (await story.hours(entry))["status"] == "held"
    assert [one["overage_minutes"] for one in await story.waiting()] == [20]


async def test_more_overage_than_was_agreed_is_asked_again(story: Story) -> None:
    entry = an_entry(90, "Tue 09:00")
    await story.log(entry)
    await story.log(approved(entry))
    await story.decide(entry)
    await story.settle()

    await story.log(an_entry(20, "Mon 09:00"))

    hours = await story.hours(entry)
    assert (hours["status"], hours["overage_minutes"]) == ("held", 50)
    assert [one.overage_minutes for one in await said(story.database, ApprovalRequested)] == [30, 50]
    assert [one.status for one in await said(story.database, HoursHeld)][-1] == "held"


async def test_a_top_up_that_pays_for_it_posts_without_a_word(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.log(approved(entry))

    lot = {"minutes": 60, "price_minor": 5000, "valid_from": "2026-11-02"}
    await story.requests.post(a_staff_person("manager"), f"/contracts/{story.contract_id}/lots", lot)

    assert (await story.hours(entry))["status"] == "posted"
    assert await story.waiting() == []


async def test_minutes_given_back_by_other_work_post_it_without_a_word(story: Story) -> None:
    earlier, entry = an_entry(40, "Mon 09:00"), an_entry(60, "Tue 09:00")
    await story.log(earlier, entry)
    await story.log(approved(entry))
    asked = [one["overage_minutes"] for one in await story.waiting()]

    await story.log(replace(earlier, revision=2, decision="voided"))

    assert asked == [40]
    assert (await story.hours(entry))["status"] == "posted"
    assert await story.waiting() == []


async def test_a_decision_about_work_that_changed_meanwhile_is_outdated(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.decide(entry)
    await story.log(replace(entry, revision=2, work=replace(entry.work, worked_minutes=100)))

    await story.settle()

    (decided,) = (await story.requests.get(story.approver, "/approvals/decided")).json()["items"]
    assert decided["outcome"] == "outdated"
    assert [one["overage_minutes"] for one in await story.waiting()] == [40]


async def test_decisions_that_do_not_fit_are_refused(story: Story) -> None:
    entry, paid = an_entry(90, "Tue 09:00"), an_entry(10)
    await story.log(entry, paid)

    outdated = await story.decide(entry, minutes=30)
    nothing = await story.decide(paid)
    silent = await story.decide(entry, "declined", reason="")
    unknown = await story.decide(an_entry(1))
    first = await story.decide(entry, minutes=40)
    second = await story.decide(entry, minutes=40)

    assert (outdated.status_code, outdated.json()["code"]) == (409, "approval-outdated")
    assert "it is 40 minutes beyond the bucket now, not 30" in outdated.json()["detail"]
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing-to-approve")
    assert (silent.status_code, unknown.status_code, first.status_code) == (422, 404, 201)
    assert (second.status_code, second.json()["code"]) == (409, "already-decided")


async def test_a_period_that_waits_for_the_client_says_so(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.log(approved(entry))

    sealed = WorklogSealed(
        occurred_at=START,
        period_close_id=new_id(),
        client_id=story.client_id,
        starts_on=date(2026, 11, 1),
        ends_on=date(2026, 12, 1),
        entry_count=1,
        worked_minutes=90,
        checksum=checksum([(entry.id, 90)]),
    )
    await story.speaker.say(sealed)

    (closed,) = await said(story.database, PeriodClosed)
    assert closed.outcome == "differs"
    assert closed.detail.endswith(f"; waiting for the client's approval: {entry.id}")


# ---- whose word it is ---------------------------------------------------------------------------------------------


async def test_only_approvers_and_admins_of_the_client_decide(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)

    async def status(caller: Caller) -> int:
        answer = await story.decide(entry, by=caller)
        code: int = answer.status_code
        return code

    assert await status(a_client_person(story.client_id, "requester")) == 403
    assert await status(a_client_person(story.client_id, "billing")) == 403
    assert await status(a_staff_person("admin")) == 403
    assert await status(a_client_person(new_id(), "approver")) == 404
    assert await status(a_client_person(story.client_id, "admin")) == 201


async def test_each_client_sees_what_waits_for_itself(story: Story) -> None:
    async with story.database.transaction(SYSTEM) as tx:
        other = await a_client(tx, code="QRY", name="Quarry Foods")
        contract_id = await an_active_contract(tx, other, minutes=60, exhaustion_policy="needs_approval")
    own, foreign = an_entry(90), an_entry(120)
    await story.log(own)
    await story.speaker.say(time_told(foreign, client_id=other, contract_id=contract_id))

    assert [one["time_entry_id"] for one in await story.waiting()] == [str(own.id)]
    assert [one["time_entry_id"] for one in await story.waiting(a_client_person(other, "admin"))] == [str(foreign.id)]
    assert len(await story.waiting(AGENT)) == 2
    assert (await story.requests.get(a_client_person(other, "requester"), "/approvals")).status_code == 403


@pytest.mark.parametrize("claims", ["own", "foreign"])
async def test_the_database_lets_nobody_decide_for_another_client(story: Story, claims: str) -> None:
    entry = an_entry(90)
    await story.log(entry)
    stranger = a_client_person(new_id(), "admin")
    client_id = stranger.client_id if claims == "own" else story.client_id

    with pytest.raises(asyncpg.PostgresError):
        async with story.database.transaction(stranger.scope) as tx:
            await tx.driver.execute(
                "INSERT INTO approvals (id, client_id, contract_id, time_entry_id, decision, overage_minutes, currency,"
                " worked_from, worked_minutes, job_type, level, reason, decided_by, decided_by_name, decided_at)"
                " VALUES ($1, $2, $3, $4, 'approved', 30, 'EUR', $5, 90, 'network', 'L1', '', $1, 'x', now())",
                new_id(),
                client_id,
                story.contract_id,
                entry.id,
                entry.work.worked_from,
            )


async def test_a_decision_is_kept_as_it_was_made_and_staff_decides_nothing(story: Story) -> None:
    entry = an_entry(90)
    await story.log(entry)
    await story.decide(entry)

    for statement in (
        "UPDATE approvals SET overage_minutes = 1",
        "DELETE FROM approvals",
        "UPDATE hours SET note = 'x'",
    ):
        with pytest.raises(asyncpg.PostgresError):
            async with story.database.transaction(story.approver.scope) as tx:
                await tx.driver.execute(statement)
    for statement in ("UPDATE approvals SET decision = 'declined'", "INSERT INTO approvals SELECT * FROM approvals"):
        with pytest.raises(asyncpg.PostgresError):
            async with story.database.transaction(SYSTEM) as tx:
                await tx.driver.execute(statement)


@pytest.mark.parametrize("is_approved_first", [True, False])
async def test_approval_and_consent_in_either_order_make_the_same_ledger(story: Story, is_approved_first: bool) -> None:
    entries = [an_entry(50, "Mon 09:00"), an_entry(40, "Mon 11:00"), an_entry(30, "Tue 09:00")]
    await story.log(*entries)
    if is_approved_first:
        await story.log(*map(approved, entries))
    for entry in entries[1:]:
        minutes = (await story.hours(entry))["overage_minutes"]
        assert (await story.decide(entry, minutes=minutes)).status_code == 201
    await story.settle()
    if not is_approved_first:
        await story.log(*map(approved, entries))

    found = [await story.hours(one) for one in entries]

    assert [(one["status"], one["bucket_minutes"], one["overage_minutes"]) for one in found] == [
        ("posted", 50, 0),
        ("posted", 10, 30),
        ("posted", 0, 30),
    ]


async def queries_of_the_list(story: Story) -> tuple[int, int]:
    """Return how many contracts wait for their client, and what the list of them asks a database nobody has asked yet."""
    contract_store._CACHE.clear()
    asked: list[str] = []
    async with story.database.transaction(SYSTEM) as tx:
        # What SQLAlchemy prepares, the driver's own log does not tell.
        listen(story.database.engine.sync_engine, "before_cursor_execute", lambda *of: asked.append(of[2]))
        with tx.driver.query_logger(lambda query: asked.append(query.query)):
            rows = await waiting_page(tx, client_id=None, after=None, limit=50)
    return len({row["contract_id"] for row in rows}), len(asked)


async def test_the_list_of_what_waits_asks_as_often_for_many_contracts_as_for_one(story: Story) -> None:
    await story.log(an_entry(90))
    one = await queries_of_the_list(story)
    for code in ("ABC", "DEF", "GHI"):
        ids = await a_client_with_contract(story.database, code=code, minutes=60, exhaustion_policy="needs_approval")
        other = Story(story.database, story.requests, story.speaker, ids)
        await other.log(an_entry(90), an_entry(30, "Tue 09:00"))

    many = await queries_of_the_list(story)

    assert (one[0], many[0]) == (1, 4)
    assert one[1] == many[1] == 3
