"""How long a bucket lasts, over HTTP, as a warning that is said once, and as a command."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from contracts import reports
from contracts.__main__ import SERVICE
from contracts.actions import forecasting
from contracts.testing import a_client_with_contract, an_entry, time_told
from msp_events.contracts import BucketShortfallForecast
from msp_kit import cli
from msp_kit.database import SYSTEM, Database
from msp_kit.provisioning import DatabaseUrls
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person, said, set_service_environment

MANAGER = a_staff_person("manager")
DAYS = 55


async def a_steady_contract(database: Database, speaker: Speaker, *, minutes: int) -> tuple[UUID, UUID]:
    """Give a contract that has used an hour on each of the last days, and ends in a month."""
    async with database.transaction(SYSTEM) as tx:
        now = tx.now.replace(hour=10, minute=0, second=0, microsecond=0)
    client_id, contract_id = await a_client_with_contract(
        database,
        minutes=minutes,
        starts_on=(now - timedelta(days=60)).date(),
        ends_on=(now + timedelta(days=30)).date(),
    )
    entries = [an_entry(60, now - timedelta(days=days)) for days in range(1, DAYS + 1)]
    await speaker.say(*(time_told(one, client_id=client_id, contract_id=contract_id) for one in entries))
    return client_id, contract_id


async def ask_all(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE buckets SET forecast_on = NULL")
    for _ in range(2):
        async with database.transaction(SYSTEM) as tx:
            assert await forecasting.warn(tx) is False


async def test_the_day_a_bucket_is_empty_is_told_with_its_interval_and_band(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_steady_contract(database, speaker, minutes=DAYS * 60 + 600)
    priya = a_client_person(client_id)

    found = (await requests.get(priya, f"/contracts/{contract_id}/forecast")).json()

    async with database.transaction(SYSTEM) as tx:
        today = tx.now.date()
    assert found["exhausts_on"] == (today + timedelta(days=9)).isoformat()
    assert found["earliest_on"] <= found["exhausts_on"] <= found["latest_on"]
    assert (found["weekly_minutes"], found["available_minutes"], found["is_short"]) == (420, 600, True)
    assert found["period_ends_on"] == (today + timedelta(days=30)).isoformat()
    assert [one["expected_minutes"] for one in found["band"][:3]] == [540, 480, 420]
    assert found["back_test"]["interval_count"] > 0
    stranger = a_client_person((await a_client_with_contract(database, code="MIL"))[0])
    assert (await requests.get(stranger, f"/contracts/{contract_id}/forecast")).status_code == 404


async def test_forecasts_come_first_to_be_empty_first(requests: Requests, database: Database, speaker: Speaker) -> None:
    await a_client_with_contract(database, code="MIL")
    await a_steady_contract(database, speaker, minutes=4000)

    items = (await requests.get(MANAGER, "/contracts/forecasts")).json()["items"]

    assert [(one["ref"], one["exhausts_on"] is None) for one in items] == [("C-0002", False), ("C-0001", True)]


async def test_a_bucket_that_will_not_last_is_warned_of_once_until_a_top_up(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    _, contract_id = await a_steady_contract(database, speaker, minutes=DAYS * 60 + 600)

    for _ in range(3):
        await ask_all(database)
    (warned,) = await said(database, BucketShortfallForecast)
    assert (warned.contract_id, warned.available_minutes) == (contract_id, 600)
    assert warned.exhausts_on < warned.period_ends_on
    lot = {"minutes": 60, "price_minor": 0, "valid_from": (warned.exhausts_on - timedelta(days=9)).isoformat()}
    assert (await requests.post(MANAGER, f"/contracts/{contract_id}/lots", lot)).status_code == 201
    await ask_all(database)

    assert len(await said(database, BucketShortfallForecast)) == 2
    async with database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


async def test_a_bucket_that_lasts_is_not_warned_of(database: Database, speaker: Speaker) -> None:
    await a_steady_contract(database, speaker, minutes=DAYS * 60 + 6000)

    await ask_all(database)

    assert await said(database, BucketShortfallForecast) == []


async def test_the_back_test_is_shown_by_a_command(
    database: Database, speaker: Speaker, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await a_steady_contract(database, speaker, minutes=4000)
    for name, value in set_service_environment(DatabaseUrls(app=database.url, owner="")).items():
        monkeypatch.setenv(name, value)

    assert await asyncio.to_thread(cli.run, SERVICE, ["backtest"]) == 0

    *_, last = capsys.readouterr().out.strip().splitlines()
    assert last.startswith("all")
    assert last.endswith("%")
