"""What the contracts service answers over HTTP, to whom, and what it refuses."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from contracts.testing import OFFICE_HOURS, a_client_with_contract, an_entry, time_told
from msp_events.contracts import (
    ClientRegistered,
    ClientUpdated,
    ContractActivated,
    ContractAmended,
    ContractEnded,
    JobTypeDefined,
)
from msp_kernel.ids import new_id
from msp_kit.database import Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person, said

MANAGER = a_staff_person("manager")
AGENT = a_staff_person("agent")


async def created(requests: Requests, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await requests.post(MANAGER, path, body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def client_body(**changes: Any) -> dict[str, Any]:
    return {"code": "HLO", "name": "Harlow Dental", "timezone": "Europe/London", "currency": "GBP", **changes}


def calendar_body(**changes: Any) -> dict[str, Any]:
    return {"name": "Office hours", "timezone": "UTC", "weekly": OFFICE_HOURS["weekly"], **changes}


async def contract_body(requests: Requests, **changes: Any) -> dict[str, Any]:
    client = await created(requests, "/clients", client_body(currency="EUR"))
    for code in ("network", "server", "training"):
        await created(requests, "/job-types", {"code": code, "name": code, "is_billable": code != "training"})
    calendar = await created(requests, "/calendars", calendar_body())
    card = await created(
        requests, "/rate-cards", {"name": "Standard", "currency": "EUR", "rates": [{"rate_minor": 9000}]}
    )
    return {
        "client_id": client["id"],
        "name": "Managed support",
        "kind": "bucket",
        "starts_on": "2026-11-02",
        "currency": "EUR",
        "job_types": ["network", "training"],
        "levels": ["L2", "L1"],
        "calendar_id": calendar["id"],
        "rate_card_id": card["id"],
        "targets": [{"metric": "resolution", "priority": "critical", "budget_minutes": 240}],
        "bucket": {"minutes": 3000, "price_minor": 400_000, "valid_from": "2026-11-02"},
        **changes,
    }


# ---- clients and the catalogue ------------------------------------------------------------------------------------


async def test_a_client_is_registered_read_and_changed(requests: Requests, database: Database) -> None:
    client = await created(requests, "/clients", client_body(tax_id="GB123"))
    changed = await requests.send(MANAGER, "PATCH", f"/clients/{client['id']}", {"name": "Harlow Smiles"})
    listed = await requests.get(AGENT, "/clients")

    assert changed.json()["name"] == "Harlow Smiles"
    assert changed.json()["revision"] == 2
    assert [one["code"] for one in listed.json()["items"]] == ["HLO"]
    registered, updated = await said(database, ClientRegistered, ClientUpdated)
    assert (registered.tax_id, registered.name, updated.name) == ("GB123", "Harlow Dental", "Harlow Smiles")


async def test_a_taken_code_is_a_conflict_and_a_repeated_import_is_not(requests: Requests) -> None:
    known = str(new_id())
    await created(requests, "/clients", client_body(id=known))

    again = await created(requests, "/clients", client_body(id=known))
    taken = await requests.post(MANAGER, "/clients", client_body(name="Other"))

    assert again["id"] == known
    assert (taken.status_code, taken.json()["code"]) == (409, "client-code-taken")


async def test_the_same_request_again_gives_the_same_answer(requests: Requests) -> None:
    headers = {"Idempotency-Key": "register-harlow-1"}

    first = await requests.post(MANAGER, "/clients", client_body(), headers=headers)
    again = await requests.post(MANAGER, "/clients", client_body(), headers=headers)

    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"code": "harlow"}, "/body/code"),
        ({"timezone": "Mars/Olympus"}, "/body/timezone"),
        ({"currency": "XXZ"}, "/body/currency"),
        ({"name": ""}, "/body/name"),
        ({"name": "a\x07b"}, "/body/name"),
        ({"colour": "red"}, "/body/colour"),
        ({"billing_address": {"country": "England"}}, "/body/billing_address/country"),
        ({"id": "not-an-id"}, "/body/id"),
    ],
)
async def test_bad_clients_are_refused_with_the_place(
    requests: Requests, changes: dict[str, Any], pointer: str
) -> None:
    answer = await requests.post(MANAGER, "/clients", client_body(**changes))

    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_only_managers_register_clients(requests: Requests) -> None:
    assert (await requests.post(AGENT, "/clients", client_body())).status_code == 403
    assert (await requests.post(a_client_person(new_id(), "admin"), "/clients", client_body())).status_code == 403
    assert (await requests.post(None, "/clients", client_body())).status_code == 401


async def test_a_calendar_is_changed_and_contracts_keep_their_copy_until_amended(requests: Requests) -> None:
    body = await contract_body(requests)
    contract = await created(requests, "/contracts", body)
    path = f"/calendars/{body['calendar_id']}"

    longer = calendar_body(name="Long days", weekly={"mon": [["08:00", "20:00"]]})
    changed = await requests.send(MANAGER, "PUT", path, longer)
    overlap = calendar_body(weekly={"mon": [["08:00", "12:00"], ["11:00", "14:00"]]})
    refused = await requests.send(MANAGER, "PUT", path, overlap)
    read = (await requests.get(AGENT, path)).json()

    assert (changed.status_code, changed.json()) == (200, read)
    assert (read["name"], read["calendar"]["weekly"]["mon"]) == ("Long days", [["08:00", "20:00"]])
    assert refused.json()["code"] == "bad-window"
    assert "tue" in (await requests.get(AGENT, f"/contracts/{contract['id']}")).json()["calendar"]["weekly"]
    assert (await requests.send(AGENT, "PUT", path, longer)).status_code == 403
    assert (await requests.send(MANAGER, "PUT", f"/calendars/{new_id()}", longer)).status_code == 404


async def test_a_job_type_gets_another_name_and_everybody_hears_it_once(requests: Requests, database: Database) -> None:
    made = await created(requests, "/job-types", {"code": "training", "name": "Traning"})
    path = f"/job-types/{made['id']}"

    changed = await requests.send(MANAGER, "PATCH", path, {"name": "Training", "is_billable": False})
    again = await requests.send(MANAGER, "PATCH", path, {"name": "Training"})
    recoded = await requests.send(MANAGER, "PATCH", path, {"code": "course"})

    expected = {"id": made["id"], "code": "training", "name": "Training", "is_billable": False, "revision": 2}
    assert (changed.json(), again.json()) == (expected, expected)
    assert recoded.status_code == 422
    told = await said(database, JobTypeDefined)
    assert [(one.revision, one.name, one.is_billable) for one in told] == [(1, "Traning", True), (2, "Training", False)]
    assert (await requests.send(AGENT, "PATCH", path, {"name": "x"})).status_code == 403
    assert (await requests.send(MANAGER, "PATCH", f"/job-types/{new_id()}", {"name": "x"})).status_code == 404


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"weekly": {}}, "calendar-without-hours"),
        ({"timezone": "Nowhere/Land"}, "unknown-timezone"),
        ({"weekly": {"mon": [["9", "17:00"]]}}, "bad-window"),
        ({"holidays": ["0001-01-01"]}, "bad-day"),
        ({"holiday_country": "ZZ"}, "unknown-holidays"),
    ],
)
async def test_calendars_that_cannot_be_reckoned_with_are_refused(
    requests: Requests, changes: dict[str, Any], code: str
) -> None:
    body = calendar_body(**changes)

    answer = await requests.post(MANAGER, "/calendars", body)

    assert answer.status_code == 422
    assert answer.json()["code"] in (code, "invalid-request")


async def test_a_country_fills_in_its_holidays(requests: Requests) -> None:
    calendar = await created(
        requests,
        "/calendars",
        calendar_body(holiday_country="GB", holiday_subdivision="ENG", holiday_years=[2026], holidays=["2026-03-02"]),
    )

    assert {"2026-12-25", "2026-03-02"} <= set(calendar["calendar"]["holidays"])


async def test_holidays_can_be_looked_at_before_they_are_filled_in(requests: Requests) -> None:
    bavaria = await requests.get(AGENT, "/calendars/holidays?country=DE&subdivision=BY&year=2026")
    germany = await requests.get(AGENT, "/calendars/holidays?country=DE&year=2026")
    nowhere = await requests.get(AGENT, "/calendars/holidays?country=DE&subdivision=ZZ&year=2026")

    assert {"on": "2026-12-25", "name": "Christmas Day"} in bavaria.json()["items"]
    assert {"2026-01-06"} <= {one["on"] for one in bavaria.json()["items"]} - {
        one["on"] for one in germany.json()["items"]
    }
    assert (nowhere.status_code, nowhere.json()["code"]) == (422, "unknown-holidays")
    assert "BY" in nowhere.json()["detail"]


QUIET = {"mon": [["22:00", "07:00"]], "sat": [["00:00", "24:00"]]}
A_CREDIT = {"kind": "per_breach", "priority": "critical", "amount_minor": 5000, "cap": 20_000}
A_MONTH = {"kind": "monthly_compliance", "below_basis_points": 9500, "basis_points": 500}


async def test_quiet_hours_and_credits_are_terms_like_any_other(requests: Requests, database: Database) -> None:
    body = await contract_body(requests, quiet_hours=QUIET, sla_credits=[A_CREDIT, A_MONTH])
    draft = await created(requests, "/contracts", body)
    await requests.post(MANAGER, f"/contracts/{draft['id']}/activate")

    (event,) = await said(database, ContractActivated)
    assert event.quiet_hours == QUIET
    assert [(one.rule_id, one.kind, one.cap) for one in event.sla_credits] == [
        ("credit.1", "per_breach", 20_000),
        ("credit.2", "monthly_compliance", None),
    ]


ALL_WEEK = {day: [["00:00", "24:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


@pytest.mark.parametrize(
    ("terms", "code", "says"),
    [
        ({"quiet_hours": ALL_WEEK}, "quiet-hours-never-end", "leave an hour"),
        ({"quiet_hours": {"mon": [["22", "07:00"]]}}, "bad-window", "weekly/mon"),
        ({"sla_credits": [{**A_CREDIT, "rule_id": "x"}] * 2}, "ambiguous-credits", "called x"),
        ({"sla_credits": [{**A_CREDIT, "basis_points": 1}]}, "invalid-request", ""),
        ({"sla_credits": [{**A_CREDIT, "cap": 1}]}, "invalid-request", ""),
        ({"sla_credits": [{**A_MONTH, "below_basis_points": None}]}, "invalid-request", ""),
    ],
)
async def test_terms_that_nobody_could_keep_are_refused(
    requests: Requests, terms: dict[str, Any], code: str, says: str
) -> None:
    answer = await requests.post(MANAGER, "/contracts", await contract_body(requests, **terms))

    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert says in answer.json()["detail"]


async def test_equally_specific_rates_are_refused(requests: Requests) -> None:
    rates = [{"rate_minor": 1, "level": "L1"}, {"rate_minor": 2, "job_type": "network"}]

    answer = await requests.post(MANAGER, "/rate-cards", {"name": "Odd", "currency": "EUR", "rates": rates})

    assert (answer.status_code, answer.json()["code"]) == (422, "ambiguous-rates")


@pytest.mark.parametrize(
    ("path", "verb", "body"),
    [
        ("/clients", "PATCH", {"name": "Harlow Smiles"}),
        ("/job-types", "PATCH", {"name": "Networks"}),
        ("/calendars", "PUT", calendar_body(name="Longer hours")),
        ("/contracts", "PATCH", {"name": "Unmanaged support"}),
    ],
)
async def test_what_somebody_else_changed_in_between_is_not_overwritten(
    requests: Requests, path: str, verb: str, body: dict[str, Any]
) -> None:
    await created(requests, "/contracts", await contract_body(requests))
    thing = (await requests.get(MANAGER, path)).json()["items"][0]
    address, read = f"{path}/{thing['id']}", f'"{thing["revision"]}"'

    first = await requests.send(MANAGER, verb, address, body, headers={"if-match": read})
    second = await requests.send(MANAGER, verb, address, {**body, "name": "Other"}, headers={"if-match": read})
    nonsense = await requests.send(MANAGER, verb, address, body, headers={"if-match": '"new"'})
    regardless = await requests.send(MANAGER, verb, address, {**body, "name": "Last"})

    assert first.status_code == 200, first.text
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert f"revision {thing['revision'] + 1}, you read {thing['revision']}" in second.json()["detail"]
    assert nonsense.status_code == 409
    assert regardless.json()["name"] == "Last"
    if path != "/job-types":
        assert (await requests.get(MANAGER, address)).headers["etag"] == f'"{regardless.json()["revision"]}"'


# ---- contracts ----------------------------------------------------------------------------------------------------


async def test_a_draft_becomes_active_with_a_funded_bucket(requests: Requests, database: Database) -> None:
    draft = await created(requests, "/contracts", await contract_body(requests))
    active = await requests.post(MANAGER, f"/contracts/{draft['id']}/activate")
    balance = await requests.get(AGENT, f"/contracts/{draft['id']}/balance")

    assert (draft["status"], draft["ref"], draft["levels"]) == ("draft", "C-0001", ["L1", "L2"])
    assert active.json()["status"] == "active"
    assert balance.json()["available_minutes"] == 3000
    (event,) = await said(database, ContractActivated)
    assert event.non_billable_job_types == ("training",)
    assert [(one.text, one.unit_minor, one.frequency) for one in event.fixed_items] == [
        ("Bucket of 50 h", 400_000, "once")
    ]
    assert event.rates[0].rate_minor == 9000


async def test_activation_lists_everything_that_is_missing(requests: Requests) -> None:
    body = await contract_body(requests, job_types=[], targets=[], bucket=None)
    draft = await created(requests, "/contracts", body)

    answer = await requests.post(MANAGER, f"/contracts/{draft['id']}/activate")

    assert (answer.status_code, answer.json()["code"]) == (422, "contract-not-ready")
    assert answer.json()["detail"] == (
        "C-0001: scope-without-job-types: at least one job type must be in scope; contract-without-targets: at least"
        " one SLA target is needed (a target without a budget says 'no target'); bucket-without-minutes: a bucket needs"
        " a lot with minutes"
    )


async def test_a_contract_is_activated_once(requests: Requests) -> None:
    draft = await created(requests, "/contracts", await contract_body(requests))
    await requests.post(MANAGER, f"/contracts/{draft['id']}/activate")

    again = await requests.post(MANAGER, f"/contracts/{draft['id']}/activate")

    assert (again.status_code, again.json()["code"]) == (409, "contract-not-draft")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"currency": "GBP"}, "currencies-differ"),
        ({"job_types": ["plumbing"]}, "unknown-job-types"),
        ({"kind": "time_and_materials"}, "bucket-does-not-fit"),
        ({"calendar_id": str(new_id())}, "not-found"),
        ({"rate_card_id": str(new_id())}, "not-found"),
        ({"client_id": str(new_id())}, "not-found"),
        (
            {"targets": [{"metric": "resolution", "level": "L1"}, {"metric": "resolution", "priority": "low"}]},
            "ambiguous-targets",
        ),
        ({"starts_on": "0001-01-01"}, "invalid-request"),
        ({"ends_on": "2026-11-01"}, "invalid-request"),
        ({"bucket": {"minutes": 0, "valid_from": "2026-11-02"}}, "invalid-request"),
        ({"bucket": {"minutes": 10**9, "valid_from": "2026-11-02"}}, "invalid-request"),
        ({"bucket": {"minutes": 1.5, "valid_from": "2026-11-02"}}, "invalid-request"),
        ({"bucket": {"minutes": 10, "valid_from": "2026-11-02", "expires_on": "2026-11-02"}}, "invalid-request"),
        ({"weights": [{"percent": 0}]}, "invalid-request"),
        ({"levels": ["L9"]}, "invalid-request"),
        ({"terms": {}}, "invalid-request"),
        ({"targets": [{"metric": "resolution", "colour": "red"}]}, "invalid-request"),
    ],
)
async def test_bad_contracts_are_refused_with_the_rule(requests: Requests, changes: dict[str, Any], code: str) -> None:
    answer = await requests.post(MANAGER, "/contracts", await contract_body(requests, **changes))

    assert answer.json()["code"] == code
    assert answer.status_code == (404 if code == "not-found" else 422)


async def test_an_amendment_is_a_new_version_and_frozen_terms_cannot_be_named(
    requests: Requests, database: Database
) -> None:
    draft = await created(requests, "/contracts", await contract_body(requests))
    path = f"/contracts/{draft['id']}"
    await requests.post(MANAGER, f"{path}/activate")

    amended = await requests.post(MANAGER, f"{path}/amend", {"effective_from": "2026-12-01", "levels": ["L1"]})
    too_early = await requests.post(MANAGER, f"{path}/amend", {"effective_from": "2026-11-01", "levels": ["L2"]})
    frozen = await requests.post(MANAGER, f"{path}/amend", {"effective_from": "2026-12-01", "currency": "GBP"})

    assert (amended.json()["version"], amended.json()["levels"]) == (2, ["L1"])
    assert (too_early.status_code, too_early.json()["code"]) == (422, "amendment-too-early")
    assert (frozen.status_code, frozen.json()["code"]) == (409, "terms-frozen")
    (event,) = await said(database, ContractAmended)
    assert (event.version, event.effective_from.isoformat(), event.job_types) == (
        2,
        "2026-12-01",
        ("network", "training"),
    )


async def test_an_amendment_stamps_open_work_anew(requests: Requests, database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    entry = an_entry(60, "Wed 09:00")
    await speaker.say(time_told(entry, client_id=client_id, contract_id=contract_id))

    terms = {"effective_from": "2026-11-03", "weights": [{"percent": 200}]}
    await requests.post(MANAGER, f"/contracts/{contract_id}/amend", terms)

    hours = (await requests.get(AGENT, f"/hours/{entry.id}")).json()
    assert (hours["contract_version"], hours["bucket_minutes"], hours["revision"]) == (2, 120, 2)
    assert (await requests.get(AGENT, f"/contracts/{contract_id}/balance")).json()["available_minutes"] == 480


async def test_a_top_up_pays_for_open_overage(requests: Requests, database: Database, speaker: Speaker) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=60)
    await speaker.say(time_told(an_entry(90), client_id=client_id, contract_id=contract_id))

    answer = await requests.post(
        MANAGER, f"/contracts/{contract_id}/lots", {"minutes": 100, "price_minor": 5000, "valid_from": "2026-11-02"}
    )

    balance = (await requests.get(AGENT, f"/contracts/{contract_id}/balance")).json()
    assert [lot["origin"] for lot in answer.json()["bucket"]] == ["purchase", "top_up"]
    # The entry was worked at nine, the lot is valid since midnight.
    assert (balance["available_minutes"], balance["held_minutes"], balance["overage_minutes"]) == (70, 90, 0)
    *_, amended = await said(database, ContractAmended)
    assert [one.text for one in amended.fixed_items] == ["Bucket of 1 h", "Top-up of 1 h 40 min"]


async def test_a_contract_with_later_work_cannot_end_before_it(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=60)
    await speaker.say(time_told(an_entry(30, "Wed 09:00"), client_id=client_id, contract_id=contract_id))

    early = await requests.post(MANAGER, f"/contracts/{contract_id}/end", {"ends_on": "2026-11-04"})
    right = await requests.post(MANAGER, f"/contracts/{contract_id}/end", {"ends_on": "2026-11-05"})

    assert (early.status_code, early.json()["code"]) == (422, "contract-ends-too-early")
    assert right.json()["ends_on"] == "2026-11-05"
    (event,) = await said(database, ContractEnded)
    assert event.ends_on is not None


async def test_a_retainer_gets_a_lot_for_every_month_that_has_begun(requests: Requests) -> None:
    body = await contract_body(requests, kind="retainer", starts_on="2026-09-15")
    draft = await created(requests, "/contracts", body)

    active = (await requests.post(MANAGER, f"/contracts/{draft['id']}/activate")).json()

    lots = [(lot["valid_from"], lot["expires_on"], lot["minutes"]) for lot in active["bucket"]]
    assert lots[:2] == [("2026-09-15", "2026-10-01", 3000), ("2026-10-01", "2026-11-01", 3000)]
    assert active["fixed_items"][0]["frequency"] == "monthly"


async def test_a_draft_is_nothing_a_client_can_see(requests: Requests) -> None:
    draft = await created(requests, "/contracts", await contract_body(requests))
    priya = a_client_person(UUID(draft["client_id"]))

    assert (await requests.get(priya, f"/contracts/{draft['id']}")).status_code == 404
    assert (await requests.get(priya, "/contracts")).json()["items"] == []
