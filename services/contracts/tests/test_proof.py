"""What somebody with the keys to the database changes behind the service's back is found, and named."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from contracts import reports
from contracts.__main__ import SERVICE
from contracts.actions import adjustments, approvals
from contracts.domain.entry import TimeEntry
from contracts.domain.ledger import checksum
from contracts.store import periods as store
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit import cli
from msp_kit.database import SYSTEM, Database, Scope
from msp_kit.provisioning import DatabaseUrls
from msp_kit.testing import Speaker, a_client_person, set_service_environment, superuser_url


@pytest.fixture
async def superuser(database: Database) -> AsyncIterator[asyncpg.Connection[asyncpg.Record]]:
    """Give a connection that no trigger and no grant holds back."""
    connection = await asyncpg.connect(superuser_url(DatabaseUrls(app=database.url, owner="")))
    await connection.execute("SET session_replication_role = replica")
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
async def contract_id(database: Database, speaker: Speaker) -> UUID:
    """Give a contract with a grant, three entries, one of them approved, and some overage."""
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    entries = [an_entry(60, "Mon 09:00", decision="approved"), an_entry(30, "Tue 09:00"), an_entry(30, "Wed 09:00")]
    for entry in entries:
        await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    return contract_id


@pytest.fixture
async def decided_contract_id(database: Database, speaker: Speaker) -> UUID:
    """Give a contract about which people decided: an adjustment, a client's consent and refusal, a closed period."""
    client_id, contract_id = await a_client_with_contract(database, minutes=100, exhaustion_policy="needs_approval")
    asker, confirmer = (Scope(role="staff", client_id=None, actor=str(new_id())) for _ in range(2))
    async with database.transaction(asker) as tx:
        lot_id = await tx.fetchval("SELECT id FROM lots")
        adjustment_id = await adjustments.ask(tx, contract_id, lot_id=lot_id, minutes=-10, reason="counted anew")
    async with database.transaction(confirmer) as tx:
        await adjustments.confirm(tx, contract_id, adjustment_id)
    closed, agreed, declined = (an_entry(80, f"{day} 09:00", decision="approved") for day in ("Mon", "Tue", "Wed"))
    for entry in (closed, agreed, declined):
        await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    approver = a_client_person(client_id, "approver")
    decisions: tuple[tuple[TimeEntry, approvals.Decision, int], ...] = (
        (agreed, "approved", 70),
        (declined, "declined", 80),
    )
    for entry, decision, minutes in decisions:
        async with database.transaction(approver.scope) as tx:
            await approvals.decide(
                tx, entry.id, by=approver, decision=decision, overage_minutes=minutes, reason="so be it"
            )
    async with database.transaction(SYSTEM) as tx:
        await approvals.settle(tx)
    sealed = WorklogSealed(
        occurred_at=START,
        period_close_id=new_id(),
        client_id=client_id,
        starts_on=START.date(),
        ends_on=START.date() + timedelta(days=1),
        entry_count=1,
        worked_minutes=80,
        checksum=checksum([(closed.id, 80)]),
    )
    await speaker.say(sealed)
    async with database.transaction(SYSTEM) as tx:
        await store.insert_invoice(
            tx,
            invoice_id=new_id(),
            client_id=client_id,
            starts_on=sealed.starts_on,
            ends_on=sealed.ends_on,
            number="I-1",
        )
    return contract_id


async def failures(database: Database) -> list[str]:
    async with database.transaction(SYSTEM, is_snapshot=True) as tx:
        return list(await reports.verify(tx))


