"""Hours that a credit note gives back to the bucket, through the real inbox."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from contracts import reports
from contracts.actions import contracts, lots
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.billing import CreditNoteIssued, ReturnedHours
from msp_events.contracts import BucketBalanceChanged, HoursPosted
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Speaker, said

ACCOUNTS = ("granted", "adjusted", "available", "held", "consumed", "overage")


def a_note(client_id: UUID, *returned: ReturnedHours) -> CreditNoteIssued:
    return CreditNoteIssued(
        occurred_at=START,
        credit_note_id=new_id(),
        client_id=client_id,
        invoice_id=new_id(),
        number="CN-2026-0001",
        invoice_number="2026-0001",
        currency="EUR",
        net_minor=0,
        tax_minor=0,
        gross_minor=0,
        reason="the outage was ours",
        returned_hours=returned,
        content_sha256="0" * 64,
    )


async def balances(database: Database, contract_id: UUID) -> dict[str, int]:
    async with database.transaction(SYSTEM) as tx:
        row = await tx.fetchrow(f"SELECT {', '.join(ACCOUNTS)} FROM buckets WHERE contract_id = $1", contract_id)
        assert await reports.verify(tx) == []
    assert row is not None
    return {name: minutes for name, minutes in row.items() if minutes}


async def parked(database: Database) -> list[tuple[str, str]]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT status, error_text FROM bus.inbox WHERE error_text IS NOT NULL")
    return [(row["status"], row["error_text"]) for row in rows]


async def test_a_credit_note_gives_hours_back_once_however_often_it_is_told(
    database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    entry = an_entry(130, "Mon 09:00", decision="approved")
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    assert await balances(database, contract_id) == {"granted": 100, "consumed": 100, "overage": 30}
    back = ReturnedHours(contract_id=contract_id, bucket_minutes=40, time_entry_id=entry.id)
    gesture = ReturnedHours(contract_id=contract_id, bucket_minutes=10)
    note = a_note(client_id, back, gesture)

    envelopes = await speaker.say(note)
    await speaker.inbox.accept(envelopes)
    await speaker.say(note)

    # Open work that was overage is paid by what came back.
    assert await balances(database, contract_id) == {"granted": 100, "adjusted": 50, "consumed": 130, "available": 20}
    assert (await said(database, HoursPosted))[-1].overage_minutes == 0
    assert (await said(database, BucketBalanceChanged))[-1].available_minutes == 20
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT minutes, reason, source FROM postings WHERE kind = 'adjust' ORDER BY seq")
    source = f"credit_note:{note.credit_note_id}"
    assert [tuple(row) for row in rows] == [
        (40, "CN-2026-0001: the outage was ours", source),
        (10, "CN-2026-0001: the outage was ours", source),
    ]
    await speaker.say(a_note(client_id, gesture))
    assert (await balances(database, contract_id))["available"] == 30, "another note is another gift"


async def test_hours_go_back_to_the_lot_they_were_taken_from_while_it_lasts(
    database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    async with database.transaction(SYSTEM) as tx:
        first = await tx.fetchval("SELECT id FROM lots WHERE contract_id = $1", contract_id)
    entry = an_entry(60, "Mon 09:00", decision="approved")
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    wednesday = START.date() + timedelta(days=2)
    top_up = {"minutes": 50, "price_minor": 0, "valid_from": wednesday, "expires_on": None, "priority": -5}
    async with database.transaction(SYSTEM) as tx:
        await contracts.top_up(tx, contract_id, top_up)

    taken = ReturnedHours(contract_id=contract_id, bucket_minutes=60, time_entry_id=entry.id)
    gesture = ReturnedHours(contract_id=contract_id, bucket_minutes=7)
    await speaker.say(a_note(client_id, taken, gesture))

    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT id = $1, adjusted_minutes FROM lots WHERE contract_id = $2", first, contract_id)
    assert sorted(tuple(row) for row in rows) == [(False, 7), (True, 60)], "a gesture goes to the lot that pays next"


async def test_hours_without_a_lot_that_lasts_are_parked_with_what_to_do(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(
        database, minutes=100, expires_on=START.date() + timedelta(days=2)
    )
    async with database.transaction(SYSTEM) as tx:
        await lots.let_lapse(tx)
    before = await balances(database, contract_id)

    await speaker.say(a_note(client_id, ReturnedHours(contract_id=contract_id, bucket_minutes=60)))

    assert await balances(database, contract_id) == before
    ((status, text),) = await parked(database)
    assert status == "parked"
    assert "has no lot that lasts" in text


async def test_hours_for_a_contract_of_somebody_else_wait_and_move_nothing(
    database: Database, speaker: Speaker
) -> None:
    _, contract_id = await a_client_with_contract(database, minutes=100)

    await speaker.say(a_note(new_id(), ReturnedHours(contract_id=contract_id, bucket_minutes=60)))

    assert await balances(database, contract_id) == {"granted": 100, "available": 100}
    ((status, text),) = await parked(database)
    assert (status, str(contract_id) in text) == ("retry", True)
