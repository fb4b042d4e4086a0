"""What was worked by month: over all contracts of a client, in its time zone, on a real database."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from contracts.domain.entry import TimeEntry
from contracts.reports.hours import _BY_MONTH
from contracts.testing import a_client_with_contract, an_active_contract, an_entry, time_told
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person

MANAGER = a_staff_person("manager")
WINTER = "/hours/by-month?from=2026-11-01&to=2027-02-01"
MINUTES = ("worked_minutes", "bucket_minutes", "overage_minutes", "time_and_materials_minutes")


async def months(requests: Requests, path: str, by: Any = MANAGER) -> dict[str, tuple[int, ...]]:
    answer = await requests.get(by, path)
    assert answer.status_code == 200, answer.text
    return {one["on"]: tuple(one[name] for name in MINUTES) for one in answer.json()["months"]}


async def tell(speaker: Speaker, client_id: UUID, contract_id: UUID, *entries: TimeEntry) -> None:
    await speaker.say(*(time_told(one, client_id=client_id, contract_id=contract_id) for one in entries))


async def test_the_contracts_of_a_client_add_up(requests: Requests, database: Database, speaker: Speaker) -> None:
    client_id, bucket = await a_client_with_contract(database, minutes=100)
    async with database.transaction(SYSTEM) as tx:
        open_ended = await an_active_contract(tx, client_id, kind="time_and_materials", priority=200)
    await tell(speaker, client_id, bucket, an_entry(60, "Mon 09:00"), an_entry(60, "Tue 09:00", decision="approved"))
    await tell(speaker, client_id, open_ended, an_entry(45, "Wed 09:00"))

    found = await months(requests, WINTER, by=a_client_person(client_id))

    assert found == {"2026-11-01": (165, 100, 20, 45), "2026-12-01": (0, 0, 0, 0), "2027-01-01": (0, 0, 0, 0)}
    assert await months(requests, f"{WINTER}&client_id={client_id}") == found


async def test_what_was_refused_or_taken_back_does_not_count(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60, "Mon 09:00")
    taken_back = an_entry(60, "Mon 09:00", decision="rejected", revision=2, entry_id=entry.id)
    outside = an_entry(30, "Tue 09:00", job_type="cabling")
    await tell(speaker, client_id, contract_id, entry, taken_back, outside, an_entry(15, "Wed 09:00"))

    found = await months(requests, WINTER, by=a_client_person(client_id))

    assert found["2026-11-01"] == (15, 15, 0, 0)


async def test_months_are_those_of_the_client_s_zone_counted_by_hand(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=60_000)
    async with database.transaction(SYSTEM) as tx:
        await tx.fetch("UPDATE clients SET timezone = 'America/New_York' WHERE client_id = $1", client_id)
    zone = ZoneInfo("America/New_York")
    start = datetime(2026, 11, 2, 3, 30, tzinfo=UTC)
    entries = [an_entry(5 + number % 50, start + timedelta(hours=41 * number)) for number in range(50)]
    # Midnight of New York on both sides; to London and to UTC these are the same month.
    edges = [datetime(2026, 12, 1, 4, 59, tzinfo=UTC), datetime(2026, 12, 1, 5, 0, tzinfo=UTC)]
    entries += [an_entry(7, at) for at in edges]
    await tell(speaker, client_id, contract_id, *entries)

    found = await months(requests, WINTER, by=a_client_person(client_id))

    by_hand: Counter[str] = Counter()
    for one in entries:
        by_hand[one.work.worked_from.astimezone(zone).date().replace(day=1).isoformat()] += one.work.worked_minutes
    assert {on: worked for on, (worked, *_) in found.items()} == {on: by_hand[on] for on in found}
    assert by_hand.total() == sum(worked for worked, *_ in found.values())


async def test_clients_see_their_own_hours_and_staff_names_the_client(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    ours, contract_id = await a_client_with_contract(database, minutes=600)
    theirs, _ = await a_client_with_contract(database, minutes=600, code="KES")
    await tell(speaker, ours, contract_id, an_entry(60, "Mon 09:00"))

    assert (await months(requests, WINTER, by=a_client_person(ours)))["2026-11-01"][0] == 60
    assert (await months(requests, WINTER, by=a_client_person(theirs)))["2026-11-01"] == (0, 0, 0, 0)
    for person, path in (
        (a_client_person(theirs), f"{WINTER}&client_id={ours}"),
        (a_client_person(theirs), f"{WINTER}&client_id={new_id()}"),
        (MANAGER, WINTER),
        (MANAGER, f"{WINTER}&client_id={new_id()}"),
    ):
        answer = await requests.get(person, path)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("from=2026-11-02&to=2026-12-01", "not-whole-months"),
        ("from=2024-11-01&to=2026-12-01", "not-whole-months"),
        ("from=1999-11-01&to=1999-12-01", "invalid-request"),
        ("to=2026-12-01", "invalid-request"),
    ],
)
async def test_other_periods_are_refused(requests: Requests, database: Database, asked: str, code: str) -> None:
    client_id, _ = await a_client_with_contract(database, minutes=60)

    answer = await requests.get(a_client_person(client_id), f"/hours/by-month?{asked}")

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_hours_by_month_are_read_by_an_index(requests: Requests, database: Database) -> None:
    client_id, _ = await a_client_with_contract(database, minutes=60)
    async with database.transaction(a_client_person(client_id).scope) as tx:
        on, at = [date(2026, 11, 1)], datetime(2026, 11, 1, tzinfo=UTC)
        await tx.fetch("SET LOCAL enable_seqscan = off")
        lines = await tx.fetch(f"EXPLAIN {_BY_MONTH}", client_id, on, [at], [at + timedelta(days=30)])

    plan = "\n".join(line[0] for line in lines)
    assert "hours_of_client" in plan
    assert "worked_from >= " in plan.partition("Index Cond:")[2].partition("\n")[0]
