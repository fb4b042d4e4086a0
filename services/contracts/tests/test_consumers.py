"""What the contracts service hears, on a real database."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from contracts import reports
from contracts.domain.entry import TimeEntry
from contracts.domain.ledger import checksum
from contracts.testing import CLOCK, START, a_client_with_contract, an_entry, at, time_told
from msp_events.contracts import (
    BucketBalanceChanged,
    BucketExhausted,
    BucketThresholdCrossed,
    HoursHeld,
    HoursPosted,
    HoursReleased,
    PeriodClosed,
    TimeRefused,
)
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.provisioning import DatabaseUrls
from msp_kit.testing import Speaker, said, superuser_url


async def balance(database: Database, contract_id: UUID) -> tuple[int, int, int, int]:
    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow(
            "SELECT available, held, consumed, overage FROM buckets WHERE contract_id = $1", contract_id
        )
    assert row is not None
    return row["available"], row["held"], row["consumed"], row["overage"]


async def assert_verified(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


def approved(entry: TimeEntry) -> TimeEntry:
    return replace(entry, revision=entry.revision + 1, decision="approved")


async def test_logged_time_is_held_at_once_and_said(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60, "Mon 16:30")

    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))

    assert await balance(database, contract_id) == (540, 60, 0, 0)
    (held,) = await said(database, HoursHeld)
    assert (held.status, held.bucket_minutes, [one.condition for one in held.spans]) == (
        "held",
        60,
        ["regular", "after_hours"],
    )
    assert (await said(database, BucketBalanceChanged))[-1].available_minutes == 540
    await assert_verified(database)


async def test_two_deliveries_are_one(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60)
    logged = time_told(entry, client_id=client_id, contract_id=contract_id)

    envelopes = await speaker.say(logged, time_told(approved(entry), client_id=client_id, contract_id=contract_id))
    before = len(await said(database))
    await speaker.inbox.accept(envelopes)
    await speaker.say(logged)

    assert await balance(database, contract_id) == (540, 0, 60, 0)
    assert len(await said(database)) == before
    await assert_verified(database)


async def test_b6_an_approval_delivered_twice_under_two_ids_debits_once(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60)

    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    for _ in range(2):
        await speaker.say(time_told(approved(entry), client_id=client_id, contract_id=contract_id))

    assert await balance(database, contract_id) == (540, 0, 60, 0)
    assert len(await said(database, HoursPosted)) == 1


async def test_a_batch_says_one_balance_per_contract_and_hours_per_entry(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=6000)
    before = len(await said(database, BucketBalanceChanged))

    await speaker.say(
        *(
            time_told(an_entry(10, f"Mon {hour}:00"), client_id=client_id, contract_id=contract_id)
            for hour in range(9, 17)
        )
    )

    assert len(await said(database, BucketBalanceChanged)) == before + 1
    assert len(await said(database, HoursHeld)) == 8
    assert await balance(database, contract_id) == (5920, 80, 0, 0)


async def test_a_back_dated_entry_displaces_later_ones(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=60)
    later, earlier = an_entry(60, "Wed 09:00"), an_entry(40, "Mon 09:00")

    for entry in (later, earlier):
        await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))

    assert await balance(database, contract_id) == (0, 60, 0, 40)
    *_, displaced = [one for one in await said(database, HoursHeld) if one.time_entry_id == later.id]
    assert (displaced.revision, displaced.bucket_minutes, displaced.overage_minutes) == (2, 20, 40)
    await assert_verified(database)


async def test_rejected_time_gives_the_minutes_back(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60)

    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    await speaker.say(
        time_told(replace(entry, revision=2, decision="rejected"), client_id=client_id, contract_id=contract_id)
    )

    assert await balance(database, contract_id) == (600, 0, 0, 0)
    (released,) = await said(database, HoursReleased)
    assert (released.bucket_minutes, released.revision) == (0, 2)
    await assert_verified(database)


async def test_time_no_contract_can_take_is_refused_with_the_rule(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)

    await speaker.say(time_told(an_entry(60, level="SA"), client_id=client_id, contract_id=contract_id))

    (refused,) = await said(database, TimeRefused)
    assert refused.reason == "level-outside-contract"
    assert await balance(database, contract_id) == (600, 0, 0, 0)


async def test_time_on_an_unknown_contract_waits_for_another_try(database: Database, speaker: Speaker) -> None:
    await speaker.say(time_told(an_entry(60), client_id=new_id(), contract_id=new_id()))

    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow("SELECT status, error_code, error_text FROM bus.inbox")
    assert row is not None
    assert (row["status"], row["error_code"]) == ("retry", "Transient")
    assert "is not known here" in row["error_text"]


async def test_a_foreign_client_cannot_use_a_contract(database: Database, speaker: Speaker) -> None:
    _, contract_id = await a_client_with_contract(database, minutes=600)

    await speaker.say(time_told(an_entry(60), client_id=new_id(), contract_id=contract_id))

    assert await balance(database, contract_id) == (600, 0, 0, 0)


async def test_alerts_are_said_once_and_again_after_a_top_up(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    first, rest = an_entry(80, "Mon 09:00"), an_entry(40, "Tue 09:00")

    await speaker.say(time_told(first, client_id=client_id, contract_id=contract_id))
    assert [one.threshold_percent for one in await said(database, BucketThresholdCrossed)] == [75]
    await speaker.say(time_told(rest, client_id=client_id, contract_id=contract_id))
    await speaker.say(time_told(approved(rest), client_id=client_id, contract_id=contract_id))

    assert [one.threshold_percent for one in await said(database, BucketThresholdCrossed)] == [75, 90, 100]
    assert len(await said(database, BucketExhausted)) == 1


async def test_several_contracts_in_one_batch_each_get_their_own(database: Database, speaker: Speaker) -> None:
    one = await a_client_with_contract(database, minutes=600)
    two = await a_client_with_contract(database, minutes=300, code="MIL")

    await speaker.say(
        *(
            time_told(an_entry(30, f"Mon {hour}:00"), client_id=client_id, contract_id=contract_id)
            for hour in (9, 10)
            for client_id, contract_id in (one, two)
        )
    )

    assert await balance(database, one[1]) == (540, 60, 0, 0)
    assert await balance(database, two[1]) == (240, 60, 0, 0)
    await assert_verified(database)


# ---- closing a period ---------------------------------------------------------------------------------------------


def sealed(
    client_id: UUID, entries: list[TimeEntry], *, ago: timedelta = timedelta(0), **changes: object
) -> WorklogSealed:
    facts: dict[str, object] = {
        "ends_on": START.date() + timedelta(days=7),
        "entry_count": len(entries),
        "worked_minutes": sum(one.work.worked_minutes for one in entries),
        "checksum": checksum((one.id, one.work.worked_minutes) for one in entries),
    }
    return WorklogSealed(
        occurred_at=CLOCK - ago,
        period_close_id=new_id(),
        client_id=client_id,
        starts_on=START.date(),
        **{**facts, **changes},
    )


async def test_a_period_closes_when_the_totals_agree(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    entries = [an_entry(60, "Mon 09:00"), an_entry(60, "Tue 09:00")]
    outside = an_entry(30, START + timedelta(days=7))
    await speaker.say(
        *(time_told(approved(one), client_id=client_id, contract_id=contract_id) for one in (*entries, outside))
    )

    seal = sealed(client_id, entries)
    await speaker.say(seal)
    await speaker.say(seal)

    first, again = await said(database, PeriodClosed)
    assert (first.outcome, first.entry_count, first.worked_minutes) == ("closed", 2, 120)
    assert again.model_dump(exclude={"occurred_at"}) == first.model_dump(exclude={"occurred_at"})
    (statement,) = first.contracts
    assert (statement.opening_minutes, statement.granted_minutes, statement.consumed_minutes) == (0, 100, 100)
    assert (statement.closing_minutes, statement.overage_minutes) == (0, 20)
    await assert_verified(database)


async def test_late_work_goes_to_the_next_period_and_is_marked(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry, late = an_entry(60, "Mon 09:00"), an_entry(30, "Mon 11:00")
    await speaker.say(time_told(approved(entry), client_id=client_id, contract_id=contract_id))
    await speaker.say(sealed(client_id, [entry]))

    await speaker.say(time_told(approved(late), client_id=client_id, contract_id=contract_id))
    await speaker.say(sealed(client_id, [late], ends_on=START.date() + timedelta(days=14)))

    *_, posted = await said(database, HoursPosted)
    assert (posted.time_entry_id, posted.is_late) == (late.id, True)
    first, second = await said(database, PeriodClosed)
    assert [one.outcome for one in (first, second)] == ["closed", "closed"]
    (statement,) = second.contracts
    assert (statement.opening_minutes, statement.consumed_minutes, statement.closing_minutes) == (540, 30, 510)
    await assert_verified(database)


async def test_a_ledger_that_is_behind_is_asked_again_and_at_last_said_to_differ(
    database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    known, missing = an_entry(60, "Mon 09:00"), an_entry(30, "Tue 09:00")
    await speaker.say(time_told(approved(known), client_id=client_id, contract_id=contract_id))

    async with database.transaction(SYSTEM) as tx:
        ago = CLOCK - tx.now
    await speaker.say(sealed(client_id, [known, missing], ago=ago))
    assert await said(database, PeriodClosed) == []
    await speaker.say(sealed(client_id, [known, missing], ago=ago + timedelta(minutes=5)))

    (differs,) = await said(database, PeriodClosed)
    assert differs.outcome == "differs"
    assert differs.detail == "tickets sealed 2 entries of 90 minutes, the ledger has 1 of 60"


# ---- the ledger cannot be changed ---------------------------------------------------------------------------------


async def test_the_process_cannot_change_or_delete_postings(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    await speaker.say(time_told(an_entry(60), client_id=client_id, contract_id=contract_id))

    for statement in ("UPDATE postings SET minutes = 1", "DELETE FROM postings", "TRUNCATE postings"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(SYSTEM) as tx:
                await tx.fetch(statement)


async def test_even_a_superuser_is_refused_until_the_trigger_is_off_and_then_verify_names_the_row(
    database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    await speaker.say(time_told(an_entry(60), client_id=client_id, contract_id=contract_id))
    await speaker.say(time_told(an_entry(30, "Tue 09:00"), client_id=client_id, contract_id=contract_id))

    connection = await asyncpg.connect(superuser_url(DatabaseUrls(app=database.url, owner="")))
    try:
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await connection.execute("UPDATE postings SET minutes = 10 WHERE seq = 2")
        await connection.execute("SET session_replication_role = replica")
        await connection.execute("UPDATE postings SET minutes = 10 WHERE seq = 2")
    finally:
        await connection.close()

    async with database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == [
            "C-0001: posting 2 was changed after it was sealed: its hash does not fit its facts"
        ]


async def test_entries_worked_at_the_same_instant_are_ordered_by_id(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=60)
    first, second = sorted((an_entry(60, at("Mon 09:00")), an_entry(60, at("Mon 09:00"))), key=lambda one: one.id)

    await speaker.say(time_told(second, client_id=client_id, contract_id=contract_id))
    await speaker.say(time_told(first, client_id=client_id, contract_id=contract_id))

    held = {one.time_entry_id: one.overage_minutes for one in await said(database, HoursHeld)}
    assert held == {first.id: 0, second.id: 60}
    await assert_verified(database)
