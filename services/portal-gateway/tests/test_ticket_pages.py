"""The ticket pages: what can be done from them, what reaches the service, and what stays when it is refused."""

from __future__ import annotations

from typing import Any

import pytest
from upstream import Pages, words

HERE, OTHER, ENTRY, REPLY, FILE, MESSAGE, ACME, BETA, TOM = (
    f"00000000-0000-0000-0000-0000000000{n:02}" for n in range(9)
)
PATH = f"/tickets/{HERE}"
PAGE = "/desk/tickets/HLO-7"
AT = "2026-10-05T08:00:00+00:00"
CONTRACT = {"contract_id": ACME, "ref": "C-1", "name": "Care", "levels": ["L1", "L2"]}
CONFLICT = {
    "code": "conflict",
    "detail": "HLO-7 is at revision 5, you read 4. Since then: priority low (by Nina, 2026-10-05 08:00 UTC)",
    "errors": [{"pointer": "/priority", "detail": "priority low, by Nina", "code": "changed-meanwhile"}],
}


def a_ticket(**changed: Any) -> dict[str, Any]:
    message = {"id": MESSAGE, "author_kind": "agent", "author_name": "Tom", "is_public": True, "is_automatic": False}
    return {
        "id": HERE,
        "ref": "HLO-7",
        "title": "VPN drops",
        "client_id": ACME,
        "client_name": "Acme",
        "contract_id": ACME,
        "contact_name": "Ada",
        "status": "open",
        "priority": "high",
        "level": "L1",
        "handling_level": "L1",
        "job_type": "network",
        "queue": "desk",
        "assignee_id": None,
        "assignee_name": None,
        "tags": ["vpn"],
        "cycle": 1,
        "revision": 4,
        "is_imported": False,
        "raised_at": AT,
        "description": "It drops",
        "description_html": "<p>It <strong>drops</strong></p>",
        "next_statuses": ["waiting_on_client", "resolved"],
        "messages": [{**message, "is_first_response": True, "body_text": "Hi", "body_html": "<p>Hi</p>", "at": AT}],
        "activity": [],
        "time_entries": [
            {
                "id": ENTRY,
                "agent_name": "Tom",
                "worked_minutes": 45,
                "worked_from": AT,
                "status": "submitted",
                "note": "Logs",
                "job_type": "network",
            }
        ],
        "worked_minutes": 45,
        "clock": None,
        "attachments": [{"id": FILE, "is_public": False, "name": "trace <1>.log", "size_bytes": 3_450_000}],
        "watchers": [{"person_id": TOM, "name": "Tom"}],
        "ratings": [],
        "links": [
            {
                "kind": "duplicates",
                "is_from_here": False,
                "id": OTHER,
                "ref": "HLO-9",
                "title": "Also",
                "status": "open",
            }
        ],
        "merged_refs": ["HLO-8"],
        "assignments": [
            {
                "at": AT,
                "agent_id": OTHER,
                "agent_name": "Nina",
                "load_percent": 20,
                "reason": "lowest expected load, 20 %",
                "runners_up": [{"agent_id": TOM, "load_percent": 80}],
            }
        ],
        "redirected_from": None,
        **changed,
    }


@pytest.fixture
def seen(house: Pages) -> Pages:
    reply = {"id": REPLY, "name": "Greeting", "is_public": True, "set_status": "waiting_on_client"}
    job_types = [{"code": "network", "name": "Network"}]
    house.upstream.answers |= {
        "/tickets/HLO-7": a_ticket(),
        "/tickets/HLO-9": {"id": OTHER, "ref": "HLO-9"},
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/tickets/offer": {"client_id": ACME, "contracts": [{**CONTRACT, "job_types": job_types}]},
        "/time-entries/timer": lambda _query: None,
        "/canned-replies": {"items": [{**reply, "body": "Hello {{contact_name}}"}]},
        f"{PATH}/canned-replies/{REPLY}": {**reply, "body": "Hello Ada"},
        "/agents": {"items": [{"id": TOM, "person_id": TOM, "name": "Tom", "is_active": True}]},
        "/clients": {"items": [{"id": ACME, "name": "Acme"}, {"id": BETA, "name": "Beta"}], "next": None},
        f"/contracts/{ACME}/balance": {"kind": "time_and_materials"},
        "/coverage/preview": (503, {"detail": "away"}),
    }
    return house


