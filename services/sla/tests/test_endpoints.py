"""What people and programs can ask, and what they cannot."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from msp_events.contracts import ClientRegistered, EscalationStepTerms
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person
from sla import store
from sla.domain.compliance import outcome, tally
from sla.testing import MONDAY, ATicket, at, hours

OFFICE = hours("09-17")
MANAGER = a_staff_person("manager")


async def a_told_ticket(speaker: Speaker, **more: Any) -> ATicket:
    ticket = ATicket(**more)
    await speaker.say(ticket.contract(calendar=OFFICE))
    await speaker.say(
        ticket.raised(),
        ticket.message("Mon 09:30"),
        ticket.moved("Mon 10:00", status="waiting_on_client", reason="asked for the secret router"),
        ticket.message("Mon 15:00", "client", status="open"),
    )
    return ticket


async def items(requests: Requests, caller: Any, path: str) -> list[dict[str, Any]]:
    answer = await requests.get(caller, path)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_the_tape_of_a_ticket(speaker: Speaker, requests: Requests) -> None:
    ticket = await a_told_ticket(speaker)

    first, resolution = await items(requests, MANAGER, f"/clocks?ticket_id={ticket.ticket_id}")

    assert (first["metric"], first["verdict"], first["due_at"]) == ("first_response", "met", None)
    assert resolution["due_at"] == "2026-11-03T10:00:00Z"
    assert [(one["kind"], one["seconds"], one["reason"]) for one in resolution["intervals"]][:2] == [
        ("running", 3600, "raised"),
        ("paused", 0, "waiting_on_client"),
    ]
    assert resolution["intervals"][1]["note"] == "asked for the secret router"
    assert resolution["intervals"][2]["to"] is None
    assert resolution["thresholds_percent"] == [50, 75, 90]
    assert resolution["ticket_ref"] == "HLO-1"


async def test_a_clock_explains_itself(speaker: Speaker, requests: Requests) -> None:
    ticket = await a_told_ticket(speaker)
    clock = (await items(requests, MANAGER, f"/clocks?ticket_id={ticket.ticket_id}"))[1]

    answer = (await requests.get(MANAGER, f"/clocks/{clock['clock_id']}/explain")).json()

    assert answer["rule"]["rule_id"] == "resolution"
    assert answer["text"][0].startswith("Resolution within 4 h in the contract's hours: rule resolution of contract")
    assert any("paused, waiting on client, nothing counted" in sentence for sentence in answer["text"])


async def test_client_people_see_their_own_clocks_without_what_is_internal(
    speaker: Speaker, requests: Requests
) -> None:
    ticket = await a_told_ticket(speaker)
    ours, theirs = a_client_person(ticket.client_id), a_client_person(new_id())
    path = f"/clocks?ticket_id={ticket.ticket_id}"
    mine = await items(requests, ours, path)

    assert [clock["metric"] for clock in mine] == ["first_response", "resolution"]
    assert "secret" not in json.dumps(mine)
    assert {interval["actor"] for clock in mine for interval in clock["intervals"]} == {""}
    assert await items(requests, theirs, path) == []
    explained = await requests.get(ours, f"/clocks/{mine[1]['clock_id']}/explain")
    assert explained.status_code == 200
    assert "secret" not in explained.text


async def test_a_foreign_id_answers_like_a_missing_one(speaker: Speaker, requests: Requests) -> None:
    ticket = await a_told_ticket(speaker)
    clock = (await items(requests, MANAGER, f"/clocks?ticket_id={ticket.ticket_id}"))[0]
    stranger = a_client_person(new_id())

    for suffix in ("", "/explain"):
        foreign = await requests.get(stranger, f"/clocks/{clock['clock_id']}{suffix}")
        missing = await requests.get(stranger, f"/clocks/{new_id()}{suffix}")
        assert (foreign.status_code, missing.status_code) == (404, 404)
        assert _without_ids(foreign.json()) == _without_ids(missing.json())
    assert (await requests.post(MANAGER, f"/clocks/{new_id()}/acknowledge")).status_code == 404


def _without_ids(problem: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in problem.items() if name not in ("instance", "request_id")}


@pytest.mark.parametrize(
    "path",
    [
        "/clocks",
        "/clocks?ticket_id=7",
        "/clocks/7/explain",
        "/at-risk?limit=0",
        "/at-risk?limit=1000000000",
        "/at-risk?after=x",
        "/at-risk?after=WyJ4IiwieSJd",
        "/at-risk?after=WzEsMl0",
        "/compliance?from=0001-01-01",
        "/compliance?from=yesterday",
        "/compliance?metric=speed",
        "/compliance?client_id=us",
        "/compliance?from=2026-11-02&to=2026-11-02",
        "/compliance?from=2001-01-01&to=2026-01-01",
    ],
)
async def test_bad_input_is_a_problem_that_says_where(requests: Requests, path: str) -> None:
    answer = await requests.get(MANAGER, path)

    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


async def test_who_may_ask_what(speaker: Speaker, requests: Requests) -> None:
    ticket = await a_told_ticket(speaker)
    person = a_client_person(ticket.client_id, "admin")
    clock = (await items(requests, person, f"/clocks?ticket_id={ticket.ticket_id}"))[1]

    assert (await requests.get(person, "/at-risk")).status_code == 403
    assert (await requests.post(person, f"/clocks/{clock['clock_id']}/acknowledge")).status_code == 403
    assert (await requests.get(None, "/compliance")).status_code == 401
    assert (await requests.get(person, "/compliance")).status_code == 200


async def test_at_risk_is_sorted_by_what_ends_first_and_pages(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    async with database.transaction(SYSTEM) as tx:
        now = tx.now.replace(microsecond=0)
    ages = {"calm": 1, "risky": 3, "riskier": 3.5, "late": 5}
    contract = ATicket()
    chain = (EscalationStepTerms(step=1, at_percent=100, to_level="L2"),)
    await speaker.say(contract.contract(targets={"resolution": "4h"}, escalation=chain))
    for name, age in ages.items():
        ticket = ATicket(
            client_id=contract.client_id,
            contract_id=contract.contract_id,
            raised_at=now - timedelta(minutes=round(60 * age)),
            state={"ref": name},
        )
        await speaker.say(ticket.raised())

    first = (await requests.get(MANAGER, "/at-risk?limit=2")).json()
    second = await items(requests, MANAGER, f"/at-risk?limit=2&after={first['next']}")

    assert [row["ticket_ref"] for row in first["items"]] == ["late", "riskier"]
    assert [row["ticket_ref"] for row in second] == ["risky"]
    assert first["items"][0]["remaining_seconds"] < 0 < first["items"][1]["remaining_seconds"]
    assert second[0]["next_step"]["kind"] == "at_risk"
    assert len(await items(requests, MANAGER, "/at-risk?which=running")) == 4


async def test_acknowledging_is_told_and_can_be_repeated(speaker: Speaker, requests: Requests) -> None:
    ticket = await a_told_ticket(speaker)
    done, open_clock = await items(requests, MANAGER, f"/clocks?ticket_id={ticket.ticket_id}")

    first = await requests.post(MANAGER, f"/clocks/{open_clock['clock_id']}/acknowledge")
    second = await requests.post(a_staff_person("agent"), f"/clocks/{open_clock['clock_id']}/acknowledge")

    assert first.status_code == 200
    assert second.json()["acknowledged_at"] == first.json()["acknowledged_at"] is not None
    refused = await requests.post(MANAGER, f"/clocks/{done['clock_id']}/acknowledge")
    assert (refused.status_code, refused.json()["code"]) == (409, "clock-stopped")


async def test_compliance_adds_up_and_client_people_see_their_part(speaker: Speaker, requests: Requests) -> None:
    clients = [await a_history(speaker) for _ in range(2)]

    whole = (await requests.get(MANAGER, "/compliance?from=2026-11-02&to=2026-11-16")).json()

    assert (whole["met"], whole["missed"], whole["open_overdue"], whole["percent"]) == (6, 4, 2, 50.0)
    for parts in ("by_priority", "by_week", "by_client", "by_metric"):
        for name in ("met", "missed", "open_overdue"):
            assert sum(part[name] for part in whole[parts]) == whole[name], (parts, name)
    assert sum(map(sum, whole["heatmap"])) == whole["missed"] + whole["open_overdue"]
    assert [part["week"] for part in whole["by_week"]] == ["2026-11-02", "2026-11-09"]
    assert [part["priority"] for part in whole["by_priority"]] == ["critical", "high", "low"]
    mine = (await requests.get(a_client_person(clients[0]), "/compliance?from=2026-11-02&to=2026-11-16")).json()
    assert (mine["met"], mine["missed"], mine["open_overdue"]) == (3, 2, 1)
    assert [part["client_id"] for part in mine["by_client"]] == [str(clients[0])]
    chosen = (await requests.get(MANAGER, f"/compliance?from=2026-11-02&to=2026-11-16&client_id={clients[1]}")).json()
    assert chosen["met"] == 3
    empty = (await requests.get(MANAGER, "/compliance?from=2020-01-01&to=2020-02-01")).json()
    assert (empty["percent"], empty["by_priority"]) == (None, [])


async def a_history(speaker: Speaker) -> UUID:
    """Tell a client's fortnight: three promises kept, two missed, one overdue and open, one miss that came back."""
    owner = ATicket()
    client = ClientRegistered(
        occurred_at=MONDAY,
        client_id=owner.client_id,
        revision=1,
        code="HLO",
        name="Harbour & Lowe",
        timezone="Europe/London",
        currency="GBP",
    )
    await speaker.say(client, owner.contract(calendar=OFFICE, targets={"resolution": "4h"}))

    def another(priority: str) -> ATicket:
        return ATicket(
            client_id=owner.client_id,
            contract_id=owner.contract_id,
            state={"priority": priority},
        )

    for priority in ("low", "high", "high"):
        kept = another(priority)
        await speaker.say(kept.raised(), kept.resolved("Mon 12:00"))
    for priority in ("low", "critical"):
        missed = another(priority)
        await speaker.say(
            missed.raised(),
            missed.resolved(at("Tue 12:00", week=1)),
            missed.reopened(at("Tue 13:00", week=1)),
            missed.resolved(at("Tue 14:00", week=1)),
        )
    overdue = another("critical")
    await speaker.say(overdue.raised())
    return owner.client_id


