"""Compliance is kept as sums: whatever happened in whatever order, they are what the clocks say."""

from __future__ import annotations

import asyncio
import csv
import io
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.inbox import Inbox
from msp_kit.testing import Requests, Speaker, a_client_person, a_database, a_staff_person
from sla import actions, reports, store
from sla.consumers import consumers
from sla.reports.compliance import whole_weeks
from sla.testing import MONDAY, ATicket, a_busy_fortnight, at, hours

MANAGER = a_staff_person("manager")
PERIOD = "from=2026-11-02&to=2026-11-30"
PARTS = ("by_priority", "by_metric", "by_level", "by_job_type", "by_queue", "by_agent", "by_week", "by_client")
COUNTS = ("met", "missed", "open_overdue")


async def tell_a_busy_fortnight(speaker: Speaker, *, tickets: int = 60, seed: int = 7) -> None:
    for said in a_busy_fortnight(tickets=tickets, seed=seed):
        await speaker.say(*said)


async def fold(database: Database) -> None:
    has_more = True
    while has_more:
        async with database.transaction(SYSTEM) as tx:
            has_more = await actions.fold_rollups(tx)


async def fire(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        while await actions.fire_due(tx):
            pass


async def sums(database: Database) -> set[tuple[Any, ...]]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT * FROM rollups WHERE met <> 0 OR missed <> 0 OR open_overdue <> 0")
    return {tuple(row.values()) for row in rows}


async def differences(database: Database) -> list[Mapping[str, Any]]:
    async with database.transaction(SYSTEM) as tx:
        return list(await store.rollup_differences(tx))


async def asked(requests: Requests, path: str) -> Any:
    answer = await requests.get(MANAGER, path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("seed", range(4))
async def test_sums_follow_the_clocks_folded_or_not(database: Database, speaker: Speaker, seed: int) -> None:
    await tell_a_busy_fortnight(speaker, seed=seed)
    assert await differences(database) == [], "changes wait to be folded"

    await fold(database)
    assert await differences(database) == []
    await fire(database)
    assert await differences(database) == []


async def test_a_rebuild_gives_the_same_sums(database: Database, speaker: Speaker) -> None:
    await tell_a_busy_fortnight(speaker)
    await fire(database)
    await fold(database)
    before = await sums(database)

    async with database.transaction(SYSTEM) as tx:
        await store.rebuild_rollups(tx)

    assert await sums(database) == before
    assert len(before) > 100


async def test_a_database_rebuilt_from_the_events_has_the_same_sums(database: Database, speaker: Speaker) -> None:
    """Told a second time, whole tickets at once and with nobody's timers in between, history counts the same."""
    story = list(a_busy_fortnight(tickets=60, seed=3))
    for said in story:
        for one in said:
            await speaker.say(one)
            await fire(database)
    await fold(database)
    live, clocks = await sums(database), await verdicts_of(database)

    async with a_database(service="sla", database="sla", module="sla") as fresh:
        await Speaker(Inbox(fresh, consumers)).say(*(one for said in story for one in said))
        await fire(fresh)
        await fold(fresh)
        rebuilt = await sums(fresh)

        assert await verdicts_of(fresh) == clocks
        assert await differences(fresh) == []
    assert rebuilt == live
    assert len(live) > 100


async def verdicts_of(database: Database) -> list[tuple[Any, ...]]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch(
            "SELECT id, verdict, breached_at, breach_reason, stopped_at, intervals, counted_on, counted_hour FROM clocks ORDER BY id"
        )
    return [tuple(row.values()) for row in rows]


async def test_clocks_saved_again_count_once(database: Database, speaker: Speaker) -> None:
    await tell_a_busy_fortnight(speaker, seed=11)
    await fire(database)
    await fold(database)
    before = await sums(database)
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT id FROM clocks")
        clocks = await store.clocks_by_id(tx, [row["id"] for row in rows])
        stored = [store.TimedClock(clock=one, next_step_at=None, at_risk_at=None) for one in clocks.values()]
        await tx.driver.execute("DELETE FROM rollups")
        await store.save_clocks(tx, [one for one in stored if one.clock.verdict is None])
    await fold(database)

    assert await sums(database) == set()
    async with database.transaction(SYSTEM) as tx:
        await store.rebuild_rollups(tx)
    assert await sums(database) == before


async def test_many_workers_fold_each_change_once(database: Database, speaker: Speaker) -> None:
    await tell_a_busy_fortnight(speaker, tickets=90)

    async def worker() -> None:
        for _ in range(20):
            async with database.transaction(SYSTEM) as tx:
                await store.fold_changes(tx, limit=7)

    await asyncio.gather(*(worker() for _ in range(4)), tell_a_busy_fortnight(speaker, tickets=30, seed=9))
    await fold(database)

    assert await differences(database) == []


async def test_every_kind_of_parts_adds_up_to_the_whole(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    await tell_a_busy_fortnight(speaker)
    await fire(database)

    for state in ("waiting", "folded"):
        whole = await asked(requests, f"/compliance?{PERIOD}")
        assert whole["met"] > 10 < whole["missed"], state
        for parts in PARTS:
            for name in COUNTS:
                assert sum(part[name] for part in whole[parts]) == whole[name], (state, parts, name)
        assert sum(map(sum, whole["heatmap"])) == whole["missed"] + whole["open_overdue"]
        await fold(database)


async def test_a_period_of_days_is_cut_from_weeks_and_days_alike(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    await tell_a_busy_fortnight(speaker)
    await fold(database)
    days = [MONDAY.date() + timedelta(days=n) for n in range(22)]
    daily = {}
    for day in days:
        answer = await asked(requests, f"/compliance?from={day}&to={day + timedelta(days=1)}")
        daily[day] = [answer[name] for name in COUNTS]

    for first, last in ((0, 7), (0, 21), (2, 5), (3, 18), (6, 8), (1, 7)):
        answer = await asked(requests, f"/compliance?from={days[first]}&to={days[last]}")
        expected = [sum(values) for values in zip(*(daily[day] for day in days[first:last]), strict=True)]
        assert [answer[name] for name in COUNTS] == expected, (first, last)


def test_whole_weeks_of_a_period() -> None:
    monday = MONDAY.date()

    def days(first: int, last: int) -> tuple[int, int]:
        found = whole_weeks(monday + timedelta(days=first), monday + timedelta(days=last))
        return tuple((one - monday).days for one in found)  # type: ignore[return-value]

    assert days(0, 7) == (0, 7)
    assert days(1, 14) == (7, 14)
    assert days(1, 20) == (7, 14)
    assert days(1, 13) == (13, 13), "no whole week: days only"


async def test_each_number_leads_to_its_tickets(database: Database, speaker: Speaker, requests: Requests) -> None:
    await tell_a_busy_fortnight(speaker)
    await fire(database)
    whole = await asked(requests, f"/compliance?{PERIOD}")
    queries = {"": whole}
    for parts, name in (
        ("by_priority", "priority"),
        ("by_metric", "metric"),
        ("by_level", "level"),
        ("by_job_type", "job_type"),
        ("by_queue", "queue"),
        ("by_agent", "agent_id"),
        ("by_client", "client_id"),
    ):
        for part in whole[parts]:
            queries[f"&{name}={part[name] or 'nobody'}"] = part
    for part in whole["by_week"]:
        queries[f"&from={part['week']}"] = part

    for query, part in queries.items():
        for outcome in COUNTS:
            path = f"/verdicts?{PERIOD}{query}&outcome={outcome}"
            if query.startswith("&from="):
                starts = query.removeprefix("&from=")
                ends = MONDAY.fromisoformat(starts).date() + timedelta(days=7)
                path = f"/verdicts?from={starts}&to={ends}&outcome={outcome}"
            assert len(await every_item(requests, path)) == part[outcome], path
    for weekday in range(7):
        for hour in range(24):
            expected = whole["heatmap"][weekday][hour]
            if expected:
                path = f"/verdicts?{PERIOD}&weekday={weekday}&hour={hour}&outcome=missed&outcome=open_overdue"
                assert len(await every_item(requests, path)) == expected


async def every_item(requests: Requests, path: str) -> list[dict[str, Any]]:
    found, after = [], ""
    while True:
        page = await asked(requests, f"{path}&limit=7{after}")
        found += page["items"]
        if page["next"] is None:
            assert len({one["clock_id"] for one in found}) == len(found)
            return found
        after = f"&after={page['next']}"


async def test_a_clock_counts_with_those_who_had_it_when_it_stopped(speaker: Speaker, requests: Requests) -> None:
    tom, mei = new_id(), new_id()
    ticket = ATicket(state={"queue": "desk", "assignee_id": tom})
    await speaker.say(ticket.contract(calendar=hours("09-17"), targets={"resolution": "8h"}))
    await speaker.say(ticket.raised(), ticket.moved("Mon 12:00", queue="network", assignee_id=mei))
    await speaker.say(
        ticket.resolved("Mon 13:00"), ticket.moved("Mon 14:00", queue="desk", assignee_id=tom, status="closed")
    )

    whole = await asked(requests, f"/compliance?{PERIOD}")

    assert [(part["agent_id"], part["met"]) for part in whole["by_agent"]] == [(str(mei), 1)]
    assert [(part["queue"], part["met"]) for part in whole["by_queue"]] == [("network", 1)]


async def test_client_people_do_not_learn_who_had_their_tickets(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    agent = new_id()
    ticket = ATicket(state={"queue": "desk", "assignee_id": agent})
    await speaker.say(ticket.contract(calendar=hours("09-17")), ticket.raised(), ticket.resolved("Mon 13:00"))
    await fold(database)
    person = a_client_person(ticket.client_id)

    shown = await requests.get(person, f"/compliance?{PERIOD}")
    clocks = await requests.get(person, f"/clocks?ticket_id={ticket.ticket_id}")

    assert shown.json()["met"] + shown.json()["missed"] == 2
    assert str(agent) not in shown.text + clocks.text
    assert (shown.json()["by_agent"], shown.json()["by_queue"]) == ([], [])
    assert (await requests.get(person, f"/verdicts?{PERIOD}")).status_code == 403
    assert (await requests.get(person, "/verdicts.csv")).status_code == 403
    stranger = await requests.get(a_client_person(new_id()), f"/compliance?{PERIOD}&client_id={ticket.client_id}")
    assert (stranger.json()["met"], stranger.json()["missed"]) == (0, 0)


async def test_lists_are_files_too(database: Database, speaker: Speaker, requests: Requests) -> None:
    ticket = ATicket(state={"ref": "=cmd()", "queue": "desk"})
    await speaker.say(ticket.contract(calendar=hours("09-17")), ticket.raised(), ticket.resolved("Mon 13:00"))

    answer = await requests.get(MANAGER, f"/verdicts.csv?{PERIOD}&outcome=met")

    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="verdicts.csv"' in answer.headers["content-disposition"]
    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["outcome"], row["queue"], row["ticket_ref"]) == ("met", "desk", "'=cmd()")
    assert str(UUID(row["clock_id"])) == row["clock_id"]
    assert at("Mon 13:00").isoformat() == row["decided_at"]
    assert "next_step" not in row
    assert (await requests.get(MANAGER, "/at-risk.csv")).text.startswith("clock_id,")


async def test_every_list_is_a_file(database: Database, speaker: Speaker, requests: Requests) -> None:
    await tell_a_busy_fortnight(speaker)
    await fire(database)
    whole = await asked(requests, f"/compliance?{PERIOD}")
    async with database.transaction(SYSTEM) as tx:
        ticket_id = await tx.fetchval("SELECT ticket_id FROM clocks ORDER BY id LIMIT 1")

    parts = await a_file(requests, f"/compliance.csv?{PERIOD}")
    clocks = await a_file(requests, f"/clocks.csv?ticket_id={ticket_id}")
    running = await a_file(requests, "/at-risk.csv?which=running")
    what_if = {"from": "2026-11-02", "to": "2026-11-30", "flags": {"after_hours": True}}
    changed = await requests.post(MANAGER, "/what-if.csv", what_if)
    differing = (await requests.post(MANAGER, "/what-if", what_if)).json()["changed_count"]

    assert parts[0] == {
        "met": str(whole["met"]),
        "by": "all",
        "value": "",
        **{k: str(whole[k]) for k in COUNTS[1:]},
        "percent": parts[0]["percent"],
    }
    for kind in PARTS:
        mine = [row for row in parts if row["by"] == kind.removeprefix("by_")]
        assert sum(int(row["met"]) for row in mine) == whole["met"], kind
    assert {row["ticket_id"] for row in clocks} == {str(ticket_id)}
    assert len(running) == len(await items_of(requests, "/at-risk?which=running&limit=200"))
    assert len(list(csv.DictReader(io.StringIO(changed.text)))) == differing > 0


async def items_of(requests: Requests, path: str) -> list[Any]:
    found: list[Any] = (await asked(requests, path))["items"]
    return found


async def a_file(requests: Requests, path: str) -> list[dict[str, str]]:
    answer = await requests.get(MANAGER, path)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    return list(csv.DictReader(io.StringIO(answer.text)))


async def test_a_wrong_sum_is_named_and_mended(database: Database, speaker: Speaker) -> None:
    await tell_a_busy_fortnight(speaker, tickets=6)
    await fire(database)
    await fold(database)
    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE rollups SET met = met + 1 WHERE dimension = 'all' AND grain = 'week'")
        broken = await reports.verify(tx)
    assert any("sum of all" in sentence and "rebuild-rollups" in sentence for sentence in broken), broken

    async with database.transaction(SYSTEM) as tx:
        await store.rebuild_rollups(tx)
        assert await reports.verify(tx) == []


async def test_a_clients_new_zone_moves_nothing_that_was_counted(database: Database, speaker: Speaker) -> None:
    ticket = ATicket()
    await speaker.say(ticket.contract(calendar=hours("09-17")), ticket.raised(), ticket.resolved("Mon 12:00"))
    async with database.transaction(SYSTEM) as tx:
        await store.save_client(
            tx, client_id=ticket.client_id, code="HLO", name="H", timezone="Pacific/Kiritimati", revision=1
        )
        await tx.driver.execute("UPDATE clocks SET stop_reason = stop_reason WHERE verdict IS NULL")
    await fold(database)

    assert await differences(database) == []
