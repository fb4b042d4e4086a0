"""Weeks and workload: what is shown, what is sent, and whose it is."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, words

from portal_gateway.pages.agents import shifts_of, typed_shifts
from portal_gateway.pages.time_week import overlapping

ENTRY, TOM, NINA, TICKET = (f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(4))
AT = "2026-10-05T08:00:00+00:00"
WEEK: dict[str, Any] = {
    "agent_id": TOM,
    "agent_name": "Tom",
    "timezone": "America/New_York",
    "starts_on": "2026-10-26",
    "days": [f"2026-{day}" for day in ("10-26", "10-27", "10-28", "10-29", "10-30", "10-31", "11-01")],
    "rows": [
        {
            "ticket_id": TICKET,
            "task_id": None,
            "ref": "HLO-7",
            "title": "VPN",
            "client_name": "Acme",
            "minutes": [45, 0, 0, 90, 0, 0, 0],
            "total_minutes": 135,
        }
    ],
    "day_minutes": [45, 0, 0, 90, 0, 0, 0],
    "total_minutes": 135,
    "weekly_minutes": 2400,
    "submitted_minutes": 90,
    "approved_minutes": 45,
    "rejected": 1,
    "overlaps": 1,
}
LOAD = {
    "agent_id": TOM,
    "agent_name": "Tom",
    "weekly_minutes": 2400,
    "open": 9,
    "breached": 1,
    "at_risk": 2,
    "paused": 1,
    "due_soon": 3,
    "next_due_at": AT,
    "worked_minutes": 600,
    "presence": "available",
    "is_on_duty": True,
    "load_percent": 120,
}
AN_AGENT: dict[str, Any] = {
    "id": TOM,
    "name": "Tom",
    "levels": ["L1"],
    "skills": [],
    "queues": [],
    "weekly_minutes": 2250,
    "is_active": True,
    "takes_tickets": True,
    "timezone": "America/New_York",
    "shifts": [
        {"day": "mon", "starts": "09:00", "ends": "12:00"},
        {"day": "mon", "starts": "13:00", "ends": "17:30"},
        {"day": "fri", "starts": "22:00", "ends": "06:00"},
    ],
    "absences": [{"id": ENTRY, "starts_at": AT, "ends_at": AT, "reason": "Holiday"}],
}
ADVICE = {
    "ticket_id": TICKET,
    "ref": "HLO-7",
    "from_name": "Tom",
    "to_id": NINA,
    "to_name": "Nina",
    "from_load": [120, 90],
    "to_load": [20, 50],
}


def an_entry(**changed: Any) -> dict[str, Any]:
    return {
        "id": ENTRY,
        "ticket_ref": "HLO-7",
        "client_name": "Acme",
        "worked_from": AT,
        "worked_minutes": 45,
        "job_type": "network",
        "level": "L1",
        "note": "Logs",
        "status": "rejected",
        "decision_reason": "Too long",
        "is_sealed": False,
        "corrects_id": None,
        **changed,
    }


@pytest.fixture
def seen(house: Pages) -> Pages:
    absence = {"id": ENTRY, "starts_at": AT, "ends_at": AT, "reason": "Holiday"}
    house.upstream.answers |= {
        "/agents": {"items": [{"id": TOM, "name": "Tom", "is_active": True}]},
        "/agents/absences": [{**absence, "agent_id": TOM, "agent_name": "Tom"}],
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/time-entries/week": WEEK,
        "/time-entries": {"items": [an_entry()], "next": None},
        "/workload": [LOAD],
        f"/agents/{TOM}": AN_AGENT,
        "/job-types": {"items": [{"code": "network", "name": "Network"}], "next": None},
        "/workload/suggestions": [ADVICE],
    }
    return house


async def test_a_week_adds_up_and_its_entries_are_of_the_agents_own_days(seen: Pages) -> None:
    text = words((await seen.get(f"/desk/time?agent_id={TOM}&on=2026-10-28")).text)

    assert dict(seen.upstream.query("/time-entries/week")) == {"agent_id": TOM, "on": "2026-10-28"}
    asked = dict(seen.upstream.query("/time-entries"))
    # The clocks go back on the Sunday of this week: it has an hour more.
    assert (asked["from"], asked["to"]) == ("2026-10-26T00:00:00-04:00", "2026-11-02T00:00:00-05:00")
    assert "Day 0:45 h 0:00 h 0:00 h 1:30 h 0:00 h 0:00 h 0:00 h 2:15 h" in text
    assert "1 entry was rejected and waits for a correction." in text
    assert "Rejected" in text
    assert "Too long" in text


async def test_an_entry_is_corrected_from_the_week(seen: Pages) -> None:
    form = {"time": "1h15", "note": "", "reason": "Mistyped", "agent_id": TOM, "on": "2026-10-26"}

    answer = await seen.post(f"/desk/time/{ENTRY}/correct", form)
    seen.upstream.answers[f"/time-entries/{ENTRY}/correct"] = (422, {"detail": "the period is sealed"})
    refused = await seen.post(f"/desk/time/{ENTRY}/correct", form)

    assert answer.headers["location"] == f"/desk/time?agent_id={TOM}&on=2026-10-26"
    assert seen.upstream.body(f"/time-entries/{ENTRY}/correct") == {"reason": "Mistyped", "time": "1h15"}
    assert refused.status_code == 422
    assert "The entry was not corrected. the period is sealed" in refused.text
    assert 'value="1h15"' in refused.text


async def test_who_is_no_agent_chooses_one(seen: Pages) -> None:
    seen.upstream.answers["/time-entries/week"] = (404, {"title": "Not found"})

    assert "You are no agent" in (await seen.get("/desk/time")).text
    assert (await seen.get(f"/desk/time?agent_id={NINA}")).status_code == 404


@pytest.mark.parametrize(
    ("spans", "found"),
    [
        ([("a", 8, 60), ("b", 9, 30)], set()),
        ([("a", 8, 61), ("b", 9, 30)], {"a", "b"}),
        ([("a", 8, 180), ("b", 9, 10), ("c", 10, 10)], {"a", "b", "c"}),
    ],
)
def test_entries_that_share_minutes(spans: list[tuple[str, int, int]], found: set[str]) -> None:
    made = [
        an_entry(id=name, status="submitted", worked_from=f"2026-10-05T{hour:02}:00:00+00:00", worked_minutes=minutes)
        for name, hour, minutes in spans
    ]

    assert overlapping(made) == found
    assert overlapping([{**one, "status": "voided"} for one in made]) == set()


# ---- workload -----------------------------------------------------------------------------------------------------


async def test_workload_shows_load_exposure_and_absences(seen: Pages) -> None:
    text = words((await seen.get("/desk/workload")).text)

    assert "120% 9 1 2 3 1" in text
    assert "Tom 120% → 90%, Nina 20% → 50%" in text
    assert "Holiday" in text


async def test_a_suggestion_is_applied_by_who_may(seen: Pages) -> None:
    form = {"ticket_id": TICKET, "to_id": NINA}

    answer = await seen.post("/desk/workload/apply", form)

    assert answer.headers["location"] == "/desk/workload"
    assert seen.upstream.body(f"/tickets/{TICKET}/assign") == {"assignee_id": NINA, "reason": "to even out the work"}
    seen.upstream.asked.clear()
    assert "Suggested hand-overs" not in (await seen.get("/desk/workload", by="agent")).text
    assert (await seen.post("/desk/workload/apply", form, by="agent")).status_code == 403
    assert seen.upstream.changes() == []


async def test_a_refused_suggestion_is_said(seen: Pages) -> None:
    seen.upstream.answers[f"/tickets/{TICKET}/assign"] = (422, {"detail": "Nina is away"})

    answer = await seen.post("/desk/workload/apply", {"ticket_id": TICKET, "to_id": NINA})

    assert answer.status_code == 422
    assert "The ticket was not handed over. Nina is away" in answer.text


# ---- one agent ----------------------------------------------------------------------------------------------------


async def test_an_agent_with_week_and_absences(seen: Pages) -> None:
    html = (await seen.get(f"/desk/workload/agents/{TOM}")).text
    plain = (await seen.get(f"/desk/workload/agents/{TOM}", by="agent")).text

    assert 'value="09:00-12:00, 13:00-17:30"' in html
    assert "Mon 5 Oct 2026, 04:00 to Mon 5 Oct 2026, 04:00" in html
    assert "Friday 22:00-06:00 Saturday Free" in words(plain)
    assert "<form" not in plain[plain.index('<main class="page"') :]
    assert f'href="/desk/workload/agents/{TOM}"' in (await seen.get("/desk/workload")).text


async def test_the_week_of_an_agent_is_replaced_as_it_is_typed(seen: Pages) -> None:
    path = f"/desk/workload/agents/{TOM}/shifts"

    saved = await seen.post(path, {"timezone": "Europe/Paris", "mon": "9-12, 13:00 - 17:30", "tue": ""})
    unreadable = await seen.post(path, {"timezone": "Europe/Paris", "mon": "9-12", "wed": "mornings"})

    assert saved.headers["location"] == f"/desk/workload/agents/{TOM}"
    monday = [{"starts": "09:00", "ends": "12:00"}, {"starts": "13:00", "ends": "17:30"}]
    sent = {"timezone": "Europe/Paris", "shifts": [{"day": "mon", **one} for one in monday]}
    assert seen.upstream.changes() == [("PUT", f"/agents/{TOM}/shifts", sent)]
    assert unreadable.status_code == 422
    assert 'value="mornings"' in unreadable.text
    assert 'id="wed-err"' in unreadable.text


async def test_overlapping_shifts_are_refused_and_stay_typed(seen: Pages) -> None:
    seen.upstream.answers[f"/agents/{TOM}/shifts"] = (422, {"detail": "Mon 09:00-12:00 and Mon 11:00-13:00 overlap"})

    answer = await seen.post(f"/desk/workload/agents/{TOM}/shifts", {"timezone": "UTC", "mon": "9-12, 11-13"})

    assert answer.status_code == 422
    assert "Mon 09:00-12:00 and Mon 11:00-13:00 overlap" in answer.text
    assert 'value="9-12, 11-13"' in answer.text


async def test_an_absence_is_noted_in_the_zone_of_the_agent(seen: Pages) -> None:
    path = f"/desk/workload/agents/{TOM}/absences"
    typed = {"starts_at": "2026-10-31T00:00", "ends_at": "2026-11-02T00:00", "reason": "Holiday"}

    noted = await seen.post(path, typed)
    backwards = await seen.post(path, {**typed, "ends_at": "2026-10-30T00:00"})
    gone = await seen.post(f"{path}/{ENTRY}/delete", {})

    assert noted.headers["location"] == gone.headers["location"] == f"/desk/workload/agents/{TOM}"
    # The clocks go back between the two.
    sent = {**typed, "starts_at": "2026-10-31T00:00:00-04:00", "ends_at": "2026-11-02T00:00:00-05:00"}
    assert seen.upstream.changes() == [
        ("POST", f"/agents/{TOM}/absences", sent),
        ("DELETE", f"/agents/absences/{ENTRY}", {}),
    ]
    assert "It ends before it begins." in backwards.text


async def test_what_an_agent_can_do_is_changed_by_who_may(seen: Pages) -> None:
    path, typed = f"/desk/workload/agents/{TOM}", {"levels": "L1,L2", "skills": "network", "weekly": "37h30"}

    answer = await seen.post(path, {**typed, "is_active": "1"})
    seen_wrong = await seen.post(path, {**typed, "weekly": "much"})
    refused = await seen.post(path, typed, by="agent")

    body = {"weekly_minutes": 2250, "levels": ["L1", "L2"], "skills": ["network"], "queues": []}
    assert seen.upstream.changes() == [("PATCH", f"/agents/{TOM}", {**body, "is_active": True, "takes_tickets": False})]
    assert (answer.status_code, seen_wrong.status_code, refused.status_code) == (303, 422, 403)


def test_shifts_are_written_as_they_are_read() -> None:
    assert shifts_of(typed_shifts(AN_AGENT["shifts"])) == (AN_AGENT["shifts"], {})
