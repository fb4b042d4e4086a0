"""The queue of what waits for its invoice, and the drafts the database writes from it."""

from __future__ import annotations

import importlib
import json
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from office import Office

from billing.actions import drafting, runs
from billing.domain.invoice import Control
from billing.domain.work import Summed
from billing.store import intake, unbilled
from billing.store.canonical import canonical
from billing.testing import MONDAY, SELLER, a_contract, answers, posted
from msp_events.base import Span
from msp_events.contracts import HoursHeld, HoursReleased, RateTerms
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.provisioning import with_database
from msp_kit.testing import admin_url

MIGRATION = importlib.import_module("billing.migrations.versions.20261125_work_waits_in_a_queue")
NASTY = (
    'quoted "twice" and back\\slashed \\u0041',
    "tab\tfeed\nreturn\rbell\x07delete\x7fnext\x85",
    "separators \u2028\u2029 nothing \ufffe\uffff private \ue000",
    "Grüße \N{SNOWMAN} \N{THUMBS UP SIGN} 日本 \u202ereversed",
    "record \x1e separator, unit \x1f, nothing",
    "",
)


def _span(condition: str, *, weight: int = 100, **minutes: int) -> Span:
    billed = sum(minutes.values())
    return Span.model_validate(
        {
            "condition": condition,
            "starts_at": MONDAY,
            "worked_minutes": billed,
            "billed_minutes": billed,
            "weight_percent": weight,
            "rule_ids": ("rule-a", "rule-b") if weight > 100 else ("rule-b",),
            **minutes,
        }
    )