def changes(seen: Pages) -> list[tuple[str, str, Any]]:
    return [one for one in seen.upstream.changes() if one[1] != "/coverage/preview"]


async def test_everything_known_of_a_ticket_is_shown(seen: Pages) -> None:
    html = (await seen.get(PAGE)).text

    text = words(html)
    assert "<p>It <strong>drops</strong></p>" in html
    assert 'href="/desk/queues?tag=vpn"' in html
    assert f'href="/api/v1/attachments/{FILE}" download>trace &lt;1&gt;.log' in html
    assert "3.4 MB" in text
    assert "Has the duplicate HLO-9 Also" in text
    assert "Merged in HLO-8" in text
    assert "Chosen Nina, lowest expected load, 20 % ; next: Tom 80%" in text
    assert "Watchers Tom" in text


async def test_agents_move_no_ticket_to_another_client(seen: Pages) -> None:
    assert f'action="{PAGE}/move"' in (await seen.get(PAGE)).text
    assert f'action="{PAGE}/move"' not in (await seen.get(PAGE, by="agent")).text


@pytest.mark.parametrize(
    ("verb", "form", "sent"),
    [
        ("watch", {}, ("PUT", f"{PATH}/watch", {})),
        ("watch", {"stop": "1"}, ("DELETE", f"{PATH}/watch", {})),
        (
            "assign",
            {"assignee_id": TOM, "note": "Ask for logs"},
            ("POST", f"{PATH}/hand-over", {"to_id": TOM, "note": "Ask for logs"}),
        ),
        (
            "assign",
            {"assignee_id": "", "queue": "desk", "note": ""},
            ("POST", f"{PATH}/assign", {"assignee_id": None, "queue": "desk", "reason": ""}),
        ),
        (
            "link",
            {"kind": "duplicates", "other": " hlo-9 "},
            ("POST", f"{PATH}/links", {"other_id": OTHER, "kind": "duplicates"}),
        ),
        ("link", {"kind": "blocks", "remove": OTHER}, ("DELETE", f"{PATH}/links/blocks/{OTHER}", {})),
        (
            "merge",
            {"into": "HLO-9", "merge_reason": "Same", "revision": "4"},
            ("POST", f"{PATH}/merge", {"into_id": OTHER, "reason": "Same"}),
        ),
        (
            "time",
            {"duration": "14:00-14:45", "note": "Logs"},
            (
                "POST",
                "/time-entries",
                {
                    "ticket_id": HERE,
                    "time": "14:00-14:45",
                    "job_type": None,
                    "level": None,
                    "note": "Logs",
                    "internal_note": "",
                },
            ),
        ),
        ("timer", {"what": "start"}, ("POST", "/time-entries/timer", {"ticket_id": HERE})),
        ("timer", {"what": "stop", "timer_note": "Logs"}, ("POST", "/time-entries/timer/stop", {"note": "Logs"})),
        ("timer", {"what": "forget"}, ("DELETE", "/time-entries/timer", {})),
        (
            f"time/{ENTRY}/correct",
            {"correct_time": "1h", "correct_note": "", "correct_reason": "Mistyped"},
            ("POST", f"/time-entries/{ENTRY}/correct", {"reason": "Mistyped", "time": "1h"}),
        ),
    ],
)
async def test_a_plain_form_does_it(seen: Pages, verb: str, form: dict[str, str], sent: tuple[str, str, Any]) -> None:
    answer = await seen.post(f"{PAGE}/{verb}", form)

    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    assert changes(seen) == [sent]


@pytest.mark.parametrize(
    ("verb", "form", "body"),
    [
        (
            "split",
            {"split_title": "Printer", "message_ids": MESSAGE},
            {"title": "Printer", "message_ids": [MESSAGE]},
        ),
        ("move", {"client_id": BETA, "move_reason": "Wrong"}, {"client_id": BETA, "reason": "Wrong"}),
    ],
)
async def test_a_ticket_made_of_another_is_the_next_page(
    seen: Pages, verb: str, form: dict[str, str], body: dict[str, Any]
) -> None:
    seen.upstream.answers[f"{PATH}/{verb}"] = {"id": OTHER, "ref": "BET-1"}

    answer = await seen.post(f"{PAGE}/{verb}", form)

    assert answer.headers["location"] == "/desk/tickets/BET-1"
    assert changes(seen) == [("POST", f"{PATH}/{verb}", body)]