async def test_a_breach_counts_in_the_week_and_hour_of_the_client(speaker: Speaker, requests: Requests) -> None:
    client_id = await a_history(speaker)

    answer = (await requests.get(MANAGER, f"/compliance?from=2026-11-02&to=2026-11-16&client_id={client_id}")).json()

    assert answer["heatmap"][0][13] == 3, "due Monday 13:00 in London"
    assert answer["by_week"][0]["missed"] == 2
    assert answer["by_week"][1] == {"week": "2026-11-09", "met": 0, "missed": 0, "open_overdue": 0, "percent": None}


async def test_screens_and_rules_count_alike(database: Database, speaker: Speaker, requests: Requests) -> None:
    await a_history(speaker)
    async with database.transaction(SYSTEM) as tx:
        rows = await store.clocks_after(tx, after=None, limit=100)
        clocks = await store.clocks_from_rows(tx, rows)
        by_rule = tally(outcome(clock, now=tx.now) for clock in clocks)

    on_screen = (await requests.get(MANAGER, "/compliance?from=2026-11-02&to=2026-11-16")).json()

    assert [on_screen[name] for name in ("met", "missed", "open_overdue")] == [
        by_rule.met,
        by_rule.missed,
        by_rule.open_overdue,
    ]


async def test_what_could_not_be_taken_is_read_with_its_reason(speaker: Speaker, requests: Requests) -> None:
    nowhere = {"timezone": "Mars/Olympus", "weekly": {"mon": [["09:00", "17:00"]]}}
    await speaker.say(ATicket().contract(calendar=nowhere), ATicket().raised())

    refused = await items(requests, MANAGER, "/sla-refusals")
    asked_by_agent = await requests.get(a_staff_person("agent"), "/sla-refusals")
    file = await requests.get(MANAGER, "/sla-refusals.csv")

    assert {one["type"].rpartition(".")[2]: one["status"] for one in refused} == {
        "ContractActivated": "parked",
        "TicketRaised": "retry",
    }
    assert any("Mars/Olympus" in one["error_text"] for one in refused)
    assert any("is not known yet" in one["error_text"] for one in refused)
    assert asked_by_agent.status_code == 403
    assert [one["event_id"] for one in csv.DictReader(io.StringIO(file.text))] == [one["event_id"] for one in refused]