def all_sorts(office: Office, *contracts: Any) -> list[Any]:
    """Return posted entries with every kind of span, text and instant, oldest last."""
    spans = (
        (_span("regular", overage_minutes=30),),
        (_span("regular", overage_minutes=20), _span("weekend", weight=150, overage_minutes=25)),
        (_span("weekend", time_and_materials_minutes=15, overage_minutes=5), _span("weekend", overage_minutes=5)),
        (_span("regular", bucket_billed_minutes=60, bucket_minutes=60),),
        (),
    )
    return [
        posted(
            office.client,
            contracts[number % len(contracts)],
            minutes=sum(one.worked_minutes for one in spans[number % len(spans)]) or 10,
            spans=spans[number % len(spans)],
            note=NASTY[number % len(NASTY)],
            agent_name=f'Tom "{number}" O\'Kafor',
            task_id=new_id() if number % 3 == 0 else None,
            level=f"L{number % 2 + 1}",
            excluded_minutes=number % 2,
            worked_from=MONDAY + timedelta(hours=-(number // 2), microseconds=number % 3),
        )
        for number in range(30)
    ]


async def rows(office: Office) -> list[dict[str, Any]]:
    async with office.database.transaction(SYSTEM) as tx:
        found = await tx.fetch("SELECT * FROM unbilled ORDER BY time_entry_id")
    return [{name: value for name, value in row.items() if name != "n"} for row in found]


async def content_of_draft(office: Office) -> str:
    async with office.database.transaction(SYSTEM) as tx:
        text: str = await tx.fetchval("SELECT content FROM invoices")
    return text


async def owner(office: Office) -> asyncpg.Connection[asyncpg.Record]:
    return await asyncpg.connect(with_database(admin_url(), database=office.database.url.rpartition("/")[2]))


async def test_the_database_writes_a_draft_as_the_service_would_byte_for_byte(office: Office) -> None:
    other = new_id()
    rates = (RateTerms(rule_id="r", rate_minor=9100), RateTerms(rule_id="w", rate_minor=9200, condition="weekend"))
    await office.speaker.say(
        a_contract(office.client, office.contract, revision=2, rates=rates),
        a_contract(office.client, other, ref="C-0002", rates=rates),
    )
    entries = all_sorts(office, office.contract, other)

    draft = await office.drafted(*entries)

    written = await content_of_draft(office)
    assert [one["time_entry_id"] for one in draft["entries"]] == [
        str(one.time_entry_id) for one in sorted(entries, key=lambda one: (one.worked_from, one.time_entry_id))
    ]
    async with office.database.transaction(SYSTEM) as tx:
        await drafting.make_anew(tx, invoice_id=draft["id"], seller=SELLER)
    again = await content_of_draft(office)
    assert written == again == canonical(json.loads(written))
    assert await rows(office) == []
    assert await office.verified() == []


async def test_the_database_adds_up_as_the_service_does(office: Office) -> None:
    entries = all_sorts(office, office.contract)
    await office.speaker.say(*entries)

    async with office.database.transaction(SYSTEM) as tx:
        found = await unbilled.waiting(tx, client_id=office.client, before=MONDAY + timedelta(days=1))
        states = await tx.fetch("SELECT time_entry_id, contract_id, worked_from, state::text FROM hours")

    expected = Summed.of(intake.work_of(*row) for row in states)
    assert list(found.summed.asked.items()) == list(expected.asked.items())
    assert found.summed.worked == expected.worked
    assert found.control == Control.of((str(one.time_entry_id), one.worked_minutes) for one in entries)


async def test_what_waited_before_the_queue_was_there_is_in_it_as_if_it_came_now(office: Office) -> None:
    await office.speaker.say(*all_sorts(office, office.contract))
    expected = await rows(office)
    connection = await owner(office)
    try:
        await connection.execute("DELETE FROM unbilled")
        await connection.execute(MIGRATION.FILL)
    finally:
        await connection.close()

    assert len(expected) == 30
    assert await rows(office) == expected


async def test_only_the_newest_stamp_waits_and_only_while_it_is_posted(office: Office) -> None:
    first = posted(office.client, office.contract, minutes=60, revision=2)
    newer = posted(office.client, office.contract, minutes=45, revision=3, time_entry_id=first.time_entry_id)
    held = HoursHeld(**{**posted(office.client, office.contract).model_dump(), "status": "held"})
    await office.speaker.say(first, held)
    await office.speaker.say(newer)
    await office.speaker.say(first)

    assert [(row["revision"], row["worked_minutes"]) for row in await rows(office)] == [(3, 45)]
    assert await office.verified() == []

    await office.speaker.say(HoursReleased(**{**newer.model_dump(), "status": "released", "revision": 4}))
    assert await rows(office) == []
    assert await office.verified() == []


async def test_what_is_invoiced_waits_no_more_whatever_is_said_of_it(office: Office) -> None:
    entry = posted(office.client, office.contract, minutes=60, overage=60)
    await office.issued(entry)

    await office.speaker.say(posted(**{**entry.model_dump(exclude={"event_id"}), "revision": 9, "minutes": 30}))

    assert await rows(office) == []
    assert (await office.get(f"/whereabouts/{entry.time_entry_id}"))["worked_minutes"] == 60
    assert await office.verified() == []


async def test_what_was_approved_after_the_sealing_waits_for_the_next_period(office: Office) -> None:
    sealed = [posted(office.client, office.contract, overage=10) for _ in range(2)]
    late = posted(office.client, office.contract, overage=10, occurred_at=MONDAY + timedelta(days=1))
    request = await office.asked()
    await office.speaker.say(late, *sealed)
    await office.speaker.say(*answers(request, sealed))
    await office.work()

    (found,) = (await office.get("/invoices?status=draft"))["items"]
    assert found["worked_minutes"] == 120
    assert [row["time_entry_id"] for row in await rows(office)] == [late.time_entry_id]


async def test_a_stamp_that_changes_while_its_draft_is_made_is_not_billed_as_it_was(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = posted(office.client, office.contract, minutes=60, overage=60)
    await office.speaker.say(entry)
    await office.speaker.say(*answers(await office.asked(), [entry]))
    newer = posted(office.client, office.contract, overage=30, revision=3, time_entry_id=entry.time_entry_id)
    add = drafting.add

    async def add_late(*given: Any, **named: Any) -> int:
        await office.speaker.say(newer)
        return await add(*given, **named)

    with monkeypatch.context() as meanwhile, pytest.raises(runs.WorkChanged, match="1 entries were priced, 0 of them"):
        meanwhile.setattr(drafting, "add", add_late)
        async with office.database.transaction(SYSTEM) as tx:
            await runs.draft_next(tx, default_seller=SELLER)
    assert (await office.get("/invoices"))["items"] == []
    await office.work()

    (found,) = (await office.get("/invoices?status=draft"))["items"]
    assert (await office.get(f"/invoices/{found['id']}"))["lines"][1]["quantity_minutes"] == 30


async def test_work_that_is_lost_or_waits_twice_is_found(office: Office) -> None:
    lost, kept = (posted(office.client, office.contract) for _ in range(2))
    await office.issued(kept)
    await office.speaker.say(lost)
    connection = await owner(office)
    try:
        await connection.execute(
            "UPDATE unbilled SET time_entry_id = $1 WHERE time_entry_id = $2", kept.time_entry_id, lost.time_entry_id
        )
    finally:
        await connection.close()

    assert sorted(await office.verified()) == sorted(
        [
            f"time entry {lost.time_entry_id}: is posted, but neither waits for an invoice nor is on one",
            f"time entry {kept.time_entry_id}: waits for an invoice and is on one",
        ]
    )