async def test_a_change_goes_with_the_state_it_was_decided_on(seen: Pages) -> None:
    form = {"title": "VPN", "priority": "low", "tags": "VPN, office  wifi", "reason": "", "revision": "4"}

    answer = await seen.post(f"{PAGE}/change", form)

    assert answer.status_code == 303
    body = {"title": "VPN", "priority": "low", "tags": ["vpn", "office", "wifi"], "reason": ""}
    assert changes(seen) == [("PATCH", PATH, body)]
    assert '"4"' in seen.upstream.revisions


async def test_a_conflict_says_what_changed_and_keeps_what_was_typed(seen: Pages) -> None:
    seen.upstream.answers[PATH] = (409, CONFLICT)
    form = {"title": "My title", "priority": "critical", "tags": "mine", "revision": "3"}

    answer = await seen.post(f"{PAGE}/change", form)

    assert answer.status_code == 409
    text = words(answer.text)
    assert "The ticket was not changed. HLO-7 is at revision 5" in text
    assert "Priority: priority low, by Nina" in text
    assert 'value="My title"' in answer.text
    assert '<option value="critical" selected>' in answer.text
    assert 'name="revision" value="4"' in answer.text  # the next try is decided on what is shown now


async def test_what_is_refused_keeps_the_text(seen: Pages) -> None:
    seen.upstream.answers["/time-entries"] = (422, {"detail": "no contract covers it"})

    answer = await seen.post(f"{PAGE}/time", {"duration": "45m", "note": "Long story"})

    assert answer.status_code == 422
    assert "Time was not logged. no contract covers it" in answer.text
    assert 'value="Long story"' in answer.text


@pytest.mark.parametrize("verb", ["merge", "link"])
async def test_a_ref_that_is_none_is_named(seen: Pages, verb: str) -> None:
    seen.upstream.answers["/tickets/ZZZ-1"] = (404, {"title": "Not found"})

    answer = await seen.post(f"{PAGE}/{verb}", {"into": "zzz-1", "other": "zzz-1", "kind": "blocks"})

    assert answer.status_code == 422
    assert "There is no ticket ZZZ-1." in answer.text
    assert changes(seen) == []


@pytest.mark.parametrize(("typed", "shown"), [("", "Hello Ada"), ("Look <here>", "Look &lt;here&gt;\n\nHello Ada")])
async def test_a_canned_reply_is_filled_in_below_what_was_typed(seen: Pages, typed: str, shown: str) -> None:
    html = (await seen.post(f"{PAGE}/reply", {"canned": REPLY, "intent": "fill", "body": typed}, by="agent")).text

    assert f">{shown}</textarea>" in html
    assert '<option value="waiting_on_client" selected>' in html
    assert changes(seen) == [], "nothing is sent yet"


@pytest.mark.parametrize(
    ("ticket_id", "said"), [(HERE, "Stop and log"), (OTHER, "Your timer runs elsewhere: HLO-9"), (None, "Start timer")]
)
async def test_the_timer_is_shown_where_it_runs(seen: Pages, ticket_id: str | None, said: str) -> None:
    timer = {
        "ticket_id": ticket_id,
        "ref": "HLO-9",
        "title": "Also",
        "started_at": AT,
        "running_seconds": 90,
        "note": "",
    }
    seen.upstream.answers["/time-entries/timer"] = lambda _query: timer if ticket_id else None

    assert said in words((await seen.get(PAGE)).text)


@pytest.mark.parametrize(
    ("by", "page", "is_internal", "is_public"),
    [("agent", PAGE, "1", "false"), ("agent", PAGE, "", "true"), ("client", "/portal/tickets/HLO-7", "", "true")],
)
async def test_a_file_goes_on_as_it_is(seen: Pages, by: str, page: str, is_internal: str, is_public: str) -> None:
    content = b"\x00\r\n--not a boundary\r\n\xff"
    seen.upstream.answers[f"{PATH}/attachments"] = {"id": FILE}
    headers = {"authorization": f"Bearer {seen.tokens[by]}"}

    answer = await seen.client.post(
        f"{page}/files",
        files={"file": ("a b&c.bin", content)},
        data={"is_internal": is_internal} if is_internal else {},
        headers=headers,
    )

    assert answer.headers["location"] == f"{page}#files"
    assert seen.upstream.body(f"{PATH}/attachments") == content
    assert dict(seen.upstream.query(f"{PATH}/attachments")) == {"name": "a b&c.bin", "is_public": is_public}


