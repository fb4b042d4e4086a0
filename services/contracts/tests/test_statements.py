"""What was known when: balances and statements, closed periods that do not change, and periods opened again."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pypdf
import pytest

from contracts import reports
from contracts.domain.entry import TimeEntry
from contracts.domain.ledger import checksum
from contracts.reports import statements
from contracts.testing import START, a_client_with_contract, an_entry, time_told
from msp_events.billing import InvoiceIssued
from msp_events.contracts import HoursPosted, PeriodClosed, PeriodReopened
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person, said

MANAGER = a_staff_person("manager")
MONDAY = START.date()


async def now(database: Database) -> datetime:
    async with database.transaction(SYSTEM) as tx:
        return tx.now


async def verified(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == []


def a_seal(client_id: UUID, entries: list[TimeEntry], *, days: int = 7, close_id: UUID | None = None) -> WorklogSealed:
    return WorklogSealed(
        occurred_at=START,
        period_close_id=close_id or new_id(),
        client_id=client_id,
        starts_on=MONDAY,
        ends_on=MONDAY + timedelta(days=days),
        entry_count=len(entries),
        worked_minutes=sum(one.work.worked_minutes for one in entries),
        checksum=checksum((one.id, one.work.worked_minutes) for one in entries),
    )


async def test_the_balance_is_told_for_any_worked_instant_as_known_at_any_other(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    empty = await now(database)
    monday, tuesday = an_entry(60, "Mon 09:00"), an_entry(90, "Tue 09:00")
    await speaker.say(time_told(tuesday, client_id=client_id, contract_id=contract_id))
    first = await now(database)
    await speaker.say(time_told(monday, client_id=client_id, contract_id=contract_id))
    edited = replace(tuesday, revision=2, work=replace(tuesday.work, worked_minutes=30))
    second = await now(database)
    await speaker.say(time_told(edited, client_id=client_id, contract_id=contract_id))

    async def held(at: str, known_at: datetime | None = None) -> tuple[int, int]:
        path = f"/contracts/{contract_id}/balance?at={at}:00Z"
        path += "" if known_at is None else f"&known_at={known_at.isoformat().replace('+00:00', 'Z')}"
        found = (await requests.get(MANAGER, path)).json()
        return found["held_minutes"], found["available_minutes"]

    assert await held("2026-11-02T12:00") == (60, 540)
    assert await held("2026-11-03T12:00") == (90, 510)
    assert await held("2026-11-03T12:00", second) == (150, 450)
    assert await held("2026-11-03T12:00", first) == (90, 510)
    assert await held("2026-11-02T12:00", first) == (0, 600)
    assert await held("2026-11-03T12:00", empty) == (0, 600)
    assert await held("2026-11-01T12:00") == (0, 0)
    live = (await requests.get(MANAGER, f"/contracts/{contract_id}/balance")).json()
    assert live["held_minutes"] == 90


async def test_a_balance_as_known_is_a_clients_own_only(requests: Requests, database: Database) -> None:
    mine, my_contract = await a_client_with_contract(database)
    _, theirs = await a_client_with_contract(database, code="MIL")
    priya = a_client_person(mine)

    for contract_id, status in ((my_contract, 200), (theirs, 404)):
        for path in ("balance?at=2026-11-03T12:00:00Z", "statement.csv", "statement"):
            assert (await requests.get(priya, f"/contracts/{contract_id}/{path}")).status_code == status, path
    bad = await requests.get(priya, f"/contracts/{my_contract}/balance?at=0001-01-01T00:00:00Z")
    assert bad.json()["code"] == "invalid-request"


async def test_a_closed_statement_stays_and_late_entries_are_corrections_of_the_next(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60, "Mon 09:00", decision="approved")
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    await speaker.say(a_seal(client_id, [entry]))
    path = f"/contracts/{contract_id}/statement"

    async def read(days: str) -> dict[str, Any]:
        found: dict[str, Any] = (await requests.get(MANAGER, f"{path}?{days}")).json()
        return found

    before = await read("from=2026-11-02&to=2026-11-09")
    edited = replace(entry, revision=2, work=replace(entry.work, worked_minutes=90))
    late = an_entry(15, "Tue 09:00", decision="approved")
    for one in (edited, late):
        await speaker.say(time_told(one, client_id=client_id, contract_id=contract_id))
    following = await read("from=2026-11-09&to=2026-11-16")

    assert await read("from=2026-11-02&to=2026-11-09") == before
    assert (before["is_closed"], before["closing_minutes"], following["is_closed"]) == (True, 540, False)
    assert following["opening_minutes"] == 540
    lines = [(one["minutes"], one["balance_minutes"], one["is_correction"]) for one in following["items"]]
    assert lines == [(-30, 510, True), (-15, 495, True)]
    assert [one["is_late"] for one in following["items"]] == [True, True]


async def test_b7_an_edit_after_close_is_a_reversal_pair_in_the_open_period_marked_late(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60, "Mon 09:00", decision="approved")
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    await speaker.say(a_seal(client_id, [entry]))

    edited = replace(entry, revision=2, work=replace(entry.work, worked_minutes=90))
    await speaker.say(time_told(edited, client_id=client_id, contract_id=contract_id))

    *_, posted = await said(database, HoursPosted)
    assert (posted.is_late, posted.bucket_minutes, posted.revision) == (True, 90, 2)
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT seq, kind, minutes, corrects_seq FROM postings ORDER BY seq")
    kinds = [(row["kind"], row["minutes"], row["corrects_seq"]) for row in rows[1:]]
    assert kinds == [
        ("hold", 60, None),
        ("post", 60, None),
        ("correct", 60, 3),
        ("correct", 60, 2),
        ("hold", 90, None),
        ("post", 90, None),
    ]
    (line,) = (await requests.get(MANAGER, f"/contracts/{contract_id}/statement?from=2026-11-09&to=2026-11-16")).json()[
        "items"
    ]
    assert (line["time_entry_id"], line["posting_seqs"]) == (str(entry.id), [4, 5, 6, 7])
    await verified(database)


async def test_what_a_closed_entry_gives_back_pays_for_earlier_open_work(database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    closed, late = an_entry(100, "Tue 09:00", decision="approved"), an_entry(60, "Mon 09:00")
    await speaker.say(time_told(closed, client_id=client_id, contract_id=contract_id))
    await speaker.say(a_seal(client_id, [closed]))
    await speaker.say(time_told(late, client_id=client_id, contract_id=contract_id))
    edited = replace(closed, revision=2, work=replace(closed.work, worked_minutes=70))

    await speaker.say(time_told(edited, client_id=client_id, contract_id=contract_id))

    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT worked_minutes, bucket_minutes, overage_minutes FROM hours ORDER BY worked_from")
    assert [tuple(row) for row in rows] == [(60, 60, 0), (70, 40, 30)]
    await verified(database)


async def test_a_statement_as_a_file_carries_no_formula(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = replace(an_entry(60, "Mon 09:00"), note='=HYPERLINK("http://x")', agent_name="Ana")
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))

    answer = await requests.get(a_client_person(client_id), f"/contracts/{contract_id}/statement.csv?from=2026-11-02")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert [(row["kind"], row["minutes"], row["balance_minutes"]) for row in rows] == [
        ("grant", "600", "600"),
        ("hold", "-60", "540"),
    ]
    assert rows[1]["text"] == '\'=HYPERLINK("http://x")'
    assert (rows[1]["time_entry_id"], rows[1]["agent_name"]) == (str(entry.id), "Ana")


async def test_what_would_change_a_closed_period_is_refused_with_the_rule(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100, expires_on=MONDAY + timedelta(days=5))
    entry = an_entry(60, decision="approved")
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    await speaker.say(a_seal(client_id, [entry]))
    path = f"/contracts/{contract_id}"
    async with database.transaction(SYSTEM) as tx:
        lot_id = await tx.fetchval("SELECT id FROM lots WHERE contract_id = $1", contract_id)

    lot = {"minutes": 60, "price_minor": 0, "valid_from": str(MONDAY + timedelta(days=6))}
    too_early = await requests.post(MANAGER, f"{path}/lots", lot)
    amended = await requests.post(MANAGER, f"{path}/amend", {"effective_from": lot["valid_from"], "levels": ["L1"]})
    adjusted = await requests.post(
        MANAGER, f"{path}/adjustments", {"lot_id": str(lot_id), "minutes": 5, "reason": "counted anew"}
    )

    assert [(one.status_code, one.json()["code"]) for one in (too_early, amended, adjusted)] == [
        (422, "amendment-too-early"),
        (422, "amendment-too-early"),
        (409, "lot-cannot-be-adjusted"),
    ]
    assert "the period up to 2026-11-09 is closed" in too_early.json()["detail"]
    await verified(database)


# ---- opening a period again ---------------------------------------------------------------------------------------


async def test_a_period_opens_again_until_its_invoice_is_issued(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    entry, late = an_entry(60, "Tue 09:00", decision="approved"), an_entry(60, "Mon 09:00", decision="approved")
    close_id = new_id()
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))
    await speaker.say(a_seal(client_id, [entry], close_id=close_id))
    await speaker.say(time_told(late, client_id=client_id, contract_id=contract_id))
    path = f"/period-closes/{close_id}/reopen"

    opened = (await requests.post(MANAGER, path, {"reason": "an entry was missing"})).json()
    again = await requests.post(MANAGER, path, {"reason": "an entry was missing"})

    assert opened["reopen_reason"] == "an entry was missing"
    assert again.json()["code"] == "not-found"
    (told,) = await said(database, PeriodReopened)
    assert told.period_close_id == close_id
    newest = {one.time_entry_id: one for one in await said(database, HoursPosted)}
    assert (newest[late.id].is_late, newest[late.id].overage_minutes) == (False, 0)
    assert newest[entry.id].overage_minutes == 20
    await verified(database)

    await speaker.say(a_seal(client_id, [entry, late], close_id=close_id))
    assert [one.entry_count for one in await said(database, PeriodClosed)] == [1, 2]
    await speaker.say(_issued(client_id))
    refused = await requests.post(MANAGER, path, {"reason": "too late"})
    assert (refused.status_code, refused.json()["code"]) == (409, "period-invoiced")
    assert "2026-0001" in refused.json()["detail"]
    listed = (await requests.get(MANAGER, f"/period-closes?client_id={client_id}")).json()["items"]
    assert [(one["closing"], one["invoice"]) for one in listed] == [(2, "2026-0001"), (1, "2026-0001")]
    await verified(database)


async def test_periods_open_again_in_the_opposite_order(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, _ = await a_client_with_contract(database, minutes=100)
    first, second = new_id(), new_id()
    await speaker.say(a_seal(client_id, [], close_id=first))
    await speaker.say(a_seal(client_id, [], days=14, close_id=second))

    refused = await requests.post(MANAGER, f"/period-closes/{first}/reopen", {"reason": "too early"})

    assert refused.json()["code"] == "period-not-latest"
    for close_id in (second, first):
        assert (await requests.post(MANAGER, f"/period-closes/{close_id}/reopen", {"reason": "why"})).status_code == 200


async def test_work_left_undecided_at_a_close_is_paid_as_if_told_afterwards(
    database: Database, speaker: Speaker
) -> None:
    made = [
        await a_client_with_contract(
            database, code=code, minutes=100, expires_on=MONDAY + timedelta(days=3), rollover={"percent": 100}
        )
        for code in ("HLO", "MIL")
    ]
    for (client_id, contract_id), is_early in zip(made, (True, False), strict=True):
        told = time_told(an_entry(60, "Mon 09:00"), client_id=client_id, contract_id=contract_id)
        await speaker.say(*([told] if is_early else []))
        await speaker.say(a_seal(client_id, []))
        await speaker.say(*([] if is_early else [told]))

    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT available, held, overage, expired, carried_in FROM buckets")
    assert [tuple(row) for row in rows] == [(100, 0, 60, 0, 100)] * 2
    await verified(database)


def _issued(client_id: UUID) -> InvoiceIssued:
    return InvoiceIssued(
        occurred_at=START,
        invoice_id=new_id(),
        client_id=client_id,
        revision=2,
        status="issued",
        number="2026-0001",
        currency="EUR",
        starts_on=MONDAY,
        ends_on=MONDAY + timedelta(days=7),
        net_minor=0,
        tax_minor=0,
        gross_minor=0,
        worked_minutes=120,
    )


# ---- on paper ------------------------------------------------------------------------------------------------------

MARKUP = "#panic() *bold* $x^2$ `raw` // not a comment \\ <label> @cite = heading [box] {code}"


def pages_of(document: bytes) -> str:
    """Return the text of a PDF with single spaces."""
    pages = pypdf.PdfReader(io.BytesIO(document)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


async def test_a_statement_is_a_pdf_with_every_line_and_the_same_bytes_twice(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    person = a_client_person(client_id, "requester")
    monday = replace(an_entry(90, ticket_id=new_id()), ref="HLO-1482", agent_name="Tom Okafor", note="Router")
    late = replace(an_entry(30, "Tue 09:00"), ref="HLO-PRJ-1 Move", agent_name="Ana Reyes", note="Cables")
    await speaker.say(*(time_told(one, client_id=client_id, contract_id=contract_id) for one in (monday, late)))
    path = f"/contracts/{contract_id}/statement"
    period = "?from=2026-11-01&to=2026-11-08"

    paper = await requests.get(person, f"{path}.pdf{period}")
    again = await requests.get(MANAGER, f"{path}.pdf{period}")
    lines = (await requests.get(person, f"{path}{period}")).json()
    part = pages_of((await requests.get(person, f"{path}.pdf?from=2026-11-03&to=2026-11-08")).content)
    stranger = a_client_person((await a_client_with_contract(database, code="ABC"))[0], "admin")

    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.headers["content-disposition"] == f'attachment; filename="{lines["ref"]}-2026-11-01.pdf"'
    assert paper.content == again.content
    text = pages_of(paper.content)
    for told in (
        "Harlow Dental",
        "Period 2026-11-01 to 2026-11-07",
        "Opening balance 0:00 h",
        "2026-11-02 00:00 Bucket funded +10:00 h 10:00 h",
        "2026-11-02 09:00 Router (L1, network, on hold) HLO-1482 Tom Okafor \N{MINUS SIGN}1:30 h 8:30 h",
        "2026-11-03 09:00 Cables (L1, network, on hold) HLO-PRJ-1 Move Ana Reyes \N{MINUS SIGN}0:30 h 8:00 h",
        "Closing balance 8:00 h",
        "The period is still open",
    ):
        assert told in text, told
    assert [one["ref"] for one in lines["items"]] == ["", "HLO-1482", "HLO-PRJ-1 Move"]
    assert "Opening balance 8:30 h" in part
    assert "Router" not in part
    assert (await requests.get(stranger, f"{path}.pdf")).status_code == 404


async def test_what_people_wrote_is_text_on_paper_and_never_markup(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database)
    odd = replace(an_entry(90), note=f"{MARKUP} \x07\x1b\u2028", ref="#sys.inputs", agent_name="*Tom* _O_")
    await speaker.say(time_told(odd, client_id=client_id, contract_id=contract_id))

    paper = await requests.get(MANAGER, f"/contracts/{contract_id}/statement.pdf")

    assert paper.status_code == 200
    text = pages_of(paper.content)
    for word in (*MARKUP.split(), "#sys.inputs", "*Tom*", "_O_"):
        assert word in text, word
    assert "\x07" not in text


async def test_a_period_with_too_many_lines_is_refused_instead_of_cut_off(
    requests: Requests, database: Database, speaker: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    client_id, contract_id = await a_client_with_contract(database)
    entries = [an_entry(30, f"Mon {hour:02}:00") for hour in range(9, 12)]
    await speaker.say(*(time_told(one, client_id=client_id, contract_id=contract_id) for one in entries))
    monkeypatch.setattr(statements, "STATEMENT_LINES_MAX", 3)

    whole = await requests.get(MANAGER, f"/contracts/{contract_id}/statement")
    part = await requests.get(MANAGER, f"/contracts/{contract_id}/statement?from=2026-11-03")

    assert (whole.status_code, whole.json()["code"]) == (422, "statement-too-long")
    assert "choose a shorter one" in whole.json()["detail"]
    assert part.status_code == 200
