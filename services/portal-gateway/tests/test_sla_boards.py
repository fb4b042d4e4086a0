"""The SLA pages: every number with the clocks behind it, and what they say when there is nothing or nobody to ask."""

from __future__ import annotations

import csv
import io
import re
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

import pytest
from upstream import Pages, pages, words

from msp_kernel.ids import prefixed
from portal_gateway.pages.sla import PARTS_MAX, ROWS, choices, shortened

ACME, BETA, TOM = ("00000000-0000-0000-0000-00000000000" + digit for digit in "123")
PERIOD = "from=2026-09-01&to=2026-11-01"
COUNTS = ("met", "missed", "open_overdue")
TICKET = {"id": "00000000-0000-0000-0000-0000000000aa", "ref": "HLO-7", "title": "VPN drops", "client_name": "Acme"}
RAISED = {"raised_at": "2026-10-05T08:00:00+00:00"}
CLOCK: dict[str, Any] = {
    "clock_id": "00000000-0000-0000-0000-0000000000bb",
    "ticket_id": TICKET["id"],
    "ticket_ref": "HLO-7",
    "client_id": ACME,
    "metric": "resolution",
    "cycle": 1,
    "priority": "high",
    "level": "L1",
    "job_type": "network",
    "queue": "desk",
    "assignee_id": TOM,
    "rule_id": "target.resolution.high",
    "status": "running",
    "budget_minutes": 240,
    "consumed_seconds": 15_000,
    "remaining_seconds": -600,
    "started_at": "2026-10-05T08:00:00+00:00",
    "due_at": "2026-10-05T12:00:00+00:00",
    "is_breached": True,
    "breached_at": "2026-10-05T12:00:00+00:00",
    "breach_reason": "time",
    "breach_cause": None,
    "breach_comment": "",
    "verdict": None,
    "stopped_at": None,
    "stop_reason": "",
    "acknowledged_at": None,
    "next_step": None,
    "timezone": "Europe/London",
    "text": ["Resolution within 4 h: rule target.resolution.high.", "Due on Mon 05 Oct 2026 13:00."],
    "promises": [],
    "intervals": [
        {
            "from": "2026-10-05T08:00:00+00:00",
            "to": None,
            "seconds": 15_000,
            "kind": "running",
            "reason": "raised",
            "note": "<b>urgent</b>",
            "actor": "",
        }
    ],
    "stretches": [
        {"kind": "counted", "from": "2026-10-05T08:00:00+00:00", "to": "2026-10-05T12:10:00+00:00", "seconds": 15_000}
    ],
    "pending": [
        {"kind": "escalate", "percent": 150, "step": 2, "to_level": "L3", "at": "2026-10-05T14:00:00+00:00"},
    ],
    "fired": [
        {
            "kind": "breach",
            "percent": 100,
            "at": "2026-10-05T12:00:00+00:00",
            "fired_at": "2026-10-05T12:00:01+00:00",
            "voided_at": "2026-10-05T12:05:00+00:00",
            "voided_because": "a late fact",
        }
    ],
    "escalations": [],
}


def a_part(met: int, missed: int, open_overdue: int = 0, **key: Any) -> dict[str, Any]:
    total = met + missed + open_overdue
    percent = round(100 * met / total, 1) if total else None
    return {"met": met, "missed": missed, "open_overdue": open_overdue, "percent": percent, **key}


def compliance(**changed: Any) -> dict[str, Any]:
    heatmap = [[0] * 24 for _ in range(7)]
    heatmap[0][14] = 3
    return {
        **a_part(7, 2, 1),
        "from": "2026-09-01",
        "to": "2026-11-01",
        "at_risk": 1,
        "by_priority": [a_part(4, 2, 1, priority="high"), a_part(3, 0, priority="low")],
        "by_metric": [a_part(7, 2, 1, metric="resolution")],
        "by_level": [a_part(7, 2, 1, level="L1")],
        "by_job_type": [a_part(7, 2, 1, job_type="network")],
        "by_queue": [a_part(7, 2, 1, queue="desk")],
        "by_agent": [a_part(6, 2, 1, agent_id=TOM), a_part(1, 0, agent_id=None)],
        "by_week": [a_part(0, 0, week="2026-08-31"), a_part(7, 2, 1, week="2026-10-26")],
        "by_client": [a_part(5, 0, client_id=ACME, at_risk=0), a_part(2, 2, 1, client_id=BETA, at_risk=1)],
        "heatmap": heatmap,
        **changed,
    }


