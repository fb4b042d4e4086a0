"""Lots: order, rollover, expiry in the contract's zone, corrections by two people, on a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from contracts import reports
from contracts.actions import lots
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.contracts import BucketThresholdCrossed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person, said

MANAGER, FINANCE = a_staff_person("manager"), a_staff_person("finance")
ACCOUNTS = "granted, available, held, consumed, overage, expired, carried_in, carried_out, adjusted"


async def balances(database: Database, contract_id: UUID) -> dict[str, int]:
    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow(f"SELECT {ACCOUNTS} FROM buckets WHERE contract_id = $1", contract_id)
        assert await reports.verify(tx) == []
    assert row is not None
    return {name: minutes for name, minutes in row.items() if minutes}


async def let_lapse(database: Database) -> None:
    for _ in range(2):
        async with database.transaction(SYSTEM) as tx:
            await lots.let_lapse(tx)


async def first_lot(database: Database, contract_id: UUID) -> UUID:
    async with database.transaction(SYSTEM) as tx:
        found: UUID = await tx.fetchval("SELECT id FROM lots WHERE contract_id = $1 AND sequence = 1", contract_id)
    return found


async def a_rolling_contract(database: Database, *, minutes: int = 600, **rollover: Any) -> tuple[UUID, UUID]:
    """Give a contract whose bucket ended on its third day, and what its rest becomes."""
    terms = {"percent": 100, "cap_minutes": None, "months": None, "burns": "first", **rollover}
    return await a_client_with_contract(
        database, minutes=minutes, expires_on=START.date() + timedelta(days=2), rollover=terms
    )


async def test_what_is_left_rolls_over_up_to_the_share_and_the_cap(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_rolling_contract(database, percent=50, cap_minutes=200)
    await speaker.say(time_told(an_entry(100, "Mon 09:00"), client_id=client_id, contract_id=contract_id))

    await let_lapse(database)

    assert await balances(database, contract_id) == {
        "granted": 600,
        "held": 100,
        "expired": 300,
        "carried_out": 200,
        "carried_in": 200,
        "available": 200,
    }


async def test_late_work_shrinks_what_was_carried_and_displaces_who_took_it(
    database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_rolling_contract(database, minutes=100)
    after, late = an_entry(80, "Thu 09:00"), an_entry(60, "Mon 09:00")
    await let_lapse(database)
    await speaker.say(time_told(after, client_id=client_id, contract_id=contract_id))
    assert (await balances(database, contract_id))["available"] == 20

    await speaker.say(time_told(late, client_id=client_id, contract_id=contract_id))
    assert await balances(database, contract_id) == {
        "granted": 100,
        "held": 100,
        "overage": 40,
        "carried_out": 40,
        "carried_in": 40,
    }
    voided = replace(late, revision=2, decision="voided")
    await speaker.say(time_told(voided, client_id=client_id, contract_id=contract_id))

    assert await balances(database, contract_id) == {
        "granted": 100,
        "held": 80,
        "carried_out": 100,
        "carried_in": 100,
        "available": 20,
    }


async def test_work_that_came_before_the_lot_lapsed_is_paid_by_what_it_carries(
    database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_rolling_contract(database, minutes=100)
    await speaker.say(time_told(an_entry(80, "Thu 09:00"), client_id=client_id, contract_id=contract_id))
    assert (await balances(database, contract_id))["overage"] == 80

    await let_lapse(database)

    found = await balances(database, contract_id)
    assert (found["held"], found["available"], found.get("overage", 0)) == (80, 20, 0)


async def test_a_carried_lot_has_its_own_expiry_and_is_not_carried_again(database: Database) -> None:
    _, contract_id = await a_rolling_contract(database, minutes=100, months=1)
    await let_lapse(database)
    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow("SELECT valid_from, expires_on FROM lots WHERE origin = 'carried'")
        assert row is not None
        assert (row["valid_from"], row["expires_on"]) == (date(2026, 11, 4), date(2026, 12, 4))
        await tx.driver.execute("UPDATE lots SET ends_at = starts_at + interval '1 day' WHERE origin = 'carried'")

    await let_lapse(database)

    assert await balances(database, contract_id) == {
        "granted": 100,
        "carried_out": 100,
        "carried_in": 100,
        "expired": 100,
    }


# ---- corrections --------------------------------------------------------------------------------------------------


async def ask(
    requests: Requests, contract_id: UUID, lot_id: UUID, minutes: Any, *, reason: str = "counted twice in March"
) -> dict[str, Any]:
    body = {"lot_id": str(lot_id), "minutes": minutes, "reason": reason}
    answer: dict[str, Any] = (await requests.post(MANAGER, f"/contracts/{contract_id}/adjustments", body)).json()
    return answer


async def test_an_adjustment_is_asked_by_one_and_confirmed_by_another(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    await speaker.say(time_told(an_entry(130, "Mon 09:00"), client_id=client_id, contract_id=contract_id))
    lot_id = await first_lot(database, contract_id)
    asked = await ask(requests, contract_id, lot_id, 50)
    path = f"/contracts/{contract_id}/adjustments/{asked['id']}/confirm"

    own = await requests.post(MANAGER, path)
    assert (own.status_code, own.json()["code"]) == (409, "second-person-missing")
    assert (await balances(database, contract_id))["overage"] == 30
    confirmed = (await requests.post(FINANCE, path)).json()
    again = await requests.post(FINANCE, path)

    assert (confirmed["status"], confirmed["decided_by"]) == ("confirmed", str(FINANCE.id))
    assert again.json()["code"] == "adjustment-decided"
    assert await balances(database, contract_id) == {"granted": 100, "adjusted": 50, "held": 130, "available": 20}
    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow("SELECT kind, reason, actor FROM postings WHERE kind = 'adjust'")
    assert row is not None
    assert tuple(row) == ("adjust", "counted twice in March", str(FINANCE.id))


async def test_minutes_can_be_taken_until_closed_work_needs_them(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database, minutes=100)
    lot_id = await first_lot(database, contract_id)

    too_much = await ask(requests, contract_id, lot_id, -101)
    asked = await ask(requests, contract_id, lot_id, -100)
    await requests.post(FINANCE, f"/contracts/{contract_id}/adjustments/{asked['id']}/confirm")

    assert too_much["code"] == "lot-has-too-little"
    assert await balances(database, contract_id) == {"granted": 100, "adjusted": -100}


async def test_the_database_refuses_the_same_person_and_any_change_afterwards(
    requests: Requests, database: Database
) -> None:
    _, contract_id = await a_client_with_contract(database, minutes=100)
    asked = await ask(requests, contract_id, await first_lot(database, contract_id), 50)

    for statement, refusal in (
        ("UPDATE adjustments SET status = 'confirmed', decided_by = asked_by, decided_at = now()", "two_people"),
        ("UPDATE adjustments SET minutes = 5000", "kept as it was asked"),
    ):
        with pytest.raises(asyncpg.PostgresError, match=refusal):
            async with database.transaction(SYSTEM) as tx:
                await tx.fetch(statement)
    declined = await requests.post(MANAGER, f"/contracts/{contract_id}/adjustments/{asked['id']}/decline")
    assert declined.json()["status"] == "declined"
    with pytest.raises(asyncpg.PostgresError, match="decided once"):
        async with database.transaction(SYSTEM) as tx:
            await tx.fetch("UPDATE adjustments SET status = 'asked', decided_by = NULL, decided_at = NULL")


async def test_bad_adjustments_are_refused_with_the_rule(requests: Requests, database: Database) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    lot_id = await first_lot(database, contract_id)

    for minutes, reason in ((0, "why"), (1.5, "why"), (None, "why"), (1, "   ")):
        refused = await ask(requests, contract_id, lot_id, minutes, reason=reason)
        assert refused["code"] == "invalid-request", (minutes, reason)
    assert (await ask(requests, contract_id, new_id(), 10))["code"] == "not-found"
    path = f"/contracts/{contract_id}/adjustments"
    assert (await requests.get(a_client_person(client_id), path)).status_code == 403
    assert (await requests.get(MANAGER, path)).json()["items"] == []


async def test_a_carried_lot_is_not_adjusted(requests: Requests, database: Database) -> None:
    _, contract_id = await a_rolling_contract(database, minutes=100)
    await let_lapse(database)
    async with database.transaction(SYSTEM) as tx:
        carried = await tx.fetchval("SELECT id FROM lots WHERE origin = 'carried'")

    assert (await ask(requests, contract_id, carried, 10))["code"] == "lot-cannot-be-adjusted"


async def test_lots_that_end_before_they_begin_are_refused(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database, minutes=100)
    body = {"minutes": 60, "price_minor": 0, "valid_from": "2026-11-10", "expires_on": "2026-11-10"}

    refused = await requests.post(MANAGER, f"/contracts/{contract_id}/lots", body)

    assert (refused.status_code, refused.json()["code"]) == (422, "invalid-request")
    with pytest.raises(asyncpg.PostgresError, match="lots_end_after_start"):
        async with database.transaction(SYSTEM) as tx:
            await tx.fetch("UPDATE lots SET expires_on = valid_from")


async def test_a_chosen_priority_burns_first(requests: Requests, database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    body = {"minutes": 60, "price_minor": 0, "valid_from": "2026-11-02", "priority": -1}
    await requests.post(MANAGER, f"/contracts/{contract_id}/lots", body)

    await speaker.say(time_told(an_entry(50, "Mon 09:00"), client_id=client_id, contract_id=contract_id))

    lots_left = (await requests.get(MANAGER, f"/contracts/{contract_id}/balance")).json()["lots"]
    assert [(one["minutes"], one["left_minutes"]) for one in lots_left] == [(60, 10), (100, 100)]


async def test_thresholds_are_the_contracts_own_and_rearmed_by_a_top_up(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100, bucket_thresholds_percent=[50])
    entry = an_entry(60, "Mon 09:00")

    async def log(decision: str, revision: int) -> list[int]:
        told = replace(entry, decision=decision, revision=revision)  # type: ignore[arg-type]
        await speaker.say(time_told(told, client_id=client_id, contract_id=contract_id))
        return [one.threshold_percent for one in await said(database, BucketThresholdCrossed)]

    assert await log("submitted", 1) == [50]
    await log("voided", 2)
    assert await log("submitted", 3) == [50]
    await log("voided", 4)
    body = {"minutes": 60, "price_minor": 0, "valid_from": "2026-11-02"}
    await requests.post(MANAGER, f"/contracts/{contract_id}/lots", body)
    assert await log("submitted", 5) == [50, 50]
