"""Credits for broken promises: said once, when the client's month is over, and taken back when late facts say so."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from msp_events.contracts import ClientRegistered
from msp_events.sla import SlaCreditEarned, SlaCreditState, SlaCreditWithdrawn
from msp_kernel.ids import new_id
from msp_kernel.periods import midnight
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person, said
from sla import actions, reports
from sla.domain.credits import next_month
from sla.testing import ATicket

MANAGER = a_staff_person("manager")
PER_BREACH = {"rule_id": "breach", "kind": "per_breach", "metric": "resolution", "amount_minor": 5000, "cap": 12_000}
BELOW_95 = {"rule_id": "95", "kind": "monthly_compliance", "below_basis_points": 9500, "basis_points": 500}
FOUR_HOURS = {"resolution": "4h"}


async def months_ago(database: Database, count: int) -> date:
    """Return the first day of a month before this one."""
    async with database.transaction(SYSTEM) as tx:
        on: date = tx.now.date()
    for _ in range(count):
        on = on.replace(day=1) - timedelta(days=1)
    return on.replace(day=1)


class Story:
    """A contract with credit rules from a month on, and its tickets."""

    def __init__(self, speaker: Speaker, month: date) -> None:
        self.speaker = speaker
        self.month = month
        self.owner = ATicket()

    async def contract(self, *rules: dict[str, Any], **more: Any) -> None:
        """Make the contract known."""
        event = self.owner.contract(
            targets=FOUR_HOURS, sla_credits=rules, effective_from=self.month, starts_on=self.month, **more
        )
        await self.speaker.say(event)

    def instant(self, day: int, hour: int = 9) -> datetime:
        """Return an instant of the month."""
        return midnight(self.month, "UTC") + timedelta(days=day - 1, hours=hour)

    def ticket(self, day: int) -> ATicket:
        """Return a ticket raised on a day of the month."""
        return ATicket(
            client_id=self.owner.client_id, contract_id=self.owner.contract_id, raised_at=self.instant(day, 9)
        )

    async def broken(self, day: int) -> ATicket:
        """Raise a ticket and resolve it too late."""
        ticket = self.ticket(day)
        await self.speaker.say(ticket.raised(is_imported=True), ticket.resolved(self.instant(day, 15)))
        return ticket

    async def kept(self, day: int) -> None:
        """Raise a ticket and resolve it in time."""
        ticket = self.ticket(day)
        await self.speaker.say(ticket.raised(is_imported=True), ticket.resolved(self.instant(day, 10)))


async def settle(database: Database) -> None:
    """Run the jobs until nothing is due."""
    is_due = True
    while is_due:
        async with database.transaction(SYSTEM) as tx:
            await actions.fold_rollups(tx)
        async with database.transaction(SYSTEM) as tx:
            await actions.settle_months(tx)
        async with database.transaction(SYSTEM) as tx:
            is_due = await tx.fetchval("SELECT count(*) > 0 FROM credit_months WHERE settle_at <= $1", tx.now)


async def credits_said(database: Database) -> list[SlaCreditState]:
    """Return what was said, credits of breaches first; in one transaction events are recorded in the order of their ids."""
    told = await said(database, SlaCreditEarned, SlaCreditWithdrawn)
    return sorted(told, key=lambda one: (one.kind != "per_breach", one.evidence[0].breached_at, one.revision))


async def everything_holds(database: Database) -> bool:
    async with database.transaction(SYSTEM) as tx:
        return await reports.verify(tx) == []


@pytest.fixture
async def story(database: Database, speaker: Speaker) -> Story:
    return Story(speaker, await months_ago(database, 2))


async def test_a_month_that_is_over_earns_its_credits_with_evidence(database: Database, story: Story) -> None:
    await story.contract(PER_BREACH, BELOW_95)
    late = [await story.broken(day) for day in (3, 5, 9)]
    await story.kept(4)

    await settle(database)

    *breaches, month = await credits_said(database)
    assert [(one.amount_minor, one.is_capped, one.revision) for one in breaches] == [
        (5000, False, 1),
        (5000, False, 1),
        (2000, True, 1),
    ]
    assert [one.evidence[0].ticket_id for one in breaches] == [one.ticket_id for one in late]
    assert breaches[0].evidence[0].breached_at == story.instant(3, 13)
    assert (month.basis_points, month.amount_minor, month.compliance_basis_points) == (500, None, 2500)
    assert (month.met_count, month.missed_count, month.evidence_count, len(month.evidence)) == (1, 3, 3, 3)
    assert (month.starts_on, month.ends_on, month.currency) == (story.month, next_month(story.month), "GBP")
    assert await everything_holds(database)


async def test_settling_again_says_nothing_again(database: Database, story: Story) -> None:
    await story.contract(PER_BREACH, BELOW_95)
    await story.broken(3)
    await settle(database)
    once = await credits_said(database)

    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE credit_months SET settle_at = now()")
    await asyncio.gather(settle(database), settle(database), settle(database))

    assert await credits_said(database) == once
    assert len(once) == 2


async def test_each_month_follows_the_one_before_and_the_current_one_waits(database: Database, story: Story) -> None:
    await story.contract(PER_BREACH)

    await settle(database)

    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT starts_on, settled_at IS NOT NULL AS is_settled, settle_at FROM credit_months ORDER BY 1"
        )
        now = tx.now
    second = next_month(story.month)
    this = next_month(second)
    assert [row["starts_on"] for row in rows] == [story.month, second, this]
    assert [row["is_settled"] for row in rows[::2]] == [True, False]
    assert rows[-1]["settle_at"] > now


async def test_a_month_ends_in_the_zone_of_the_client(database: Database, speaker: Speaker, story: Story) -> None:
    """A breach at 23:30 of the last day in Auckland is of that month, though in UTC the day is far from over."""
    await speaker.say(
        ClientRegistered(
            occurred_at=story.instant(1),
            client_id=story.owner.client_id,
            revision=1,
            code="AKL",
            name="Harbour",
            timezone="Pacific/Auckland",
            currency="NZD",
        )
    )
    await story.contract(PER_BREACH)
    due_at = midnight(next_month(story.month), "Pacific/Auckland") - timedelta(minutes=30)
    ticket = story.ticket(1)
    ticket.raised_at = due_at - timedelta(hours=4)
    await speaker.say(ticket.raised(is_imported=True), ticket.resolved(due_at + timedelta(hours=2)))

    await settle(database)

    (credit,) = await credits_said(database)
    assert credit.starts_on == story.month


async def test_a_breach_that_comes_to_light_late_still_earns_its_credit(database: Database, story: Story) -> None:
    await story.contract(PER_BREACH, BELOW_95)
    await story.kept(2)
    await settle(database)
    assert await credits_said(database) == []

    await story.broken(20)
    await settle(database)

    assert [one.rule_id for one in await credits_said(database)] == ["breach", "95"]
    assert await everything_holds(database)


async def test_a_voided_breach_takes_its_credit_back_visibly(
    database: Database, speaker: Speaker, story: Story
) -> None:
    await story.contract(PER_BREACH, BELOW_95)
    ticket = story.ticket(3)
    await speaker.say(ticket.raised())
    async with database.transaction(SYSTEM) as tx:
        await actions.fire_due(tx)
    await settle(database)
    assert len(await credits_said(database)) == 2

    # The client had been asked in time; the mail server told it weeks later.
    await speaker.say(
        ticket.moved(story.instant(3, 10), status="waiting_on_client"), ticket.resolved(story.instant(3, 11))
    )
    await settle(database)

    withdrawn = [one for one in await credits_said(database) if isinstance(one, SlaCreditWithdrawn)]
    assert [(one.rule_id, one.status, one.revision, one.because) for one in withdrawn] == [
        ("breach", "withdrawn", 2, "the breach was voided"),
        ("95", "withdrawn", 2, "late facts lifted the month's compliance"),
    ]
    assert await everything_holds(database)


async def test_a_contract_that_has_ended_settles_no_further_months(database: Database, story: Story) -> None:
    await story.contract(PER_BREACH, ends_on=next_month(story.month), status="ended")

    await settle(database)

    async with database.transaction(SYSTEM) as tx:
        assert await tx.fetchval("SELECT count(*) FROM credit_months") == 1


async def test_verify_names_a_credit_that_was_never_said(database: Database, story: Story) -> None:
    await story.contract(PER_BREACH)
    await settle(database)
    await story.broken(3)
    async with database.transaction(SYSTEM) as tx:
        await actions.fold_rollups(tx)
        await tx.driver.execute("UPDATE credit_months SET settle_at = NULL, settled_at = now()")

    async with database.transaction(SYSTEM) as tx:
        (broken,) = await reports.verify(tx)

    assert "rule breach gives it, it was never said" in broken


async def test_what_was_given_cannot_be_rewritten_or_deleted(database: Database, story: Story) -> None:
    await story.contract(PER_BREACH)
    await story.broken(3)
    await settle(database)

    for statement in ("UPDATE credits SET amount_minor = 1", "UPDATE credits SET revision = 2", "DELETE FROM credits"):
        with pytest.raises(asyncpg.PostgresError):
            async with database.transaction(SYSTEM) as tx:
                await tx.driver.execute(statement)


async def test_credits_are_listed_and_a_client_sees_its_own(
    database: Database, story: Story, requests: Requests
) -> None:
    await story.contract(PER_BREACH, BELOW_95)
    for day in (3, 5):
        await story.broken(day)
    await settle(database)
    period = f"from={story.month}&to={next_month(story.month)}"
    own, foreign = (a_client_person(one, "billing") for one in (story.owner.client_id, new_id()))

    first = (await requests.get(MANAGER, f"/sla-credits?{period}&limit=2")).json()
    rest = (await requests.get(MANAGER, f"/sla-credits?{period}&limit=2&after={first['next']}")).json()
    seen = [(await requests.get(person, f"/sla-credits?{period}")).json()["items"] for person in (own, foreign)]
    requester = await requests.get(a_client_person(story.owner.client_id), f"/sla-credits?{period}")
    file = await requests.get(MANAGER, f"/sla-credits.csv?{period}")

    assert (len(first["items"]), len(rest["items"]), rest["next"]) == (2, 1, None)
    assert first["items"][0]["evidence"][0]["ticket_ref"] == "HLO-1"
    assert ([len(one) for one in seen], requester.status_code) == ([3, 0], 403)
    assert len(file.text.splitlines()) == 4