@pytest.fixture
def seen(house: Pages) -> Pages:
    house.upstream.answers |= {
        "/compliance": compliance(),
        "/clients": {"items": [{"id": ACME, "name": "Acme"}, {"id": BETA, "name": "Beta & Sons"}], "next": None},
        "/agents": {"items": [{"id": TOM, "person_id": TOM, "name": "Tom Okafor"}]},
        "/queues": {"items": [{"key": "desk", "name": "Service desk", "open_count": 0}]},
        "/tickets/counts": {"open": 1, "unassigned": 0},
        f"/tickets/{TICKET['ref']}": {**TICKET, **RAISED},
        "/clocks": {"items": [CLOCK], "next": None},
    }
    return house


def tables(html: str) -> dict[str, list[list[str]]]:
    """Return the rows of each table by the heading of its card; the last is the whole."""
    found = {}
    for title, table in re.findall(
        r"<h2[^>]*>(By [^<]*?)(?: <small>.*?</small>)?</h2>.*?(<table.*?</table>)", html, re.DOTALL
    ):
        rows = re.findall(r"<tr>(.*?)</tr>", table.split("<tbody>")[1], re.DOTALL)
        found[title] = [
            [words(cell).strip() for cell in re.findall(r"<t[dh].*?</t[dh]>", row, re.DOTALL)] for row in rows
        ]
    return found


def links(html: str) -> list[tuple[str, dict[str, list[str]]]]:
    """Return where the numbers of a page lead: path and query."""
    found = []
    for address in re.findall(r'href="(/desk/sla/(?:verdicts|breaches)\?[^"]*)"', html):
        parts = urlsplit(unescape(address))
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(parts.query):
            query.setdefault(name, []).append(value)
        found.append((parts.path, query))
    return found


async def test_the_parts_of_every_table_add_up_to_the_whole(seen: Pages) -> None:
    short = (await seen.get(f"/desk/sla?{PERIOD}")).text
    (by_agent,) = re.findall(r'href="([^"#]*)#t-agent_id"', short)
    html = (await seen.get(f"/desk/sla?{PERIOD}&by=all")).text

    assert list(tables(short)) == ["By week", "By priority", "By promise", "By client"]
    assert "By agent" in tables((await seen.get(unescape(by_agent))).text)
    found = tables(html)
    assert list(found) == [
        "By week",
        "By priority",
        "By promise",
        "By level",
        "By job type",
        "By queue",
        "By client",
        "By agent",
    ]
    for title, rows in found.items():
        if title == "By week":
            continue
        *parts, whole = rows
        assert whole == ["All", "70.0%", "7", "2", "1", "10"], title
        for column in range(2, 6):
            assert sum(int(row[column]) for row in parts) == int(whole[column]), title
    assert [row[0] for row in found["By client"]] == ["Beta &amp; Sons", "Acme", "All"]
    assert [row[0] for row in found["By agent"]] == ["Tom Okafor", "Nobody", "All"]


async def test_every_number_leads_to_the_clocks_behind_it(seen: Pages) -> None:
    html = (await seen.get(f"/desk/sla?{PERIOD}&metric=resolution&by=all")).text

    found = links(html)
    period = {"from": ["2026-09-01"], "to": ["2026-11-01"], "metric": ["resolution"]}
    assert ("/desk/sla/breaches", {**period, "priority": ["high"], "outcome": ["missed"]}) in found
    assert ("/desk/sla/verdicts", {**period, "client_id": [ACME], "outcome": ["met"]}) in found
    assert ("/desk/sla/verdicts", {**period, "agent_id": ["nobody"]}) in found
    # A square of the heatmap counts both kinds of breach; a week is cut to the period.
    assert ("/desk/sla/breaches", {**period, "weekday": ["0"], "hour": ["14"]}) in found
    week = {**period, "from": ["2026-10-26"], "outcome": ["open_overdue"]}
    assert ("/desk/sla/breaches", week) in found


