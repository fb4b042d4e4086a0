"""What would have become of the promises under other terms."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person
from sla import actions, store
from sla.domain.whatif import Change, replayed
from sla.reports import whatif
from sla.testing import ATicket, a_busy_fortnight, at, hours

MANAGER = a_staff_person("manager")
METRICS = ("first_response", "resolution")
PERIOD = {"from": "2026-11-02", "to": "2026-11-30"}


async def tell(speaker: Speaker, *, seed: int = 7) -> None:
    for said in a_busy_fortnight(seed=seed):
        await speaker.say(*said)


async def fire(database: Database) -> None:
    async with database.transaction(SYSTEM) as tx:
        while await actions.fire_due(tx):
            pass


async def asked(requests: Requests, **change: Any) -> dict[str, Any]:
    answer = await requests.post(MANAGER, "/what-if", {**PERIOD, **change})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("seed", range(3))
async def test_no_change_changes_nothing(database: Database, speaker: Speaker, seed: int) -> None:
    """The same function proves stored clocks and replays them: without a change every second has to be the same."""
    await tell(speaker, seed=seed)
    await fire(database)
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT ticket_id FROM tickets")
        clocks, _ = await store.clocks_with_place(
            tx, [row["ticket_id"] for row in rows], starts_on=tx.now.date(), ends_on=tx.now.date()
        )
        terms = await store.terms_of(
            tx, {(one.contract_id, one.contract_version) for clock in clocks for one in clock.promises}
        )
        by_ticket: dict[Any, list[Any]] = {}
        for clock in clocks:
            by_ticket.setdefault(clock.ticket_id, []).append(clock)
        found = [one for of in by_ticket.values() for one in replayed(of, Change(), terms=terms, now=tx.now)]

    assert len(found) == len(clocks) > 60
    for one in found:
        assert one.after is not None
        assert not one.is_changed, (one.before, one.after)
        assert one.after.settled_seconds == one.before.settled_seconds
        assert one.after.budget_minutes == one.before.promise.budget_minutes
        if one.before.status == "stopped":
            assert (one.after.breached_at, one.after.breach_reason) == (
                one.before.breached_at,
                one.before.breach_reason,
            )


async def test_before_is_what_compliance_says(database: Database, speaker: Speaker, requests: Requests) -> None:
    await tell(speaker)
    await fire(database)

    found = await asked(requests)
    whole = (await requests.get(MANAGER, f"/compliance?from={PERIOD['from']}&to={PERIOD['to']}")).json()

    assert found["before"] == found["after"] == {name: whole[name] for name in found["before"]}
    assert (found["changed_count"], found["changed"]) == (0, [])


async def test_longer_budgets_break_less_and_wider_hours_break_more(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    await tell(speaker)
    await fire(database)
    as_it_was = await asked(requests)

    longer = await asked(requests, targets=[{"metric": metric, "budget_minutes": 10_000} for metric in METRICS])
    around_the_clock = await asked(requests, flags={"after_hours": True, "weekends": True, "holidays": True})
    nothing = await asked(requests, targets=[{"metric": metric, "budget_minutes": None} for metric in METRICS])

    broken = [
        one["missed"] + one["open_overdue"] for one in (longer["after"], as_it_was["after"], around_the_clock["after"])
    ]
    assert broken[0] < broken[1] < broken[2]
    assert "met" not in {one["outcome_after"] for one in around_the_clock["changed"]}
    assert nothing["after"]["percent"] is None
    assert nothing["changed_count"] == sum(nothing["before"][name] for name in ("met", "missed", "open_overdue"))


async def test_a_ticket_by_hand(database: Database, speaker: Speaker, requests: Requests) -> None:
    # Raised Friday 15:00, paused 16:00 to Monday 10:00, resolved Monday 14:00: 5 hours of 09-17, 4 hours promised.
    ticket = ATicket(state={"ref": "HLO-9"})
    ticket.raised_at += timedelta(days=4, hours=6)
    await speaker.say(ticket.contract(calendar=hours("09-17"), targets={"resolution": "4h"}), ticket.raised())
    await speaker.say(
        ticket.moved("Fri 16:00", status="waiting_on_client"), ticket.moved(at("Mon 10:00", week=1), status="open")
    )
    await speaker.say(ticket.resolved(at("Mon 14:00", week=1)))

    same = await asked(requests)
    six_hours = await asked(requests, targets=[{"metric": "resolution", "budget_minutes": 360}])
    early_shift = await asked(requests, calendar=hours("06-12"))

    assert (same["before"]["missed"], same["changed_count"]) == (1, 0)
    (change,) = six_hours["changed"]
    assert (change["ticket_ref"], change["outcome_before"], change["outcome_after"]) == ("HLO-9", "missed", "met")
    assert (change["consumed_seconds_before"], change["consumed_seconds_after"]) == (5 * 3600, 5 * 3600)
    assert early_shift["changed"][0]["consumed_seconds_after"] == 2 * 3600, "Monday 10:00 to 12:00"


async def test_what_cannot_be_asked_is_said(requests: Requests) -> None:
    for change, code in (
        ({"calendar": {"timezone": "Mars/Base", "weekly": {"mon": [["09:00", "17:00"]]}}}, "unknown-timezone"),
        ({"calendar": {"timezone": "UTC", "weekly": {}}}, "calendar-without-hours"),
        ({"calendar": {"timezone": "UTC", "weekly": {"mon": [["09:00", "12:00"], ["11:00", "13:00"]]}}}, "bad-window"),
        ({"targets": [{"metric": "resolution", "budget_minutes": 0}]}, "invalid-request"),
        ({"targets": [{"metric": "resolution", "budget_minutes": 10**8}]}, "invalid-request"),
        ({"targets": [{"metric": "resolution", "budget_minutes": 60}] * 2}, "tied-rules"),
        ({"to": "2026-11-01"}, "period-not-answerable"),
        ({"surprise": 1}, "invalid-request"),
    ):
        answer = await requests.post(MANAGER, "/what-if", {**PERIOD, **change})
        assert (answer.status_code, answer.json().get("code")) == (422, code), answer.text
        assert answer.json()["detail"]


async def test_more_than_can_be_replayed_is_refused_with_what_can(
    speaker: Speaker, requests: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in (1, 2):
        ticket = ATicket(state={"ref": f"HLO-{number}"})
        await speaker.say(ticket.contract(targets={"resolution": "4h"}), ticket.raised(), ticket.resolved("Mon 10:00"))

    monkeypatch.setattr(whatif, "TICKETS_MAX", 2)
    assert (await asked(requests))["clock_count"] == 2
    monkeypatch.setattr(whatif, "TICKETS_MAX", 1)
    answer = await requests.post(MANAGER, "/what-if", PERIOD)

    assert (answer.status_code, answer.json()["code"]) == (422, "period-not-answerable")
    assert "more than 1 tickets counted in the period" in answer.json()["detail"]


async def test_only_staff_may_ask(speaker: Speaker, requests: Requests) -> None:
    ticket = ATicket()

    assert (await requests.post(a_client_person(ticket.client_id), "/what-if", PERIOD)).status_code == 403
