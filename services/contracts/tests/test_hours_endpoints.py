"""Coverage, balances, statements and totals over HTTP, and who may see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from contracts.testing import a_client_with_contract, an_entry, time_told
from msp_kernel.ids import new_id
from msp_kit.database import Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person

MANAGER = a_staff_person("manager")
AGENT = a_staff_person("agent")


# ---- hours --------------------------------------------------------------------------------------------------------


async def test_coverage_is_answered_before_the_work(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database, minutes=60)

    async def ask(**changes: Any) -> dict[str, Any]:
        question = {
            "contract_id": str(contract_id),
            "job_type": "network",
            "level": "L1",
            "worked_from": "2026-11-02T09:00:00Z",
            "worked_minutes": 90,
            **changes,
        }
        found: dict[str, Any] = (await requests.post(AGENT, "/coverage/preview", question)).json()
        return found

    over = await ask()
    assert (over["answer"], over["overage_minutes"], over["overage_price_minor"]) == ("overage", 30, 4500)
    assert (over["available_before_minutes"], over["available_after_minutes"]) == (60, 0)
    assert (await ask(worked_minutes=30))["answer"] == "covered"
    outside = await ask(job_type="cabling")
    assert outside["answer"] == "not_covered"
    assert [one["rule"] for one in outside["checks"] if not one["is_passed"]] == ["job-type-outside-contract"]
    assert (await ask(worked_minutes=0))["code"] == "invalid-request"
    assert (await ask(worked_from="0001-01-01T00:00:00Z"))["code"] == "invalid-request"
    assert (await ask(contract_id=str(new_id())))["code"] == "not-found"


async def test_the_statement_runs_the_balance_line_by_line(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    first, second = an_entry(60, "Mon 09:00"), an_entry(60, "Tue 09:00")
    for entry in (second, first):
        await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))

    statement = (await requests.get(AGENT, f"/contracts/{contract_id}/statement?from=2026-11-02&to=2026-11-09")).json()
    second_day = (await requests.get(AGENT, f"/contracts/{contract_id}/statement?from=2026-11-03")).json()
    burn = (await requests.get(AGENT, f"/contracts/{contract_id}/burn?from=2026-11-02&to=2026-11-05")).json()

    lines = [
        (one["kind"], one["minutes"], one["overage_minutes"], one["balance_minutes"]) for one in statement["items"]
    ]
    assert lines == [("grant", 100, 0, 100), ("hold", -60, 0, 40), ("hold", -40, 20, 0)]
    assert (second_day["opening_minutes"], second_day["closing_minutes"]) == (40, 0)
    assert burn["capacity_minutes"] == 100
    assert [one["available_minutes"] for one in burn["days"]] == [40, 0, 0]


async def test_control_totals_count_what_is_held_and_posted(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=100)
    entries = [an_entry(60, "Mon 09:00"), an_entry(60, "Tue 09:00", decision="approved"), an_entry(5, level="SA")]
    await speaker.say(*(time_told(one, client_id=client_id, contract_id=contract_id) for one in entries))

    totals = (await requests.get(AGENT, f"/hours/totals?client_id={client_id}&from=2026-11-01&to=2026-12-01")).json()

    assert (totals["entry_count"], totals["worked_minutes"], totals["overage_minutes"]) == (2, 120, 20)
    assert (totals["held_minutes"], totals["posted_minutes"], totals["refused_minutes"]) == (60, 60, 5)


async def test_hours_are_listed_page_by_page(requests: Requests, database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database)
    await speaker.say(
        *(
            time_told(an_entry(10, f"Mon {hour}:00"), client_id=client_id, contract_id=contract_id)
            for hour in range(9, 14)
        )
    )

    first = (await requests.get(AGENT, f"/hours?contract_id={contract_id}&limit=3")).json()
    second = (await requests.get(AGENT, f"/hours?contract_id={contract_id}&limit=3&after={first['next']}")).json()

    assert (len(first["items"]), len(second["items"]), second["next"]) == (3, 2, None)


async def test_balances_come_soonest_empty_first(requests: Requests, database: Database, speaker: Speaker) -> None:
    await a_client_with_contract(database, minutes=1000)
    client_id, contract_id = await a_client_with_contract(database, minutes=1000, code="MIL")
    await speaker.say(time_told(an_entry(60), client_id=client_id, contract_id=contract_id))

    items = (await requests.get(AGENT, "/contracts/balances")).json()["items"]

    assert [one["available_minutes"] for one in items] == [940, 1000]


# ---- who may see what ---------------------------------------------------------------------------------------------


async def test_client_people_see_their_own_and_nothing_else(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    mine, my_contract = await a_client_with_contract(database)
    theirs, their_contract = await a_client_with_contract(database, code="MIL")
    my_entry, their_entry = an_entry(30), an_entry(45)
    await speaker.say(
        time_told(my_entry, client_id=mine, contract_id=my_contract),
        time_told(their_entry, client_id=theirs, contract_id=their_contract),
    )
    priya = a_client_person(mine)

    def about(client_id: UUID, contract_id: UUID, entry_id: UUID) -> list[str]:
        contract = f"/contracts/{contract_id}"
        return [
            f"/clients/{client_id}",
            contract,
            f"{contract}/balance",
            f"{contract}/statement",
            f"{contract}/burn",
            f"/hours/{entry_id}",
        ]

    for path in about(mine, my_contract, my_entry.id):
        assert (await requests.get(priya, path)).status_code == 200, path
    missing = (await requests.get(priya, f"/contracts/{new_id()}")).json()
    for path in about(theirs, their_contract, their_entry.id):
        answer = await requests.get(priya, path)
        assert answer.status_code == 404, path
        assert {**answer.json(), "instance": "", "request_id": ""} == {**missing, "instance": "", "request_id": ""}
    listed = [
        (await requests.get(priya, path)).json()["items"]
        for path in ("/contracts", f"/contracts?client_id={theirs}", f"/contracts/current?client_id={theirs}", "/hours")
    ]
    assert [[one["client_id"] for one in items] for items in listed] == [[str(mine)], [], [str(mine)], [str(mine)]]
    for path in ("/clients", "/rate-cards", "/calendars", "/contracts/balances", "/hours/totals"):
        assert (await requests.get(priya, path)).status_code == 403, path


async def test_a_client_admin_adds_contacts_of_their_own_client_only(requests: Requests, database: Database) -> None:
    mine, _ = await a_client_with_contract(database)
    theirs, _ = await a_client_with_contract(database, code="MIL")
    admin = a_client_person(mine, "admin")
    body = {"client_id": str(theirs), "name": "Noor Said", "email": "noor@harlow.example"}

    added = await requests.post(admin, "/contacts", body)

    assert added.json()["client_id"] == str(mine)
    assert (await requests.get(a_client_person(theirs), "/contacts")).json()["items"] == []
    assert (await requests.post(MANAGER, "/contacts", {"name": "X", "email": "x@y.example"})).status_code == 422
