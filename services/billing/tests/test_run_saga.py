"""The billing run as a saga: resumable anywhere, previewed without effects, reviewed before issuing."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from office import PERIOD, Office

from billing.actions import issuing, runs
from billing.reports.runs import progress
from billing.testing import MONDAY, OCTOBER, SELLER, a_client, a_contract, answers, posted
from msp_events.billing import (
    BillingRunFinished,
    BillingRunReady,
    BillingRunState,
    InvoiceDrafted,
    InvoiceIssued,
    PeriodCloseRequested,
)
from msp_events.contracts import HoursHeld, RateTerms
from msp_events.tickets import PeriodSealRefused
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import said


class PowerCut(Exception):
    """The process is gone before its transaction commits."""


async def some_clients(office: Office, count: int) -> list[Any]:
    entries = []
    for number in range(count):
        client, contract = new_id(), new_id()
        await office.speaker.say(
            a_client(client, f"Client {number}"), a_contract(client, contract, ref=f"C-{number + 10:04}")
        )
        entries.append(posted(client, contract, minutes=60 + number, overage=30 + number))
    await office.speaker.say(*entries)
    return entries


async def answer_all(office: Office, entries: list[Any]) -> None:
    for request in await said(office.database, PeriodCloseRequested):
        mine = [entry for entry in entries if entry.client_id == request.client_id]
        await office.speaker.say(*answers(request, mine))


async def snapshot(office: Office) -> dict[str, int]:
    """Return how many rows every table has."""
    async with office.database.transaction(SYSTEM) as tx:
        tables = await tx.fetch(
            "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables WHERE schemaname IN ('public', 'bus')"
        )
        readable = [
            row["name"] for row in tables if await tx.fetchval("SELECT has_table_privilege($1, 'SELECT')", row["name"])
        ]
        return {name: await tx.fetchval(f"SELECT count(*) FROM {name}") for name in readable}


async def test_a_run_goes_on_after_a_power_cut_at_every_step(office: Office) -> None:
    entries = await some_clients(office, 3)
    with pytest.raises(PowerCut):
        async with office.database.transaction(SYSTEM) as tx:
            await runs.start_run(tx, starts_on=OCTOBER[0], ends_on=OCTOBER[1], client_ids=None)
            raise PowerCut
    await office.asked()
    await answer_all(office, entries)
    cuts = 0

    async def work() -> None:
        nonlocal cuts
        for tick in (runs.draft_next, issuing.issue_next):
            is_busy = True
            while is_busy:
                try:
                    async with office.database.transaction(SYSTEM) as tx:
                        await tick(tx, default_seller=SELLER)
                        raise PowerCut
                except PowerCut:
                    cuts += 1
                async with office.database.transaction(SYSTEM) as tx:
                    is_busy = await tick(tx, default_seller=SELLER)

    await work()
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    await work()

    assert cuts >= 8
    assert (await office.run())["status"] == "issued"
    assert len(await said(office.database, InvoiceDrafted)) == len(await said(office.database, InvoiceIssued)) == 4
    numbers = [one["number"] for one in (await office.get("/invoices"))["items"]]
    assert sorted(number[-4:] for number in numbers) == ["0001", "0002", "0003", "0004"]
    assert await office.verified() == []


async def test_the_order_of_arrivals_changes_nothing_on_the_invoice(office: Office) -> None:
    client, contract = office.client, office.contract
    entries = [
        posted(
            client,
            contract,
            minutes=30 + number,
            overage=number * 3,
            worked_from=MONDAY + timedelta(hours=number),
        )
        for number in range(8)
    ]
    shuffled = list(entries)
    random.Random(3).shuffle(shuffled)
    request = await office.asked()
    seal, close = answers(request, entries)
    for event in (close, *shuffled[:4], seal, *shuffled[4:]):
        await office.speaker.say(event)
        await office.work()

    (draft,) = (await office.get("/invoices"))["items"]
    content = await office.get(f"/invoices/{draft['id']}")
    assert [entry["time_entry_id"] for entry in content["entries"]] == [str(entry.time_entry_id) for entry in entries]
    assert content["lines"][1]["quantity_minutes"] == sum(entry.overage_minutes for entry in entries)


@pytest.mark.parametrize(
    ("starts_on", "ends_on", "is_refused"),
    [
        ("2026-10-15", "2026-11-15", True),
        ("2026-09-15", "2026-10-02", True),
        ("2026-01-01", "2027-01-01", True),
        ("2026-10-31", "2026-11-01", True),
        ("2026-09-01", "2026-10-01", False),
        ("2026-11-01", "2026-12-01", False),
    ],
)
async def test_a_day_is_billed_once(office: Office, starts_on: str, ends_on: str, is_refused: bool) -> None:
    await office.post("/billing-runs", PERIOD)
    await office.speaker.say(a_contract(office.client, office.contract, revision=2, starts_on=date(2026, 1, 1)))

    answer = await office.requests.post(office.manager, "/billing-runs", {"starts_on": starts_on, "ends_on": ends_on})

    assert answer.status_code == (409 if is_refused else 201), answer.text
    if is_refused:
        assert answer.json()["code"] == "period-overlaps"
        assert "Harbour & Lowe from 2026-10-01 to 2026-11-01" in answer.json()["detail"]


async def test_a_preview_shows_the_invoice_and_leaves_no_trace(office: Office) -> None:
    entry = posted(office.client, office.contract, minutes=60, overage=60)
    await office.speaker.say(entry)
    before = await snapshot(office)

    page = await office.get(f"/billing-runs/preview?starts_on={PERIOD['starts_on']}&ends_on={PERIOD['ends_on']}")

    assert await snapshot(office) == before
    (row,) = page["items"]
    assert (row["net_minor"], row["currency"], row["problem"]) == (419_200, "GBP", None)
    assert (await office.issued(entry))["net_minor"] == row["net_minor"]


async def test_a_preview_names_missing_prices_and_every_client_comes_once(office: Office) -> None:
    await some_clients(office, 4)
    only_l2 = (RateTerms(rule_id="r", rate_minor=1, level="L2"),)
    await office.speaker.say(a_contract(office.client, office.contract, revision=2, rates=only_l2))
    await office.speaker.say(posted(office.client, office.contract, overage=60))
    names: list[tuple[str, str | None]] = []
    after: str | None = ""
    while after is not None:
        page = await office.get(
            f"/billing-runs/preview?starts_on=2026-10-01&ends_on=2026-11-01&limit=2{after and f'&after={after}'}"
        )
        names += [(row["client_name"], row["problem"]) for row in page["items"]]
        after = page["next"]

    assert sorted(name for name, _ in names) == ["Client 0", "Client 1", "Client 2", "Client 3", "Harbour & Lowe"]
    assert dict(names)["Harbour & Lowe"] == "the rate card has no price for: network, L1, regular"


async def test_the_review_lists_what_to_look_at(office: Office) -> None:
    lonely = new_id()
    held = HoursHeld(**{**posted(office.client, office.contract, minutes=45).model_dump(), "status": "held"})
    forgotten = posted(office.client, office.contract, minutes=20, worked_from=MONDAY - timedelta(days=30))
    await office.speaker.say(a_client(lonely, "No Contract Ltd"), held)
    entry = posted(office.client, office.contract, minutes=60)
    await office.speaker.say(entry)
    await office.speaker.say(*answers(await office.asked(), [entry]))
    await office.put("/seller", {**SELLER, "tax_id": None})
    await office.work()
    await office.speaker.say(forgotten)

    found = await office.get(f"/billing-runs/{(await office.run())['id']}/review")

    assert [(row["entry_count"], row["worked_minutes"]) for row in found["unapproved"]] == [(1, 45)]
    assert [row["client_name"] for row in found["without_contract"]] == ["No Contract Ltd"]
    assert found["without_contract"][0]["client_code"] == "HLO"
    assert [(row["entry_count"], row["worked_minutes"]) for row in found["leaking"]] == [(1, 20)]
    assert [(row["client_name"], row["code"]) for row in found["findings"]] == [
        ("Harbour & Lowe", "seller-vat-id-missing")
    ]


async def test_an_odd_total_is_pointed_out_but_can_be_issued(office: Office) -> None:
    await office.issued(posted(office.client, office.contract, minutes=60))
    november = {"starts_on": "2026-11-01", "ends_on": "2026-12-01"}
    run = await office.post("/billing-runs", november)
    entry = posted(office.client, office.contract, minutes=60, overage=60, worked_from=MONDAY + timedelta(days=40))
    await office.speaker.say(entry)
    await office.speaker.say(*answers((await said(office.database, PeriodCloseRequested))[-1], [entry]))
    await office.work()

    (item,) = (await office.get(f"/billing-runs/{run['id']}"))["items"]
    (odd,) = (await office.get(f"/billing-runs/{run['id']}/review"))["findings"]
    assert (odd["code"], odd["invoice_id"]) == ("total-unusual", item["invoice_id"])
    assert [(one["code"], one["blocks"]) for one in item["findings"]] == [("total-unusual", False)]
    assert "is more than 50 % away from 4920.00 GBP, the average of the last 1 periods" in item["findings"][0]["detail"]
    await office.post(f"/billing-runs/{run['id']}/issue", {})
    await office.work()
    assert (await office.get(f"/billing-runs/{run['id']}"))["items"][0]["status"] == "issued"


async def test_what_becomes_of_a_run_is_said_once_for_each_time_it_stands_still(office: Office) -> None:
    async def told() -> list[tuple[str, int, int, int]]:
        for _ in range(2):
            async with office.database.transaction(SYSTEM) as tx:
                await runs.tell_what_runs_become(tx)
        found: list[BillingRunState] = [
            *await said(office.database, BillingRunReady),
            *await said(office.database, BillingRunFinished),
        ]
        return [(type(one).__name__, one.drafted_count, one.blocked_count, one.issued_count) for one in found]

    await office.asked()
    assert await told() == [], "it moves"
    entry = posted(office.client, office.contract, minutes=60)
    await office.speaker.say(entry)
    await office.speaker.say(*answers((await said(office.database, PeriodCloseRequested))[-1], [entry]))
    await office.work()
    assert await told() == [("BillingRunReady", 1, 0, 0)]
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    assert await told() == [("BillingRunReady", 1, 0, 0)], "it moves again"
    await office.work()
    assert await told() == [("BillingRunReady", 1, 0, 0), ("BillingRunFinished", 0, 0, 1)]

    await some_clients(office, 1)
    await office.asked()
    asked = (await said(office.database, PeriodCloseRequested))[-1]
    same = asked.model_dump(include={"period_close_id", "client_id", "starts_on", "ends_on"})
    refusal = PeriodSealRefused(occurred_at=MONDAY, unapproved_count=1, detail="1 entry waits for approval", **same)
    await office.speaker.say(refusal)
    assert (await told())[1:2] == [("BillingRunReady", 0, 1, 1)], "a client came to it later"


async def test_the_run_says_how_far_it_is(office: Office) -> None:
    entries = await some_clients(office, 3)
    await office.asked()
    assert (await office.run())["progress"] == {"step": "drafting", "done": 0, "of": 4, "seconds_left": None}
    await answer_all(office, entries)
    await office.work()

    assert (await office.run())["progress"] == {"step": "drafting", "done": 4, "of": 4, "seconds_left": 0}
    await office.post(f"/billing-runs/{(await office.run())['id']}/issue", {})
    assert (await office.run())["progress"]["step"] == "issuing"
    await office.work()
    assert (await office.run())["progress"] == {"step": "drafting", "done": 4, "of": 4, "seconds_left": 0}


@given(done=st.integers(2, 50), left=st.integers(1, 50), pace=st.integers(1, 60))
def test_the_time_left_follows_the_pace_so_far(done: int, left: int, pace: int) -> None:
    rows = [{"status": "drafted", "drafted_at": MONDAY + timedelta(seconds=pace * n)} for n in range(done)]
    rows += [{"status": "closed", "drafted_at": None}] * left

    found = progress(rows, started_at=MONDAY)

    assert (found["done"], found["of"], found["seconds_left"]) == (done, done + left, pace * left)