async def test_no_file_and_a_refused_file_are_said(seen: Pages) -> None:
    seen.upstream.answers[f"{PATH}/attachments"] = (422, {"detail": "programs are not kept"})
    headers = {"authorization": f"Bearer {seen.tokens['client']}"}
    page = "/portal/tickets/HLO-7/files"

    nothing = await seen.client.post(page, files={"other": ("", b"")}, headers=headers)
    refused = await seen.client.post(page, files={"file": ("x.exe", b"MZ")}, headers=headers)

    assert (nothing.status_code, refused.status_code) == (422, 422)
    assert "Choose a file first." in nothing.text
    assert "programs are not kept" in refused.text


@pytest.mark.parametrize(("place", "by"), [("portal", "client"), ("desk", "agent")])
async def test_a_refused_file_leaves_the_ticket_raised_and_says_so(seen: Pages, place: str, by: str) -> None:
    seen.upstream.answers["/tickets"] = {"id": HERE, "ref": "HLO-7"}
    seen.upstream.answers[f"{PATH}/attachments"] = (422, {"detail": "programs are not kept"})

    answer = await seen.upload(f"/{place}/tickets/new", "x.exe", b"MZ", by=by, form={"title": "VPN drops"})

    assert answer.status_code == 422
    assert "programs are not kept" in answer.text
    assert "VPN drops" in words(answer.text), "the page of the ticket that was raised"


async def test_an_overlap_is_said_when_time_was_logged(seen: Pages) -> None:
    seen.upstream.answers["/time-entries"] = {"warnings": ["overlaps 60 min logged from 2026-11-09 09:00 UTC"]}

    answer = await seen.post(f"{PAGE}/time", {"duration": "45m"}, by="agent")

    assert answer.status_code == 200
    assert "Time was logged. Overlaps 60 min logged from 2026-11-09 09:00 UTC." in words(answer.text)


async def test_a_long_answer_in_any_script_goes_through_and_one_beyond_all_bounds_is_told(seen: Pages) -> None:
    long = "\N{CJK UNIFIED IDEOGRAPH-96FB}" * 20_000

    sent = await seen.post(f"{PAGE}/reply", {"body": long}, by="agent")
    beyond = await seen.post(f"{PAGE}/reply", {"body": "x" * 1_000_001}, by="agent")

    assert sent.status_code == 303
    assert changes(seen) == [("POST", f"{PATH}/messages", {"body": long, "is_public": True})]
    assert beyond.status_code == 413
    assert "Go back: your text is still there" in beyond.text


async def test_a_title_of_a_hundred_kilobytes_is_refused_and_nothing_typed_is_lost(seen: Pages) -> None:
    errors = [{"pointer": "/body/title", "detail": "String should have at most 200 characters"}]
    seen.upstream.answers[PATH] = (422, {"detail": "/body/title: too long", "errors": errors})

    answer = await seen.post(f"{PAGE}/change", {"title": "x" * 100_000, "reason": "My reason"}, by="agent")

    assert answer.status_code == 422
    assert "String should have at most 200 characters" in answer.text
    assert 'value="My reason"' in answer.text


# ---- the client's page ----------------------------------------------------------------------------------------------


async def test_a_resolution_is_rated_once(seen: Pages) -> None:
    page, rating = (
        "/portal/tickets/HLO-7",
        {"cycle": 1, "score": 4, "comment": "Quick", "by_name": "Ada", "rated_at": AT},
    )
    assert "How was it?" not in (await seen.get(page, by="client")).text
    seen.upstream.answers["/tickets/HLO-7"] = a_ticket(status="closed")
    before = await seen.get(page, by="client")

    answer = await seen.post(f"{page}/rating", {"score": "4", "comment": "Quick"}, by="client")

    assert "How was it?" in before.text
    assert "Reply and open again" in before.text
    assert answer.headers["location"] == page
    assert changes(seen) == [("POST", f"{PATH}/rating", {"score": 4, "comment": "Quick"})]
    seen.upstream.answers["/tickets/HLO-7"] = a_ticket(status="closed", ratings=[rating])
    after = (await seen.get(page, by="client")).text
    assert "How was it?" not in after
    assert "Good , 4 of 5, by Ada" in words(after)
    assert "Rated 4 of 5 by Ada" in words((await seen.get(PAGE)).text)
