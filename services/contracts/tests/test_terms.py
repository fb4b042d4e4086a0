"""Versions, the linter and contract tests over HTTP, and what the database keeps frozen."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy.exc import DBAPIError

from contracts.actions import amendments, lots
from contracts.store import contracts as store
from contracts.testing import (
    OFFICE_HOURS,
    START,
    a_client,
    a_client_with_contract,
    a_draft,
    a_target,
    an_active_contract,
    an_entry,
    time_told,
)
from msp_events.contracts import ContractAmended
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person, said

MANAGER, AGENT = a_staff_person("manager"), a_staff_person("agent")
AROUND = {"after_hours": True, "weekends": True, "holidays": True}


async def a_client_with_draft(database: Database, **more: Any) -> tuple[UUID, str]:
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx)
        return client_id, f"/contracts/{await a_draft(tx, client_id, **more)}"


async def amended(requests: Requests, path: str, **changes: Any) -> dict[str, Any]:
    answer = await requests.post(MANAGER, f"{path}/amend", {"effective_from": "2026-12-01", **changes})
    found: dict[str, Any] = answer.json()
    return {"http": answer.status_code, **found}


def sunday(**expect: Any) -> dict[str, Any]:
    when = {"event": "ticket", "priority": "critical", "level": "L1", "job_type": "network", "at": "Sun 10:00"}
    return {"name": "a critical ticket on Sunday is due in 1 h", "when": when, "expect": expect}


def exhausted(**expect: Any) -> dict[str, Any]:
    when = {"event": "work", "job_type": "network", "level": "L1", "at": "Mon 09:00", "minutes": 90}
    return {"name": "90 min after exhaustion cost 138.00", "when": when, "expect": expect}


# ---- versions -----------------------------------------------------------------------------------------------------


async def test_versions_say_when_they_hold_and_what_they_changed(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database)
    path = f"/contracts/{contract_id}"
    await amended(requests, path, levels=["L1"], effective_from="2026-11-16")
    await amended(
        requests, path, targets=[{"metric": "resolution", "budget_minutes": 240}], effective_from="2099-01-01"
    )

    versions = (await requests.get(AGENT, f"{path}/versions")).json()["items"]
    diff = (await requests.get(AGENT, f"{path}/diff?from=1&to=3")).json()
    first = (await requests.get(AGENT, f"{path}/versions/1")).json()

    assert [(one["version"], one["effective_from"], one["effective_to"], one["state"]) for one in versions] == [
        (1, "2026-11-02", "2026-11-16", "past"),
        (2, "2026-11-16", "2099-01-01", "in_force"),
        (3, "2099-01-01", None, "future"),
    ]
    assert [one["text"] for one in versions[1]["changes"]] == ["L2 is no longer included"]
    assert [one["text"] for one in diff["changes"]] == [
        "L2 is no longer included",
        "Resolution of all tickets: 8 h -> 4 h",
    ]
    assert (diff["changes"][1]["before"]["budget_minutes"], diff["changes"][1]["after"]["budget_minutes"]) == (480, 240)
    assert first["terms"]["levels"] == ["L1", "L2"]


async def test_a_version_there_is_not_is_not_found(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database)

    assert (await requests.get(AGENT, f"/contracts/{contract_id}/diff?from=1&to=2")).status_code == 404
    assert (await requests.get(AGENT, f"/contracts/{new_id()}/versions")).status_code == 404


async def test_overlap_and_gap_are_refused_with_the_days(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database, ends_on=date(2027, 6, 1))
    path = f"/contracts/{contract_id}"
    await amended(requests, path, levels=["L1"])

    overlap = await amended(requests, path, levels=["L2"], effective_from="2026-11-20")
    gap = await amended(requests, path, levels=["L2"], effective_to="2027-01-01")
    behind = await amended(requests, path, levels=["L2"], effective_from="2027-06-01")
    whole = await amended(requests, path, levels=["L2"], effective_to="2027-06-01")

    assert (overlap["http"], overlap["code"]) == (422, "versions-overlap")
    assert "from 2026-12-01 on version 2 is in force; a change from 2026-11-20 on would overlap" in overlap["detail"]
    assert gap["code"] == "versions-leave-gap"
    assert "from 2027-01-01 on nothing would hold" in gap["detail"]
    assert behind["code"] == "versions-leave-gap"
    assert (whole["http"], whole["version"]) == (200, 3)


async def test_what_is_frozen_at_activation_is_refused_by_name(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database)
    path = f"/contracts/{contract_id}"

    currency = await amended(requests, path, currency="GBP")
    card = await amended(requests, path, rate_card_id=str(new_id()))
    same = await amended(requests, path, currency="EUR", kind="bucket", levels=["L1"])

    assert (currency["http"], currency["code"]) == (409, "terms-frozen")
    assert "currency is EUR for good" in currency["detail"]
    assert card["code"] == "terms-frozen"
    assert same["http"] == 200


async def test_an_amendment_is_tried_before_it_is_made(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database)
    path = f"/contracts/{contract_id}"
    await requests.post(MANAGER, f"{path}/tests", exhausted(price="135.00"))
    proposal = {"effective_from": "2026-12-01", "name": "Support", "targets": [a_target(240)], "after_version": 1}

    tried = (await requests.post(MANAGER, f"{path}/amend/preview", proposal)).json()
    refused = (await requests.post(MANAGER, f"{path}/amend/preview", {**proposal, "levels": []})).json()
    early = await requests.post(MANAGER, f"{path}/amend/preview", {**proposal, "effective_from": "2026-10-01"})
    before = (await requests.get(AGENT, path)).json()
    made = await requests.post(MANAGER, f"{path}/amend", proposal)
    late = await requests.post(MANAGER, f"{path}/amend", proposal)

    assert [one["text"] for one in tried["changes"]] == [
        "Resolution of all tickets: 8 h -> 4 h",
        "name: Managed support -> Support",
    ]
    assert (tried["version"], tried["effective_from"], tried["is_refused"]) == (2, "2026-12-01", False)
    assert [one["is_passed"] for one in tried["tests"]] == [True]
    assert (refused["is_refused"], refused["tests"]) == (True, [])
    assert "scope-without-levels" in [one["rule"] for one in refused["lint"]]
    assert (early.status_code, early.json()["code"]) == (422, "amendment-too-early")
    assert (before["version"], before["name"]) == (1, "Managed support")
    assert (made.status_code, made.json()["version"], made.json()["name"]) == (200, 2, "Support")
    assert (late.status_code, late.json()["code"]) == (409, "amended-meanwhile")
    assert (await requests.post(AGENT, f"{path}/amend/preview", proposal)).status_code == 403


async def test_a_proposal_that_breaks_a_test_says_so(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database)
    path = f"/contracts/{contract_id}"
    await requests.post(MANAGER, f"{path}/tests", exhausted(price="135.00"))

    rounding = {"effective_from": "2026-12-01", "rounding": {"increment_minutes": 60}}
    tried = (await requests.post(MANAGER, f"{path}/amend/preview", rounding)).json()

    assert tried["is_refused"] is True
    assert [one["is_passed"] for one in tried["tests"]] == [False]


async def test_a_retainer_grants_other_hours_from_the_first_month_of_the_amendment(
    requests: Requests, database: Database
) -> None:
    _, contract_id = await a_client_with_contract(database, kind="retainer", minutes=600, starts_on=date(2099, 1, 1))
    _, bucket_id = await a_client_with_contract(database, code="ABC")
    path = f"/contracts/{contract_id}"
    more = {"grant_minutes": 900, "grant_price_minor": 120_000}

    made = await amended(requests, path, **more, effective_from="2099-02-15")
    wrong = await amended(requests, f"/contracts/{bucket_id}", **more)
    async with database.transaction(SYSTEM) as tx:
        tx.now = datetime(2099, 4, 2, tzinfo=UTC)
        await lots.grant_retainers(tx)
    granted = (await requests.get(AGENT, path)).json()["bucket"]

    assert made["http"] == 200
    assert [one["unit_minor"] for one in made["fixed_items"]] == [120_000]
    assert [(lot["valid_from"], lot["minutes"]) for lot in granted] == [
        ("2099-01-01", 600),
        ("2099-02-01", 600),
        ("2099-03-01", 900),
        ("2099-04-01", 900),
    ]
    assert (wrong["http"], wrong["code"]) == (422, "bucket-does-not-fit")


async def test_a_new_version_of_the_rate_card_is_adopted_by_an_amendment_only(
    requests: Requests, database: Database
) -> None:
    _, contract_id = await a_client_with_contract(database)
    path = f"/contracts/{contract_id}"
    card_id = (await requests.get(AGENT, path)).json()["rate_card_id"]
    dearer = {"name": "Standard", "currency": "EUR", "rates": [{"rate_minor": 9900}]}
    await requests.post(MANAGER, f"/rate-cards/{card_id}/versions", dearer)
    other = await requests.post(MANAGER, f"/rate-cards/{card_id}/versions", {**dearer, "currency": "GBP"})

    before = (await requests.get(AGENT, path)).json()
    after = await amended(requests, path, rate_card_version=2)
    unknown = await amended(requests, path, rate_card_version=7)
    versions = (await requests.get(AGENT, f"/rate-cards/{card_id}/versions")).json()["items"]

    assert (before["rate_card_version"], before["rates"][0]["rate_minor"]) == (1, 9000)
    assert (after["rate_card_version"], after["rates"][0]["rate_minor"]) == (2, 9900)
    assert unknown["http"] == 404
    assert (other.status_code, other.json()["code"]) == (422, "currency-of-card-changes")
    assert [one["version"] for one in versions] == [1, 2]


@pytest.mark.parametrize(
    "change",
    [
        "currency = 'GBP'",
        "kind = 'retainer'",
        "rate_card_id = gen_random_uuid()",
        "starts_on = '2020-01-01'",
        "status = 'draft'",
    ],
)
async def test_the_database_keeps_the_head_of_an_active_contract(database: Database, change: str) -> None:
    await a_client_with_contract(database)

    with pytest.raises(asyncpg.PostgresError) as refused:
        async with database.transaction(SYSTEM) as tx:
            await tx.driver.execute(f"UPDATE contracts SET {change}")

    assert refused.value.sqlstate == "MSP01"


async def test_an_amendment_that_was_rolled_back_leaves_nothing_behind(database: Database, requests: Requests) -> None:
    _, contract_id = await a_client_with_contract(database)
    with pytest.raises(RuntimeError):
        async with database.transaction(SYSTEM) as tx:
            await amendments.amend(tx, contract_id, {}, {"levels": ["L1"]}, effective_from=START.date())
            raise RuntimeError

    # Another process gives the same revision to other terms.
    async with database.transaction(SYSTEM) as tx:
        (first,) = (await store.versions(tx, [contract_id]))[contract_id]
        await store.insert_version(tx, {**first, "version": 2, "recorded_at": tx.now})
        await store.update_contract(tx, contract_id, version=2)
    question = {"contract_id": str(contract_id), "job_type": "network", "level": "L2", "worked_minutes": 30}
    answer = await requests.post(AGENT, "/coverage/preview", {**question, "worked_from": "2026-11-03T09:00:00Z"})

    assert (answer.json()["answer"], answer.json()["contract_version"]) == ("covered", 2)


# ---- drafts -------------------------------------------------------------------------------------------------------


async def test_a_draft_is_changed_until_it_is_active(requests: Requests, database: Database) -> None:
    _, path = await a_client_with_draft(database)

    changed = await requests.send(MANAGER, "PATCH", path, {"name": "Night watch", "levels": ["L1"], "priority": 5})
    await requests.post(MANAGER, f"{path}/activate")
    late = await requests.send(MANAGER, "PATCH", path, {"name": "Day watch"})

    assert (changed.json()["name"], changed.json()["levels"], changed.json()["priority"]) == ("Night watch", ["L1"], 5)
    assert (late.status_code, late.json()["code"]) == (409, "contract-not-draft")


async def test_the_lots_of_a_draft_follow_its_zone(requests: Requests, database: Database) -> None:
    _, path = await a_client_with_draft(database)
    calendar = {"name": "Paris", **OFFICE_HOURS, "timezone": "Europe/Paris"}
    made = (await requests.post(MANAGER, "/calendars", calendar)).json()

    await requests.send(MANAGER, "PATCH", path, {"calendar_id": made["id"]})

    async with database.transaction(SYSTEM) as tx:
        assert (await tx.fetchval("SELECT starts_at FROM lots")).isoformat() == "2026-11-01T23:00:00+00:00"


@pytest.mark.parametrize("weekly", [{"mon": [["09:00", "12:00"], ["11:00", "17:00"]]}])
async def test_overlapping_windows_are_refused_on_save(requests: Requests, weekly: dict[str, Any]) -> None:
    answer = await requests.post(MANAGER, "/calendars", {"name": "Odd", "timezone": "UTC", "weekly": weekly})

    assert (answer.status_code, answer.json()["code"]) == (422, "bad-window")
    assert "09:00-12:00 and 11:00-17:00, which overlap" in answer.json()["detail"]


# ---- the linter ---------------------------------------------------------------------------------------------------


async def test_the_linter_is_shown_with_the_draft_and_at_activation(requests: Requests, database: Database) -> None:
    targets = [a_target(60, priority="critical"), a_target(30, priority="high", level="SA")]
    _, path = await a_client_with_draft(database, targets=targets)

    lint = (await requests.get(AGENT, f"{path}/lint")).json()
    active = (await requests.post(MANAGER, f"{path}/activate")).json()

    found = [(one["rule"], one["severity"]) for one in lint["items"]]
    assert ("unreachable-rule", "warning") in found
    assert ("priority-without-target", "warning") in found
    assert lint["is_refused"] is False
    assert [(one["rule"], one["severity"]) for one in active["lint"]] == found


async def test_an_amendment_the_linter_refuses_names_the_rule(requests: Requests, database: Database) -> None:
    _, contract_id = await a_client_with_contract(database)
    target = {"metric": "resolution", "budget_minutes": 5_256_000, "rule_id": "ten-years"}

    answer = await amended(requests, f"/contracts/{contract_id}", targets=[target])

    assert (answer["http"], answer["code"]) == (422, "terms-refused")
    assert "target-too-long: ten-years promises 5256000 minutes" in answer["detail"]


@pytest.mark.parametrize(
    "changes",
    [
        {"job_types": ["plumbing"]},
        {"weights": [{"percent": 150, "job_type": "plumbing"}]},
        {"targets": [{"metric": "resolution", "budget_minutes": 60, "job_type": "plumbing"}]},
    ],
)
async def test_unknown_job_types_are_refused_wherever_they_stand(
    requests: Requests, database: Database, changes: dict[str, Any]
) -> None:
    _, path = await a_client_with_draft(database)

    answer = await requests.send(MANAGER, "PATCH", path, changes)

    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-job-types")
    assert "plumbing" in answer.json()["detail"]


async def test_two_contracts_that_claim_the_same_work_are_refused_until_one_goes_first(
    requests: Requests, database: Database
) -> None:
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx)
        await an_active_contract(tx, client_id)
        second = await a_draft(tx, client_id, job_types=["network"])

    refused = await requests.post(MANAGER, f"/contracts/{second}/activate")
    await requests.send(MANAGER, "PATCH", f"/contracts/{second}", {"priority": 50})
    active = await requests.post(MANAGER, f"/contracts/{second}/activate")

    assert refused.json()["code"] == "contract-not-ready"
    assert (
        "two-contracts-claim-the-same-work: C-0002 and C-0001 both claim network at L1, L2" in refused.json()["detail"]
    )
    assert active.status_code == 200


# ---- contract tests -----------------------------------------------------------------------------------------------


async def test_a_contract_whose_tests_hold_is_activated(requests: Requests, database: Database) -> None:
    targets = [a_target(60, priority="critical", **AROUND), a_target(480)]
    _, path = await a_client_with_draft(database, targets=targets, rate_minor=9200)
    await requests.post(MANAGER, f"{path}/tests", sunday(due_in_minutes=60))
    await requests.post(MANAGER, f"{path}/tests", exhausted(overage_price="138.00", answer="overage"))

    ran = (await requests.post(AGENT, f"{path}/tests/run")).json()
    active = await requests.post(MANAGER, f"{path}/activate")

    assert (ran["is_passed"], [one["is_passed"] for one in ran["items"]]) == (True, [True, True])
    assert active.json()["status"] == "active"


async def test_a_failing_test_refuses_activation_and_says_expected_and_found(
    requests: Requests, database: Database
) -> None:
    _, path = await a_client_with_draft(database)
    await requests.post(MANAGER, f"{path}/tests", sunday(due_in_minutes=60))
    await requests.post(MANAGER, f"{path}/tests", exhausted(overage_price="138.00"))

    answer = await requests.post(MANAGER, f"{path}/activate")

    assert (answer.status_code, answer.json()["code"]) == (422, "contract-tests-failed")
    assert answer.json()["detail"] == (
        "C-0001: 90 min after exhaustion cost 138.00: overage_price: expected 138.00, found 135.00; a critical ticket on"
        " Sunday is due in 1 h: due_in_minutes: expected 60, found 1860"
    )
    assert (await requests.get(AGENT, path)).json()["status"] == "draft"


async def test_an_amendment_that_breaks_a_test_is_refused_and_one_that_does_not_is_made(
    requests: Requests, database: Database
) -> None:
    _, contract_id = await a_client_with_contract(database)
    path = f"/contracts/{contract_id}"
    await requests.post(MANAGER, f"{path}/tests", exhausted(overage_price="135.00"))

    broken = await amended(requests, path, rounding={"increment_minutes": 60})
    made = await amended(requests, path, rounding={"increment_minutes": 30})

    assert (broken["http"], broken["code"]) == (422, "contract-tests-failed")
    assert "expected 135.00, found 180.00" in broken["detail"]
    assert made["version"] == 2
    assert len(await said(database, ContractAmended)) == 1


async def test_tests_are_rewritten_removed_and_told_apart_by_name(requests: Requests, database: Database) -> None:
    _, path = await a_client_with_draft(database)
    made = (await requests.post(MANAGER, f"{path}/tests", exhausted(overage_price="1.00"))).json()

    taken = await requests.post(MANAGER, f"{path}/tests", exhausted(overage_price="2.00"))
    await requests.send(MANAGER, "PUT", f"{path}/tests/{made['id']}", exhausted(overage_minutes=90))
    listed = (await requests.get(AGENT, f"{path}/tests")).json()["items"]
    removed = await requests.send(MANAGER, "DELETE", f"{path}/tests/{made['id']}")
    again = await requests.send(MANAGER, "DELETE", f"{path}/tests/{made['id']}")

    assert (taken.status_code, taken.json()["code"]) == (409, "contract-test-name-taken")
    assert [one["expect"] for one in listed] == [{"overage_minutes": 90}]
    assert (removed.status_code, again.status_code) == (204, 404)


@pytest.mark.parametrize(
    "body",
    [
        sunday(),
        sunday(overage_minutes=1),
        exhausted(due_in_minutes=60),
        exhausted(overage_price="12,00"),
        exhausted(billed_minutes=1.5),
        exhausted(billed_minutes=-1),
        {**exhausted(billed_minutes=1), "when": {**exhausted()["when"], "at": "Sunday morning"}},
        {**exhausted(billed_minutes=1), "when": {**exhausted()["when"], "minutes": 0}},
        {**exhausted(billed_minutes=1), "when": {**exhausted()["when"], "event": "dance"}},
    ],
)
async def test_tests_that_cannot_be_computed_are_refused(
    requests: Requests, database: Database, body: dict[str, Any]
) -> None:
    _, path = await a_client_with_draft(database)

    answer = await requests.post(MANAGER, f"{path}/tests", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


# ---- who may see what ---------------------------------------------------------------------------------------------


async def test_a_client_sees_its_contract_without_what_is_internal(requests: Requests, database: Database) -> None:
    client_id, contract_id = await a_client_with_contract(database)
    priya = a_client_person(client_id, "admin")
    path = f"/contracts/{contract_id}"

    shown = (await requests.get(priya, path)).json()
    listed = (await requests.get(priya, "/contracts")).json()["items"][0]
    own = (await requests.get(priya, f"/clients/{client_id}")).json()

    internal = {"lint", "escalation", "priority", "revision", "rate_card_id", "calendar_id", "thresholds_percent"}
    assert internal & set(shown) == internal & set(listed) == set()
    assert shown["rates"][0]["rate_minor"] == 9000
    assert internal <= set((await requests.get(AGENT, path)).json())
    assert "is_active" not in own
    for internal_path in ("/versions", "/diff?from=1&to=1", "/lint", "/tests"):
        assert (await requests.get(priya, path + internal_path)).status_code == 403
    assert (await requests.post(priya, f"{path}/tests", sunday(due_in_minutes=60))).status_code == 403
    assert (await requests.post(AGENT, f"{path}/tests", sunday(due_in_minutes=60))).status_code == 403


async def test_a_client_role_cannot_read_contract_tests_even_in_sql(database: Database, requests: Requests) -> None:
    client_id, contract_id = await a_client_with_contract(database)
    await requests.post(MANAGER, f"/contracts/{contract_id}/tests", exhausted(billed_minutes=90))

    with pytest.raises((asyncpg.InsufficientPrivilegeError, DBAPIError)):
        async with database.transaction(a_client_person(client_id).scope) as tx:
            await tx.fetch("SELECT * FROM contract_tests")


# ---- coverage -----------------------------------------------------------------------------------------------------


async def test_the_clients_contracts_are_asked_by_priority_and_ambiguity_is_refused(
    requests: Requests, database: Database
) -> None:
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx)
        await an_active_contract(tx, client_id)
        await an_active_contract(tx, client_id, job_types=["server"], priority=10)
        await tx.driver.execute("UPDATE contracts SET priority = 100 WHERE ref = 'C-0002'")
    question: dict[str, Any] = {"client_id": str(client_id), "level": "L1", "worked_minutes": 60}
    question["worked_from"] = "2026-11-03T09:00:00Z"

    async def ask(job_type: str) -> dict[str, Any]:
        answer = await requests.post(AGENT, "/coverage/preview", {**question, "job_type": job_type})
        found: dict[str, Any] = answer.json()
        return found

    assert (await ask("network"))["contract_ref"] == "C-0001"
    ambiguous = await ask("server")
    assert (ambiguous["status"], ambiguous["code"]) == (422, "ambiguous-contract")
    assert "C-0001 and C-0002 cover server at L1 with priority 100" in ambiguous["detail"]
    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE contracts SET priority = 10, revision = revision + 1 WHERE ref = 'C-0002'")
    assert (await ask("server"))["contract_ref"] == "C-0002"


async def test_a_client_asks_about_its_own_contracts_only(requests: Requests, database: Database) -> None:
    client_id, contract_id = await a_client_with_contract(database)
    stranger = a_client_person(new_id())
    question = {"job_type": "network", "level": "L1", "worked_from": "2026-11-03T09:00:00Z", "worked_minutes": 60}

    own = await requests.post(a_client_person(client_id), "/coverage/preview", question)
    foreign = await requests.post(stranger, "/coverage/preview", {**question, "client_id": str(client_id)})
    by_id = await requests.post(stranger, "/coverage/preview", {**question, "contract_id": str(contract_id)})

    assert own.json()["answer"] == "covered"
    assert (foreign.status_code, by_id.status_code) == (404, 404)


async def test_logged_work_answers_as_the_resolver_does(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=60)
    covered, refused = an_entry(90), an_entry(30, level="SA")
    await speaker.say(*(time_told(one, client_id=client_id, contract_id=contract_id) for one in (covered, refused)))

    first = (await requests.get(AGENT, f"/coverage/{covered.id}")).json()
    second = (await requests.get(AGENT, f"/coverage/{refused.id}")).json()

    assert (first["answer"], first["bucket_minutes"], first["overage_minutes"]) == ("overage", 60, 30)
    assert (first["overage_price_minor"], len(first["checks"])) == (4500, 4)
    assert (second["answer"], [one["rule"] for one in second["checks"] if not one["is_passed"]]) == (
        "not_covered",
        ["level-outside-contract"],
    )


@pytest.mark.parametrize("minutes", [0, -5, 1.5, "60", 1441])
async def test_minutes_that_are_none_are_refused_with_their_place(
    requests: Requests, database: Database, minutes: Any
) -> None:
    _, contract_id = await a_client_with_contract(database)
    question = {"contract_id": str(contract_id), "job_type": "network", "level": "L1", "worked_minutes": minutes}

    answer = await requests.post(AGENT, "/coverage/preview", {**question, "worked_from": "2026-11-03T09:00:00Z"})

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/body/worked_minutes"]


async def test_clients_and_contracts_are_found_by_the_names_people_use(requests: Requests, database: Database) -> None:
    client_id, contract_id = await a_client_with_contract(database)

    clients = (await requests.get(AGENT, "/clients?code=HLO")).json()["items"]
    contracts = (await requests.get(AGENT, "/contracts?ref=C-0001")).json()["items"]

    assert [one["id"] for one in clients] == [str(client_id)]
    assert [one["id"] for one in contracts] == [str(contract_id)]
    assert (await requests.get(AGENT, "/clients?code=NOBODY")).status_code == 422
    assert (await requests.get(AGENT, "/contracts?ref=C-9999")).json()["items"] == []


async def test_a_contact_is_changed(requests: Requests, database: Database) -> None:
    client_id, _ = await a_client_with_contract(database)
    body = {"client_id": str(client_id), "name": "Priya Nair", "email": "priya@hlo.example", "phone": "1"}
    made = (await requests.post(AGENT, "/contacts", body)).json()

    changed = await requests.send(AGENT, "PATCH", f"/contacts/{made['id']}", {"name": "Priya N.", "phone": None})
    missing = await requests.send(AGENT, "PATCH", f"/contacts/{new_id()}", {"name": "Nobody"})

    assert (changed.json()["name"], changed.json()["phone"], changed.json()["email"]) == (
        "Priya N.",
        None,
        "priya@hlo.example",
    )
    assert missing.status_code == 404
