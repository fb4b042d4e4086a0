"""Tables out and in: every row is taken or named, and no cell is a formula."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx2 as httpx
import pytest
from hypothesis import given
from hypothesis.strategies import binary

from msp_events.tickets import ImportFinished, TicketRaised
from msp_kit import identity
from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person, said
from tickets import reports
from tickets.domain.table import NoTable, read

HEADER = "client_code,title,job_type,priority,level,tags\n"


async def sent(desk: Any, what: str, content: str | bytes, *, by: Any = None) -> Any:
    body, path = content if isinstance(content, bytes) else content.encode(), f"/tables/{what}"
    token = desk.requests.signer.sign(by or desk.manager, audience="tickets", method="POST", target=path, body=body)
    transport = httpx.ASGITransport(app=desk.requests.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        return await client.post(path, content=body, headers={identity.HEADER: token, "content-type": "text/csv"})


async def test_rows_that_cannot_be_taken_are_named_and_the_others_are_taken(desk: Any) -> None:
    rows = [
        "HLO,VPN drops,network,high,L1,vpn vip",
        "HLO,VPN,network,urgent,L1,",
        "HLO,VPN,security,high,L1,",
        "XXX,VPN,network,high,L1,",
        "HLO,Printer,workplace,low,L2,",
    ]

    await sent(desk, "tickets?trial=true", HEADER + "\n".join(rows))
    done = (await sent(desk, "tickets", HEADER + "\n".join(rows))).json()

    assert done["taken"] == 2
    (told,) = await said(desk.database, ImportFinished)
    assert (told.kind, told.taken_count, told.refused_count, told.actor) == ("tickets", 2, 3, str(desk.manager.id))
    assert [(one["line"], one["column"]) for one in done["refused"]] == [(3, "priority"), (4, None), (5, None)]
    assert "covers network" in done["refused"][1]["detail"]
    assert done["refused"][2]["detail"] == "there is no client XXX"
    raised = await said(desk.database, TicketRaised)
    assert [(one.ref, one.tags, one.source) for one in raised] == [
        ("HLO-1", ("vip", "vpn"), "table"),
        ("HLO-2", (), "table"),
    ]
    async with desk.database.transaction(SYSTEM) as tx:
        assert await reports.verify(tx) == [], "what was refused took no number"


async def test_a_title_that_is_a_formula_goes_out_harmless_and_comes_back_as_it_was(desk: Any) -> None:
    await desk.raised(title="=cmd|' /C calc'!A0")

    file = (await desk.requests.get(desk.agent, "/tables/tickets.csv")).text
    done = await sent(desk, "tickets", file)

    (row,) = csv.DictReader(io.StringIO(file))
    assert row["title"] == "'=cmd|' /C calc'!A0"
    assert (done.json()["taken"], "ref" in done.json()["ignored_columns"]) == (1, True)
    assert [one.title for one in await said(desk.database, TicketRaised)] == ["=cmd|' /C calc'!A0"] * 2


async def test_agents_and_projects_go_out_and_in(desk: Any) -> None:
    agents = await sent(desk, "agents", "name;levels;skills\nAda;L1 L2;network\nAda;L1;\nBob;L9;\n")
    projects = await sent(
        desk, "projects", "client_code,contract_ref,name,budget_minutes\nHLO,C-0001,Move,600\nHLO,C-0002,Theirs,\n"
    )

    assert (agents.json()["taken"], [one["line"] for one in agents.json()["refused"]]) == (1, [3, 4])
    assert projects.json()["refused"] == [
        {"line": 3, "column": None, "detail": "the client has no active contract C-0002"}
    ]
    (ada,) = csv.DictReader(io.StringIO((await desk.requests.get(desk.agent, "/tables/agents.csv")).text))
    (move,) = csv.DictReader(io.StringIO((await desk.requests.get(desk.agent, "/tables/projects.csv")).text))
    assert (ada["levels"], ada["skills"]) == ("L1 L2", "network")
    assert (move["ref"], move["budget_minutes"], move["worked_minutes"]) == ("HLO-P1", "600", "0")


async def test_a_trial_answers_the_same_and_keeps_nothing(desk: Any) -> None:
    rows = HEADER + "HLO,VPN drops,network,high,L1,\nXXX,VPN,network,high,L1,\n"

    tried = (await sent(desk, "tickets?trial=true", rows)).json()

    assert (tried["taken"], [one["line"] for one in tried["refused"]], tried["is_trial"]) == (1, [3], True)
    assert (await desk.requests.get(desk.agent, "/tickets")).json()["items"] == []
    assert await said(desk.database, TicketRaised) == []
    assert (await sent(desk, "tickets", rows)).json() == {**tried, "is_trial": False}
    assert [one.ref for one in await said(desk.database, TicketRaised)] == ["HLO-1"]


@pytest.mark.parametrize(
    ("what", "row", "column"),
    [
        ("tickets", "HLO," + "x" * 100_000 + ",network,high,L1,", "title"),
        ("tickets", "HLO,\u202e\u200f,network,high,L1,", "title"),
        ("projects", "HLO,C-0001,Move,2026-12-01,2026-11-01", None),
    ],
)
async def test_a_row_beyond_all_bounds_is_named_and_harms_no_other(desk: Any, what: str, row: str, column: Any) -> None:
    good = "HLO,VPN,network,high,L1," if what == "tickets" else "HLO,C-0001,Move,2026-11-01,2026-12-01"
    header = HEADER if what == "tickets" else "client_code,contract_ref,name,starts_on,due_on\n"

    done = (await sent(desk, what, f"{header}{row}\n{good}\n")).json()

    assert done["taken"] == 1
    assert [(one["line"], one["column"]) for one in done["refused"]] == [(2, column)]


@pytest.mark.parametrize("content", ["title\nVPN\n", "", b"\xff\xfe\x00", HEADER + "x" * 200_000 + '"'])
async def test_what_is_no_table_is_told(desk: Any, content: str | bytes) -> None:
    answer = await sent(desk, "tickets", content)

    assert (answer.status_code, answer.json()["code"]) == (422, "no-table")


@pytest.mark.parametrize(
    "filters",
    [
        "priority=low",
        "status=open_any&tag=vip&sort=updated",
        "text=printer",
        "unassigned=true",
        "watched=true",
        "queue=x",
    ],
)
async def test_a_file_holds_the_very_rows_of_its_list(desk: Any, filters: str) -> None:
    await desk.raised(title="Printer", priority="low")
    await desk.raised(tags=["vip"])
    await desk.raised(title="Printer again", tags=["vip"])

    listed = (await desk.requests.get(desk.agent, f"/tickets?{filters}")).json()["items"]
    file = (await desk.requests.get(desk.agent, f"/tables/tickets.csv?{filters}")).text

    assert [row["ref"] for row in csv.DictReader(io.StringIO(file))] == [one["ref"] for one in listed]


async def test_the_file_of_a_client_holds_their_tickets_and_nothing_of_the_desk(desk: Any) -> None:
    mine = await desk.raised()
    theirs = await desk.raised(a_client_person(desk.theirs))

    file = (await desk.requests.get(desk.priya, "/tables/tickets.csv?status=open_any&queue=nowhere")).text
    foreign = (await desk.requests.get(desk.priya, f"/tables/tickets.csv?client_id={desk.theirs}")).text

    (row,) = csv.DictReader(io.StringIO(file))
    assert row["ref"] == mine["ref"]
    assert not {"queue", "assignee_name", "tags", "client_code"} & set(row)
    assert theirs["ref"] not in file + foreign
    assert list(csv.DictReader(io.StringIO(foreign))) == []


async def test_tables_are_for_the_desk(desk: Any) -> None:
    assert (await desk.requests.get(desk.priya, "/tables/agents.csv")).status_code == 403
    assert (await desk.requests.get(desk.priya, "/tables/projects.csv")).status_code == 403
    assert (await sent(desk, "tickets", HEADER, by=desk.agent)).status_code == 403


@given(binary(max_size=200))
def test_any_bytes_are_a_table_or_are_refused(content: bytes) -> None:
    try:
        table = read(content, columns=["a", "b"], needed=[])
    except NoTable:
        return
    assert all(set(row) <= {"a", "b"} for _, row in table.rows)