CHANGED = "was changed after it was sealed"
FORGED = """
    INSERT INTO postings SELECT contract_id, seq + 1, client_id, kind, from_account, to_account, minutes, lot_id,
           corrects_seq, time_entry_id, source || ':again', source_n, effective_at, recorded_at, actor, reason, hash
      FROM postings ORDER BY seq DESC LIMIT 1
"""
TAMPERING = {
    "minutes of a posting": ("UPDATE postings SET minutes = 1 WHERE seq = 2", f"posting 2 {CHANGED}"),
    "instant of a posting": ("UPDATE postings SET effective_at = now() WHERE seq = 3", f"posting 3 {CHANGED}"),
    "reason of a posting": ("UPDATE postings SET reason = 'because' WHERE seq = 1", f"posting 1 {CHANGED}"),
    "actor of a posting": ("UPDATE postings SET actor = 'nobody' WHERE seq = 2", f"posting 2 {CHANGED}"),
    "client of a posting": ("UPDATE postings SET client_id = gen_random_uuid() WHERE seq = 4", f"posting 4 {CHANGED}"),
    "a seal": ("UPDATE postings SET hash = sha256('x') WHERE seq = 3", f"posting 3 {CHANGED}"),
    "a posting taken out": ("DELETE FROM postings WHERE seq = 3", "posting 3 is missing, 4 stands in its place"),
    "the first one taken out": ("DELETE FROM postings WHERE seq = 1", "posting 1 is missing, 2 stands in its place"),
    "the last one taken out": ("DELETE FROM postings WHERE seq = 6", "the chain ends at posting 5, the book says 6"),
    "one added": (FORGED, f"posting 7 {CHANGED}"),
    "one in the place of another": (
        "WITH two AS (DELETE FROM postings WHERE seq = 3 RETURNING *) UPDATE postings SET seq = 3 FROM two WHERE postings.seq = 2",
        "posting 2 is missing, 3 stands in its place",
    ),
    "a balance": ("UPDATE buckets SET available = available + 5, granted = granted + 5", "balances follow as"),
    "the end of the chain": ("UPDATE buckets SET last_seq = last_seq + 1", "the chain ends at posting 6"),
    "what is left of a lot": ("UPDATE lots SET left_minutes = left_minutes + 1", "minutes left, its entries took"),
    "the size of a lot": ("UPDATE lots SET minutes = minutes + 1", "101 minutes, 100 were granted"),
    "what expired": ("UPDATE lots SET left_minutes = 50, expired_minutes = 50", "minutes left, its entries took 100"),
    "a split": (
        "UPDATE hours SET spans = jsonb_set(spans, '{0,overage}', '5') WHERE worked_minutes = 60",
        "a span is not wholly bucket or overage",
    ),
    "who paid": ("UPDATE hours SET legs = '[]' WHERE worked_minutes = 60", "minutes left, its entries took 40"),
    "the work": ("UPDATE hours SET worked_minutes = 90 WHERE worked_minutes = 60", "its spans do not add up"),
    "a decision": ("UPDATE hours SET status = 'posted' WHERE status = 'held'", "minutes of consumed by its split"),
    "when it was worked": (
        f"UPDATE hours SET worked_from = '{START:%Y-%m-%d}T10:00Z' WHERE overage_minutes > 0",
        "is split otherwise than the set of entries says",
    ),
    "hours taken out": ("DELETE FROM hours WHERE worked_minutes = 60", "minutes left, its entries took 40"),
    "overage taken out": ("DELETE FROM hours WHERE overage_minutes > 0", "minutes left, its entries took 90"),
}


@pytest.mark.parametrize("name", TAMPERING)
async def test_tampering_is_found(
    database: Database, contract_id: UUID, superuser: asyncpg.Connection[asyncpg.Record], name: str
) -> None:
    assert await failures(database) == []
    statement, named = TAMPERING[name]

    await superuser.execute(statement)

    (found,) = await failures(database)
    assert found.startswith("C-0001: ")
    assert named in found, contract_id


