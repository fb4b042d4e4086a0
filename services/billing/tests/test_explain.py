"""From a cent to its entries, and from a minute to its cents; and whether a client pays off."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, given, settings, strategies as st
from office import Office, an_office

from billing.reports import health
from billing.testing import MONDAY, a_client, a_contract, posted
from msp_events.contracts import HoursHeld, HoursReleased
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person, a_staff_person

RANGE = "from=2026-10-01&to=2026-11-01"


async def test_a_line_is_explained_down_to_rule_clause_and_entries(office: Office) -> None:
    entries = [
        posted(
            office.client,
            office.contract,
            minutes=50,
            overage=20,
            worked_from=MONDAY + timedelta(hours=n),
            note=f"n{n}",
        )
        for n in range(3)
    ]
    invoice = await office.issued(*entries)

    why = await office.get(f"/invoices/{invoice['number']}/lines/2/explain")

    assert why["arithmetic"] == "60 min x 92.00 GBP an hour / 60 = 92.00 GBP (rounded half up once)"
    assert (why["rule"]["rule_id"], why["rule"]["place"], why["rule"]["rate_minor"]) == ("rate-1", "rates", 9200)
    assert why["clause"]["step"] == "level_rate"
    assert [(one["minutes"], one["net_minor"], one["note"]) for one in why["entries"]] == [
        (20, 3067, "n0"),
        (20, 3067, "n1"),
        (20, 3066, "n2"),
    ]
    item = await office.get(f"/invoices/{invoice['number']}/lines/1/explain")
    assert (item["rule"]["place"], item["rule"]["item_id"]) == ("fixed_items", "lot:1")
    assert (await office.requests.get(office.manager, f"/invoices/{invoice['id']}/lines/3/explain")).status_code == 404


async def test_every_entry_says_where_it_went_to_the_cent(office: Office) -> None:
    entries = [
        posted(office.client, office.contract, minutes=50, overage=20, worked_from=MONDAY + timedelta(hours=n))
        for n in range(3)
    ]
    invoice = await office.issued(*entries)

    found = [await office.get(f"/whereabouts/{one.time_entry_id}", by=office.payer) for one in entries]

    assert sum(one["net_minor"] for one in found) == invoice["lines"][1]["net_minor"]
    assert {one["invoice_number"] for one in found} == {invoice["number"]}
    assert [{k: v for k, v in one["places"].items() if v} for one in found] == [{"bucket": 30, "overage": 20}] * 3
    stranger = a_client_person(new_id(), "billing")
    for who, entry in ((stranger, entries[0].time_entry_id), (office.payer, new_id())):
        assert (await office.requests.get(who, f"/whereabouts/{entry}")).status_code == 404


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 500), st.integers(0, 500), st.sampled_from(["posted", "held", "released", "late"])),
        min_size=1,
        max_size=12,
    )
)
async def test_every_worked_minute_is_in_exactly_one_place(rows: list[tuple[int, int, str]]) -> None:
    kinds: dict[str, Any] = {"held": HoursHeld, "released": HoursReleased}
    async with an_office() as office:
        for minutes, over, status in rows:
            entry = posted(
                office.client, office.contract, minutes=minutes, overage=min(over, minutes), is_late=status == "late"
            )
            if status in kinds:
                entry = kinds[status](**{**entry.model_dump(), "status": status})
            await office.speaker.say(entry)

        found = await office.get(f"/billing-coverage?client_id={office.client}&{RANGE}", by=office.payer)

    assert found["entry_count"] == len(rows)
    assert found["worked_minutes"] == sum(found["places"].values()) == sum(minutes for minutes, _, _ in rows)
    assert found["unaccounted_minutes"] == 0
    for status, place in (("late", "late"), ("released", "rejected"), ("held", "unapproved")):
        assert found["places"][place] == sum(minutes for minutes, _, one in rows if one == status)


async def test_the_csv_has_every_entry_and_no_formula(office: Office) -> None:
    entry = posted(office.client, office.contract, minutes=90, overage=60, note='=HYPERLINK("x")', agent_name="+A")
    invoice = await office.issued(entry)

    answer = await office.requests.get(office.payer, f"/invoices/{invoice['number']}/csv")

    rows = answer.text.splitlines()
    assert len(rows) == 4
    assert "'=HYPERLINK" in rows[3]
    assert ",'+A," in rows[3]
    assert rows[2].startswith(f"{invoice['number']},2,overage,C-0001,")
    assert ",92.00,92.00,18.40,S,20.00,GBP" in rows[2]


async def test_financial_health_adds_up(office: Office) -> None:
    invoice = await office.issued(posted(office.client, office.contract, minutes=150, overage=90))
    await office.post(
        f"/invoices/{invoice['id']}/credit-notes", {"reason": "x", "lines": [{"n": 2, "net_minor": 3800}]}
    )
    await office.speaker.say(posted(office.client, office.contract, minutes=60, overage=30))
    path = f"/financial-health/{office.client}?{RANGE}"

    (before,) = (await office.get(path))["items"]
    rates = [{"level": "L1", "currency": "GBP", "rate_minor": 4000}]
    assert (await office.put("/cost-rates", {"rates": rates})).status_code == 200
    (after,) = (await office.get(path))["items"]

    assert (before["cost_minor"], before["margin_minor"]) == (None, None)
    assert (after["revenue_minor"], after["overage_minor"]) == (420_000, 10_000)
    assert after["worked_minutes"] == 210
    assert after["effective_hourly_rate_minor"] == 120_000
    assert after["realisation_basis_points"] == 10_000
    assert (after["cost_minor"], after["margin_minor"]) == (14_000, 406_000)
    assert (after["unbilled_minutes"], after["unbilled_net_minor"]) == (60, 4600)
    assert after["days_sales_outstanding"] == 89
    assert (await office.requests.get(office.payer, path)).status_code == 403
    assert (await office.requests.get(a_staff_person("agent"), path)).status_code == 403


async def test_the_health_of_many_clients_takes_as_many_questions_as_that_of_one(office: Office) -> None:
    await office.issued(posted(office.client, office.contract, minutes=150, overage=90))
    others = {f"Client {number}": new_id() for number in range(6)}
    for name, client_id in others.items():
        contract_id = new_id()
        await office.speaker.say(a_client(client_id, name), a_contract(client_id, contract_id, ref=f"R-{name}"))
        await office.speaker.say(posted(client_id, contract_id, minutes=60, overage=30))
    period = {"from_on": date(2026, 10, 1), "to_on": date(2027, 1, 1)}

    async def asked(client_ids: list[UUID]) -> int:
        async with office.database.transaction(SYSTEM) as tx:
            questions: list[str] = []
            tx.driver.add_query_logger(lambda one: questions.append(one.query))
            await health.of_clients(tx, client_ids=client_ids, **period)
            return len(questions)

    assert await asked([office.client, *others.values()]) == await asked([office.client]) > 0
    first = await office.get(f"/financial-health?{RANGE}&limit=4")
    rest = await office.get(f"/financial-health?{RANGE}&limit=4&after={first['next']}")
    listed = [*first["items"], *rest["items"]]
    assert [one["client_name"] for one in listed] == [*sorted(others), "Harbour & Lowe"]
    assert rest["next"] is None
    (alone,) = (await office.get(f"/financial-health/{office.client}?{RANGE}"))["items"]
    assert listed[-1]["currencies"] == [alone]
    assert {one["currencies"][0]["unbilled_net_minor"] for one in listed[:-1]} == {4600}
