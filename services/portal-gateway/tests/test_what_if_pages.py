"""The what-if page, and what a client sees of a clock."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from upstream import Pages, words

ACME, CONTRACT, CALENDAR = ("00000000-0000-0000-0000-00000000000" + digit for digit in "123")
HOURS = {
    "timezone": "Europe/Berlin",
    "weekly": {"mon": [["09:00", "12:30"], ["13:30", "17:00"]]},
    "holidays": ["2026-12-25"],
}
HIGH = {
    "rule_id": "r1",
    "metric": "resolution",
    "priority": "high",
    "level": None,
    "job_type": None,
    "budget_minutes": 240,
    "after_hours": True,
    "weekends": False,
    "holidays": False,
}
LOW = {**HIGH, "rule_id": "r2", "priority": "low", "budget_minutes": 480, "after_hours": False}
ASKED = f"/desk/sla/what-if?run=1&from=2026-09-01&to=2026-11-01&contract_id={CONTRACT}"
SAME = "&t.resolution.high.-.-=240&t.resolution.low.-.-=480"
NONE = {"met": 0, "missed": 0, "open_overdue": 0, "percent": None}
CHANGED = {
    "clock_id": "00000000-0000-0000-0000-0000000000bb",
    "ticket_id": "00000000-0000-0000-0000-0000000000aa",
    "ticket_ref": "HLO-7",
    "client_id": ACME,
    "metric": "resolution",
    "outcome_before": "met",
    "outcome_after": "missed",
    "budget_minutes_before": 240,
    "budget_minutes_after": 60,
    "consumed_seconds_before": 7200,
    "consumed_seconds_after": 7200,
}
ANSWER = {
    "from": "2026-09-01",
    "to": "2026-11-01",
    "clock_count": 4,
    "before": {"met": 4, "missed": 0, "open_overdue": 0, "percent": 100.0},
    "after": {"met": 3, "missed": 1, "open_overdue": 0, "percent": 75.0},
    "changed_count": 1,
    "changed": [CHANGED],
}


@pytest.fixture
def seen(house: Pages) -> Pages:
    contract = {
        "id": CONTRACT,
        "ref": "C-0001",
        "name": "Bucket",
        "client_id": ACME,
        "calendar": HOURS,
        "targets": [HIGH, LOW],
    }
    house.upstream.answers |= {
        "/clients": {"items": [{"id": ACME, "name": "Acme"}], "next": None},
        "/contracts": {"items": [contract], "next": None},
        "/calendars": {
            "items": [{"id": CALENDAR, "name": "Office", "calendar": {**HOURS, "timezone": "UTC"}}],
            "next": None,
        },
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/what-if": ANSWER,
    }
    return house


async def test_a_contract_begins_with_its_own_hours_and_targets(seen: Pages) -> None:
    html = (await seen.get(f"/desk/sla/what-if?contract_id={CONTRACT}")).text

    assert 'name="t.resolution.high.-.-" value="240"' in html
    assert 'name="mon" value="09:00-12:30, 13:30-17:00"' in html
    assert not any(path == "/what-if" for _, path, _, _ in seen.upstream.asked)


async def test_choosing_another_contract_forgets_what_was_written_for_the_one_before(seen: Pages) -> None:
    blank = "&targets_of=&t.resolution.high.-.-=&t.resolution.low.-.-="
    loaded = (await seen.get(ASKED.replace("run=1&", "") + blank + "&mon=")).text

    assert 'name="t.resolution.high.-.-" value="240"' in loaded
    assert 'name="mon" value="09:00-12:30, 13:30-17:00"' in loaded
    assert f'name="targets_of" value="{CONTRACT}"' in loaded
    await seen.get(ASKED + blank)  # compared at once, without loading it first
    assert "targets" not in seen.upstream.body("/what-if")


async def test_what_is_as_it_was_is_not_asked_for(seen: Pages) -> None:
    await seen.get(ASKED + SAME)

    assert seen.upstream.body("/what-if") == {"from": "2026-09-01", "to": "2026-11-01", "contract_id": CONTRACT}


@pytest.mark.parametrize(
    ("change", "body"),
    [
        (f"&calendar={CALENDAR}", {"calendar": {**HOURS, "timezone": "UTC"}}),
        (
            "&calendar=own&mon=08:00-18:00&tue=22:00–06:00, 07:00-08:00",
            {
                "calendar": {
                    **HOURS,
                    "weekly": {"mon": [["08:00", "18:00"]], "tue": [["22:00", "06:00"], ["07:00", "08:00"]]},
                }
            },
        ),
        ("&flags=all&weekends=1", {"flags": {"after_hours": False, "weekends": True, "holidays": False}}),
        ("&weekends=1", {}),
    ],
)
async def test_other_hours_and_flags(seen: Pages, change: str, body: dict[str, Any]) -> None:
    await seen.get(ASKED + SAME + change)

    asked = seen.upstream.body("/what-if")
    assert {name: asked[name] for name in ("calendar", "flags", "targets") if name in asked} == body


async def test_one_other_target_sends_all_of_them(seen: Pages) -> None:
    await seen.get(f"{ASKED}&t.resolution.high.-.-=60&t.resolution.low.-.-=")

    high, low = seen.upstream.body("/what-if")["targets"]
    assert high == {**{name: value for name, value in HIGH.items() if name != "rule_id"}, "budget_minutes": 60}
    assert low["budget_minutes"] is None


async def test_before_and_after_and_the_tickets_that_change(seen: Pages) -> None:
    html = (await seen.get(f"{ASKED}&t.resolution.high.-.-=60")).text

    text = words(html)
    assert "100.0% 4 met, 0 missed" in text
    assert "75.0% 3 met, 1 missed" in text
    assert "\N{MINUS SIGN}25.0 pt" in text
    assert "1 of 4 clocks" in text
    assert f"/desk/tickets/HLO-7/sla#c-{CHANGED['clock_id']}" in html


async def test_the_changed_verdicts_as_a_file(seen: Pages) -> None:
    answer = await seen.get(ASKED.replace("what-if", "what-if/changed.csv"))

    (row,) = csv.DictReader(io.StringIO(answer.text))
    assert (row["ticket"], row["client"], row["outcome_before"], row["outcome_after"]) == (
        "HLO-7",
        "Acme",
        "met",
        "missed",
    )
    assert (row["target_minutes_after"], row["used_minutes_after"]) == ("60", "120")


async def test_without_data_there_is_no_percentage(seen: Pages) -> None:
    seen.upstream.answers["/what-if"] = {
        **ANSWER,
        "before": NONE,
        "after": NONE,
        "clock_count": 0,
        "changed_count": 0,
        "changed": [],
    }

    text = words((await seen.get(ASKED)).text)

    assert "No promise ended in this period." in text
    assert "0.0%" not in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("&calendar=own&mon=9", "Write the hours of Mon as 09:00-12:30"),
        ("&calendar=nothing", "There is no such calendar"),
        ("&t.resolution.high.-.-=0", "whole minutes of at least 1"),
        ("&t.resolution.high.-.-=1.5", "whole minutes of at least 1"),
        ("&t.resolution.high.-.-=٤٥", "whole minutes of at least 1"),
    ],
)
async def test_what_is_not_understood_is_said_beside_the_kept_form(seen: Pages, change: str, said: str) -> None:
    answer = await seen.get(ASKED + change)

    assert answer.status_code == 422
    assert said in answer.text
    assert 'role="alert"' in answer.text
    assert not any(path == "/what-if" for _, path, _, _ in seen.upstream.asked)


async def test_a_refusal_of_the_service_is_shown(seen: Pages) -> None:
    seen.upstream.answers["/what-if"] = (422, {"title": "The calendar has no hours", "detail": "give it a window"})

    answer = await seen.get(f"{ASKED}&calendar=own")

    assert answer.status_code == 422
    assert "give it a window" in answer.text


async def test_a_contract_that_is_not_there_is_missing(seen: Pages) -> None:
    unknown = CONTRACT.replace("2", "9")
    seen.upstream.answers[f"/contracts/{unknown}"] = (404, {"title": "Not found"})

    assert (await seen.get(f"/desk/sla/what-if?contract_id={unknown}")).status_code == 404


# ---- the client's report ------------------------------------------------------------------------------------------


async def test_a_client_s_ticket_shows_the_promise_and_nothing_of_the_clock(seen: Pages) -> None:
    clock = {
        "metric": "resolution",
        "status": "running",
        "due_at": "2026-10-05T14:56:00+00:00",
        "is_breached": True,
    }
    seen.upstream.answers["/tickets/HLO-7"] = {
        "id": CONTRACT,
        "ref": "HLO-7",
        "title": "VPN drops",
        "status": "open",
        "priority": "high",
        "clock": clock,
        "clocks": [],
        "assignee_name": "Tom Okafor",
        "raised_at": "2026-10-05T08:00:00+00:00",
        "worked_minutes": 0,
        "description": "",
        "messages": [],
        "time_entries": [],
        "contact_name": "Priya",
        "attachments": [],
        "ratings": [],
        "cycle": 1,
        "revision": 1,
    }

    html = (await seen.get("/portal/tickets/HLO-7", by="client")).text

    assert "Tom Okafor, fix was due 5 Oct 2026, we are late" in words(html)
    assert not any(path.startswith("/clocks") for _, path, _, _ in seen.upstream.asked)
    for internal in ("sla-timer", "tape", "escalat", "rule"):
        assert internal not in html.split("<main")[1].split("</main>")[0].lower()