async def test_filters_of_the_address_reach_the_service_and_the_form(seen: Pages) -> None:
    html = (await seen.get(f"/desk/sla?{PERIOD}&client_id={BETA}&metric=resolution")).text

    asked = dict(seen.upstream.query("/compliance"))
    assert asked == {"from": "2026-09-01", "to": "2026-11-01", "client_id": BETA, "metric": "resolution"}
    assert f'<option value="{BETA}" selected>Beta &amp; Sons</option>' in html
    assert 'value="2026-09-01"' in html


async def test_an_address_may_hold_ids_as_programs_know_them(seen: Pages) -> None:
    html = (await seen.get(f"/desk/sla?{PERIOD}&client_id={prefixed('client', UUID(BETA))}")).text

    assert dict(seen.upstream.query("/compliance"))["client_id"] == BETA
    assert f'<option value="{BETA}" selected>' in html


async def test_the_file_has_every_part(seen: Pages) -> None:
    answer = await seen.get(f"/desk/sla/parts.csv?{PERIOD}")

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-type"].startswith("text/csv")
    assert rows[0] == {
        "part": "All",
        "name": "All",
        "met": "7",
        "missed": "2",
        "open_overdue": "1",
        "percent": "70.0",
    }
    parts = {row["part"] for row in rows} - {"All"}
    assert parts == {"Priority", "Promise", "Level", "Job type", "Queue", "Client", "Agent", "Week"}
    for part in parts:
        assert sum(int(row["met"]) for row in rows if row["part"] == part) == 7


async def test_without_data_the_page_says_so(seen: Pages) -> None:
    seen.upstream.answers["/compliance"] = compliance(met=0, missed=0, open_overdue=0, percent=None)

    html = (await seen.get(f"/desk/sla?{PERIOD}")).text

    assert "No promise ended here" in html
    assert "%</" not in html


async def test_a_filter_that_is_none_is_named(seen: Pages) -> None:
    problem = {"type": "/problems/invalid", "title": "Not valid", "status": 422, "detail": "client_id: not a UUID"}
    seen.upstream.answers["/compliance"] = (422, problem)

    html = (await seen.get("/desk/sla?client_id=us")).text

    assert "These filters were not understood" in html
    assert "client_id: not a UUID" in html


@pytest.mark.parametrize("path", ["/desk/sla", "/desk/sla/breaches", "/desk/sla/verdicts", "/desk/ops"])
async def test_a_service_that_is_away_is_named_and_the_page_stays(path: str) -> None:
    async with pages(away="sla") as seen:
        seen.upstream.answers |= {
            "/tickets/counts": {"open": 0, "unassigned": 0},
            "/workload": [],
            "/time-entries/waiting": [],
            "/billing-summary": {"currencies": []},
        }

        answer = await seen.get(path)

        assert answer.status_code == 200
        assert "the sla service did not answer" in answer.text
        assert 'aria-label="Main"' in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/desk/sla",
        "/desk/sla/parts.csv",
        "/desk/sla/breaches",
        "/desk/sla/verdicts",
        "/desk/sla/what-if",
        "/desk/sla/what-if/changed.csv",
        "/desk/tickets/HLO-7/sla",
    ],
)
async def test_client_people_never_see_what_is_internal(seen: Pages, path: str) -> None:
    answer = await seen.get(path, by="client")

    assert answer.status_code == 403
    assert not any(asked in ("/compliance", "/verdicts", "/clocks") for _, asked, _, _ in seen.upstream.asked)


async def test_agents_see_why_but_not_the_figures_of_all(seen: Pages) -> None:
    assert (await seen.get("/desk/sla", by="agent")).status_code == 403
    assert (await seen.get("/desk/tickets/HLO-7/sla", by="agent")).status_code == 200


async def test_clients_beyond_the_first_page_have_their_names(seen: Pages) -> None:
    first = {"items": [{"id": ACME, "name": "Acme"}], "next": "second"}
    second = {"items": [{"id": BETA, "name": "Beta"}], "next": None}
    seen.upstream.answers["/clients"] = lambda query: second if query.get("after") == "second" else first

    html = (await seen.get("/desk/sla")).text

    assert [row[0] for row in tables(html)["By client"]] == ["Beta", "Acme", "All"]