async def test_a_pause_before_the_start_and_a_resume_without_a_pause_are_on_the_tape(
    speaker: Speaker, requests: Requests
) -> None:
    ticket = ATicket()
    await speaker.say(ticket.contract(calendar=OFFICE), ticket.raised())
    await speaker.say(ticket.moved("Mon 10:00", status="open"))
    await speaker.say(ticket.moved("Mon 08:00", status="waiting_on_client"))

    _, resolution = await items(requests, MANAGER, f"/clocks?ticket_id={ticket.ticket_id}")

    running, paused = resolution["intervals"]
    assert (running["kind"], running["seconds"]) == ("running", 0), "it was not resumed, for it had not been paused"
    assert paused["note"] == "said for 2026-11-02T08:00:00+00:00, counted from 2026-11-02T09:00:00+00:00"


async def test_running_clocks_of_one_client_are_listed_with_the_time_they_have_left(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    async with database.transaction(SYSTEM) as tx:
        now = tx.now.replace(microsecond=0)
    ours, theirs = (ATicket(raised_at=now - timedelta(hours=3, minutes=30)) for _ in range(2))
    for ticket in (ours, theirs):
        await speaker.say(ticket.contract(targets={"resolution": "4h"}), ticket.raised())

    (one,) = await items(requests, MANAGER, f"/at-risk?client_id={ours.client_id}")

    assert one["ticket_id"] == str(ours.ticket_id)
    assert 0 < one["remaining_seconds"] <= 1800


async def test_what_a_ticket_would_be_promised_is_told_to_whose_contract_it_is(
    speaker: Speaker, requests: Requests
) -> None:
    ticket = ATicket()
    await speaker.say(
        ticket.contract(targets={"first_response": "1h", "resolution critical": "2h", "resolution": None})
    )
    asked = f"/promises?contract_id={ticket.contract_id}&level=L1&job_type=network"

    ours = await items(requests, a_client_person(ticket.client_id), asked)
    staff = await items(requests, MANAGER, asked)
    theirs = await requests.get(a_client_person(new_id()), asked)
    unknown = await requests.get(MANAGER, f"/promises?contract_id={new_id()}&level=L1&job_type=network")

    told = [(one["priority"], one["metric"], one["budget_minutes"]) for one in ours]
    assert told == [
        ("critical", "first_response", 60),
        ("critical", "resolution", 120),
        *((priority, "first_response", 60) for priority in ("high", "medium", "low")),
    ]
    assert [one["rule_id"] for one in staff] == [one["rule_id"] for one in ours]
    assert (theirs.status_code, unknown.status_code) == (404, 404)


async def test_terms_of_a_later_day_promise_nothing_yet(speaker: Speaker, requests: Requests) -> None:
    ticket = ATicket()
    later = (MONDAY + timedelta(days=36_000)).date()
    await speaker.say(ticket.contract(), ticket.contract(version=2, targets={"resolution": "9h"}, effective_from=later))

    found = await items(requests, MANAGER, f"/promises?contract_id={ticket.contract_id}&level=L1&job_type=network")

    assert {one["budget_minutes"] for one in found} == {60, 240}