SEALED = "was changed after it was sealed"
TAMPERING_WITH_DECISIONS = {
    "minutes of an adjustment": ("UPDATE adjustments SET minutes = -9", "is not what two people agreed on"),
    "reason of an adjustment": ("UPDATE adjustments SET reason = 'because'", SEALED),
    "who asked for an adjustment": ("UPDATE adjustments SET asked_by = 'nobody'", SEALED),
    "an adjustment taken out": ("DELETE FROM adjustments", "is not what two people agreed on"),
    "an adjustment undone": (
        "UPDATE adjustments SET status = 'declined', decided_by = asked_by",
        "is not what two people agreed on",
    ),
    "what a client agreed to": ("UPDATE approvals SET overage_minutes = 90 WHERE decision = 'approved'", SEALED),
    "who agreed": ("UPDATE approvals SET decided_by_name = 'Nobody' WHERE decision = 'approved'", SEALED),
    "a consent taken out": (
        "DELETE FROM approvals WHERE decision = 'approved'",
        "a word of the client that nobody gave",
    ),
    "a refusal taken out": (
        "DELETE FROM approvals WHERE decision = 'declined'",
        "a word of the client that nobody gave",
    ),
    "a consent put in": (
        "UPDATE hours SET consented_minutes = 75 WHERE consented_minutes = 70",
        "a word of the client that nobody gave",
    ),
    "terms": (
        'UPDATE contract_versions SET terms = terms || \'{"exhaustion_policy": "overage"}\'',
        "version 1 of the terms",
    ),
    "the day of terms": ("UPDATE contract_versions SET effective_from = effective_from - 1", "version 1 of the terms"),
    "terms taken out": ("UPDATE contracts SET version = 2", "version 2 of the terms is missing"),
    "the totals of a period": ("UPDATE period_closes SET worked_minutes = 81", "the close of the period up to"),
    "a statement": ("UPDATE period_closes SET statements = '[]'", "the close of the period up to"),
    "a close taken out": ("DELETE FROM period_closes", "is closed in a period that is not"),
    "an entry thawed": (
        "UPDATE hours SET period_close_id = gen_random_uuid() WHERE is_closed",
        "in a period that is not",
    ),
    "an invoice": ("UPDATE invoiced_periods SET number = 'I-2'", "the invoice of the period up to"),
}


@pytest.mark.parametrize("name", TAMPERING_WITH_DECISIONS)
async def test_tampering_with_what_people_decided_is_found(
    database: Database, decided_contract_id: UUID, superuser: asyncpg.Connection[asyncpg.Record], name: str
) -> None:
    assert await failures(database) == []
    statement, named = TAMPERING_WITH_DECISIONS[name]

    await superuser.execute(statement)

    (found,) = await failures(database)
    assert found.startswith("C-0001: ")
    assert named in found, decided_contract_id


KEPT = {
    "adjustments": "minutes = 1",
    "approvals": "overage_minutes = 1",
    "contract_versions": "version = 9",
    "invoiced_periods": "number = 'I-9'",
    "period_closes": "worked_minutes = 1",
    "postings": "minutes = 1",
}


@pytest.mark.parametrize("table", KEPT)
async def test_the_service_itself_cannot_change_or_delete_what_is_kept(
    database: Database, decided_contract_id: UUID, table: str
) -> None:
    for statement in (f"UPDATE {table} SET {KEPT[table]}", f"DELETE FROM {table}", f"TRUNCATE {table}"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.PostgresError), match="denied|kept"):
            async with database.transaction(SYSTEM) as tx:
                await tx.driver.execute(statement)
    for table_of_balances in ("buckets", "hours", "lots"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with database.transaction(SYSTEM) as tx:
                await tx.driver.execute(f"DELETE FROM {table_of_balances}")
    assert await failures(database) == [], decided_contract_id


async def test_verify_looks_at_one_contract_when_told(
    database: Database, contract_id: UUID, superuser: asyncpg.Connection[asyncpg.Record]
) -> None:
    await a_client_with_contract(database, code="MIL")
    await superuser.execute("UPDATE postings SET minutes = 1 WHERE contract_id = $1 AND seq = 2", contract_id)

    async with database.transaction(SYSTEM) as tx:
        assert list(await reports.verify(tx, "C-0002")) == []
        assert len(await reports.verify(tx, "C-0001")) == 1
        assert list(await reports.verify(tx, "C-9999")) == ["C-9999: there is no active contract of this ref"]


async def test_the_command_names_what_fails_and_says_so_by_its_exit_code(
    database: Database,
    contract_id: UUID,
    superuser: asyncpg.Connection[asyncpg.Record],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in set_service_environment(DatabaseUrls(app=database.url, owner="")).items():
        monkeypatch.setenv(name, value)

    good = await asyncio.to_thread(cli.run, SERVICE, ["verify", "--contract", "C-0001"])
    await superuser.execute("UPDATE postings SET minutes = 1 WHERE contract_id = $1 AND seq = 2", contract_id)
    bad = await asyncio.to_thread(cli.run, SERVICE, ["verify"])

    said = capsys.readouterr().out
    assert (good, bad) == (0, 1)
    assert "contracts: everything holds" in said
    assert "BROKEN C-0001: posting 2 was changed after it was sealed" in said