def test_a_long_list_is_cut_but_never_what_is_chosen() -> None:
    names = {f"{number}": f"Client {number}" for number in range(1000)}

    made = choices(names, "999")

    assert len(made) == 201
    assert made["999"] == "Client 999"


# ---- lists --------------------------------------------------------------------------------------------------------


async def test_a_breach_says_how_late_why_and_whose(seen: Pages) -> None:
    row = {**CLOCK, "outcome": "open_overdue", "decided_at": CLOCK["breached_at"]}
    seen.upstream.answers["/verdicts"] = {"items": [row], "next": "abc"}

    html = (await seen.get(f"/desk/sla/breaches?{PERIOD}&priority=high")).text

    text = words(html)
    assert "HLO-7, Acme" in text
    assert "Open, breached 10 min Not resolved yet Resolution Tom Okafor 4 h 10 min of 4 h" in text
    assert sorted(seen.upstream.query("/verdicts")) == sorted(
        [
            ("from", "2026-09-01"),
            ("to", "2026-11-01"),
            ("priority", "high"),
            ("outcome", "missed"),
            ("outcome", "open_overdue"),
            ("limit", str(ROWS)),
        ]
    )
    assert "?from=2026-09-01&amp;to=2026-11-01&amp;priority=high&amp;after=abc" in html
    assert "/api/v1/verdicts.csv?from=2026-09-01&amp;to=2026-11-01&amp;priority=high&amp;outcome=missed" in html
    assert 'aria-label="Remove the filter Priority: High"' in html


async def test_managers_say_why_a_promise_was_broken(seen: Pages) -> None:
    said = {"breach_cause": "waiting-on-vendor", "breach_comment": "<i>the carrier</i>"}
    row = {**CLOCK, **said, "outcome": "missed", "decided_at": CLOCK["breached_at"]}
    seen.upstream.answers["/verdicts"] = {"items": [row], "next": None}
    path = f"/desk/sla/breaches/{CLOCK['clock_id']}/cause"
    here = f"/desk/sla/breaches?{PERIOD}"

    closed = (await seen.get(here)).text
    shown = (await seen.get(f"{here}&say={CLOCK['clock_id']}")).text
    answer = await seen.post(path, {"cause": "capacity", "comment": "two ill", "next": here})
    refused = await seen.post(path, {"cause": "capacity"}, by="agent")

    assert f'action="{path}"' not in closed
    opening = unescape(closed).partition(f'href="{here}&say={CLOCK["clock_id"]}')[2]
    assert opening.startswith(f'#c-{CLOCK["clock_id"]}"')
    assert f'<input type="hidden" name="next" value="{here.replace("&", "&amp;")}">' in shown
    assert f'action="{path}"' in shown
    assert '<option value="waiting-on-vendor" selected>' in shown
    assert "&lt;i&gt;the carrier" in shown
    assert "<i>" not in shown
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    asked = seen.upstream.body(f"/clocks/{CLOCK['clock_id']}/breach-cause")
    assert asked == {"cause": "capacity", "comment": "two ill"}
    assert refused.status_code == 403


async def test_events_that_could_not_be_taken_are_listed_with_their_reason(seen: Pages) -> None:
    refused = {
        "event_id": "01",
        "source": "tickets",
        "type": "dev.effigate.tickets.TicketRaised",
        "subject": "ticket-7",
        "seq": 3,
        "status": "parked",
        "attempts": 1,
        "error_code": "contract-unknown",
        "error_text": "contract <b>C-9</b> is not known",
        "received_at": "2026-10-05T12:00:00+00:00",
    }
    seen.upstream.answers["/sla-refusals"] = {"items": [refused, {**refused, "status": "waiting", "error_text": None}]}

    html = (await seen.get("/desk/sla/refusals")).text

    assert "contract &lt;b&gt;C-9&lt;/b&gt; is not known" in html
    assert "Needs a person" in html
    assert "Its forerunner has not come yet." in html
    assert 'href="/desk/sla/refusals"' in (await seen.get("/desk/sla")).text
    assert (await seen.get("/desk/sla/refusals", by="agent")).status_code == 403


async def test_breaches_never_show_what_was_kept(seen: Pages) -> None:
    await seen.get("/desk/sla/breaches?outcome=met")

    asked = [value for name, value in seen.upstream.query("/verdicts") if name == "outcome"]
    assert asked == ["missed", "open_overdue"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/desk/sla/breaches", "Every promise was kept"),
        ("/desk/sla/verdicts", "No promise ended here"),
        ("/desk/sla/breaches?level=L3", "No clock matches these filters"),
    ],
)
async def test_an_empty_list_says_why(seen: Pages, path: str, said: str) -> None:
    assert said in (await seen.get(path)).text


# ---- one ticket ---------------------------------------------------------------------------------------------------


async def test_a_clock_is_explained_whole(seen: Pages) -> None:
    html = (await seen.get("/desk/tickets/HLO-7/sla")).text

    for sentence in CLOCK["text"]:
        assert sentence in html
    assert "Resolution clock: 4 h 10 min of 4 h used, was due" in html
    assert f'href="/api/v1/clocks/{CLOCK["clock_id"]}/explain"' in html
    assert "a late fact" in html  # a voided breach stays visible, with its reason
    assert "&lt;b&gt;urgent&lt;/b&gt;" in html
    assert "<b>urgent" not in html


async def test_an_escalation_to_come_can_be_acknowledged(seen: Pages) -> None:
    path = f"/desk/tickets/HLO-7/sla/{CLOCK['clock_id']}/acknowledge"
    assert path in (await seen.get("/desk/tickets/HLO-7/sla", by="agent")).text

    answer = await seen.post(path, {"next": "/desk/ops"}, by="agent")
    elsewhere = await seen.post(path, {"next": "//evil.example"}, by="agent")

    assert (answer.status_code, answer.headers["location"]) == (303, "/desk/ops")
    assert elsewhere.headers["location"] == "/desk/tickets/HLO-7/sla"
    assert seen.upstream.asked[-1][:2] == ("POST", f"/clocks/{CLOCK['clock_id']}/acknowledge")


async def test_a_refused_acknowledgement_is_said_on_the_page(seen: Pages) -> None:
    path = f"/clocks/{CLOCK['clock_id']}/acknowledge"
    seen.upstream.answers[path] = (409, {"title": "The clock has its verdict", "detail": "it is stopped"})

    answer = await seen.post(f"/desk/tickets/HLO-7/sla/{CLOCK['clock_id']}/acknowledge", {})

    assert answer.status_code == 409
    assert "Not acknowledged: it is stopped." in answer.text


@pytest.mark.parametrize(
    "change", [{"status": "stopped"}, {"acknowledged_at": "2026-10-05T12:01:00Z"}, {"pending": []}]
)
async def test_where_nothing_escalates_there_is_nothing_to_acknowledge(seen: Pages, change: dict[str, Any]) -> None:
    stopped = {"verdict": "missed", "stopped_at": "2026-10-05T12:10:00+00:00", "stop_reason": "resolved"}
    seen.upstream.answers["/clocks"] = {"items": [{**CLOCK, **(stopped if "status" in change else {}), **change}]}

    assert "acknowledge" not in (await seen.get("/desk/tickets/HLO-7/sla")).text


async def test_an_unknown_ticket_is_not_there(seen: Pages) -> None:
    seen.upstream.answers["/tickets/ZZZ-1"] = (404, {"title": "Not found"})

    assert (await seen.get("/desk/tickets/ZZZ-1/sla")).status_code == 404


def test_many_parts_are_shortened_without_losing_a_count() -> None:
    rows = [a_part(number, 1, 2, name=f"c{number}", only={}) for number in range(40)]

    made = shortened(rows)

    assert len(made) == PARTS_MAX + 1
    assert made[-1]["name"] == f"{len(rows) - PARTS_MAX} others"
    assert made[-1]["only"] is None
    for name in COUNTS:
        assert sum(row[name] for row in made) == sum(row[name] for row in rows)
