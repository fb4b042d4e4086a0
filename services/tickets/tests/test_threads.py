"""Around a thread: saving at once, merging, splitting, moving, linking, watching, rating, search, bulk edits."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import asyncpg
import pytest

from msp_events.tickets import TicketClosed, TicketUpdated, TimeApproved, TimeLogged, TimeVoided
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person, a_staff_person, said
from tickets import reports
from tickets.actions import tickets as verbs
from tickets.testing import a_contract


async def holds(desk: Any) -> bool:
    async with desk.database.transaction(SYSTEM) as tx:
        return await reports.verify(tx) == []


async def shown(desk: Any, ticket: dict[str, Any], by: Any = None, more: str = "") -> dict[str, Any]:
    answer = await desk.requests.get(by or desk.agent, f"/tickets/{ticket['id']}{more}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


# ---- two at once --------------------------------------------------------------------------------------------------


async def test_a_conflict_says_what_was_changed_meanwhile_and_by_whom(desk: Any) -> None:
    ticket = await desk.raised()
    path, read = f"/tickets/{ticket['id']}", {"If-Match": '"1"'}
    first = await desk.requests.send(desk.agent, "PATCH", path, {"priority": "low", "tags": ["vpn"]}, headers=read)

    second = await desk.requests.send(desk.manager, "PATCH", path, {"priority": "critical"}, headers=read)

    assert (first.status_code, first.headers["etag"]) == (200, '"2"')
    assert (second.status_code, second.json()["code"]) == (409, "conflict")
    assert "priority: high to low; tags: +vpn (by Tom Okafor" in second.json()["detail"]
    assert {one["pointer"] for one in second.json()["errors"]} == {"/priority", "/tags"}
    assert (await shown(desk, ticket))["priority"] == "low"


@pytest.mark.parametrize(("verb", "body"), [("status", {"status": "open"}), ("assign", {"assignee_id": None})])
async def test_every_change_of_an_old_state_can_be_guarded(desk: Any, verb: str, body: dict[str, Any]) -> None:
    ticket = await desk.raised()
    await desk.requests.send(desk.agent, "PATCH", f"/tickets/{ticket['id']}", {"title": "VPN"})

    late = await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/{verb}", body, headers={"If-Match": '"1"'})

    assert (late.status_code, late.json()["code"]) == (409, "conflict")


@pytest.mark.parametrize("title", ["x" * 100_000, "\u200f" * 50, "\u202e"])
async def test_hostile_titles_are_refused(desk: Any, title: str) -> None:
    body = {"title": title, "job_type": "network", "priority": "high", "level": "L1"}

    answer = await desk.requests.post(desk.priya, "/tickets", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid-request")


# ---- priority -----------------------------------------------------------------------------------------------------


async def test_impact_and_urgency_give_the_priority_by_the_client_s_table(desk: Any) -> None:
    own = {"cells": [{"impact": "low", "urgency": "high", "priority": "critical"}]}
    saved = await desk.requests.send(desk.manager, "PUT", f"/priority-tables/{desk.ours}", own)
    ticket = await desk.raised(priority=None, impact="low", urgency="high")
    overruled = await desk.raised(priority="low", impact="low", urgency="high")

    assert {"impact": "low", "urgency": "high", "priority": "critical", "is_own": True} in saved.json()
    assert len(saved.json()) == 9
    assert (await shown(desk, ticket))["priority"] == "critical"
    seen = await shown(desk, overruled)
    assert seen["priority"] == "low"
    assert "chosen; the table says critical" in seen["activity"][0]["reason"]


async def test_no_priority_and_half_a_table_is_told(desk: Any) -> None:
    body = {"title": "VPN", "job_type": "network", "impact": "high", "level": "L1"}

    answer = await desk.requests.post(desk.priya, "/tickets", body)

    assert (answer.status_code, answer.json()["code"]) == (422, "priority-unknown")


# ---- merging ------------------------------------------------------------------------------------------------------


async def test_a_merge_moves_messages_watchers_and_unsealed_time_and_the_old_ref_leads_on(desk: Any) -> None:
    older, younger = (
        await desk.raised(),
        await desk.raised(title="VPN again", priority="critical", description="Since noon"),
    )
    await desk.requests.post(desk.priya, f"/tickets/{younger['id']}/messages", {"body": "Still down"})
    await desk.requests.send(desk.priya, "PUT", f"/tickets/{younger['id']}/watch", {})
    waiting, approved = await desk.logged(younger), await desk.logged(younger)
    await desk.requests.post(desk.manager, f"/time-entries/{approved['id']}/approve")

    merged = await desk.requests.post(desk.agent, f"/tickets/{younger['id']}/merge", {"into_id": older["id"]})

    assert merged.status_code == 200, merged.text
    assert (merged.json()["ref"], merged.json()["messages"], merged.json()["entries"]) == ("HLO-1", 1, 2)
    by_old_ref = (await desk.requests.get(desk.priya, "/tickets/HLO-2")).json()
    assert (by_old_ref["ref"], by_old_ref["redirected_from"], by_old_ref["priority"]) == ("HLO-1", "HLO-2", "critical")
    assert [one["body_text"] for one in by_old_ref["messages"]] == ["HLO-2: VPN again\n\nSince noon", "Still down"]
    assert (by_old_ref["worked_minutes"], by_old_ref["watchers"][0]["name"]) == (90, "Priya Nair")
    (closed,) = await said(desk.database, TicketClosed)
    assert (str(closed.merged_into_id), closed.resolved_at) == (older["id"], None)
    told = [one for one in await said(desk.database, TimeLogged, TimeApproved) if str(one.ticket_id) == older["id"]]
    assert {(str(one.time_entry_id), one.status, one.ref) for one in told} == {
        (waiting["id"], "submitted", "HLO-1"),
        (approved["id"], "approved", "HLO-1"),
    }
    assert await holds(desk)


async def test_what_is_written_to_a_merged_ticket_stands_where_it_went(desk: Any) -> None:
    older, younger = await desk.raised(), await desk.raised()
    await desk.requests.post(desk.agent, f"/tickets/{younger['id']}/merge", {"into_id": older["id"]})

    written = await desk.requests.post(desk.priya, f"/tickets/{younger['id']}/messages", {"body": "Any news?"})
    moved = await desk.requests.post(desk.agent, f"/tickets/{younger['id']}/status", {"status": "open"})

    assert written.status_code == 201
    assert "Any news?" in [one["body_text"] for one in (await shown(desk, older))["messages"]]
    assert (moved.status_code, moved.json()["code"]) == (409, "ticket-closed")
    assert (await shown(desk, younger, more="?follow=false"))["merged_into_id"] == older["id"]


async def test_tickets_of_two_clients_are_never_merged_or_linked(desk: Any) -> None:
    ours, theirs = await desk.raised(), await desk.raised(a_client_person(desk.theirs))

    merged = await desk.requests.post(desk.agent, f"/tickets/{theirs['id']}/merge", {"into_id": ours["id"]})
    linked = await desk.requests.post(
        desk.agent, f"/tickets/{theirs['id']}/links", {"other_id": ours["id"], "kind": "duplicates"}
    )

    assert [(one.status_code, one.json()["code"]) for one in (merged, linked)] == [(422, "across-clients")] * 2
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with desk.database.transaction(SYSTEM) as tx:
            await tx.driver.execute(
                "UPDATE tickets SET merged_into_id = $1, status = 'closed' WHERE id = $2", ours["id"], theirs["id"]
            )


async def test_the_younger_goes_into_the_older(desk: Any) -> None:
    older, younger = await desk.raised(), await desk.raised()

    answer = await desk.requests.post(desk.agent, f"/tickets/{older['id']}/merge", {"into_id": younger["id"]})

    assert (answer.status_code, answer.json()["code"]) == (409, "merge-into-younger")
    assert "merge HLO-2 into HLO-1 instead" in answer.json()["detail"]


# ---- splitting and moving -----------------------------------------------------------------------------------------


async def test_a_split_takes_messages_along_and_leaves_the_rest(desk: Any) -> None:
    ticket = await desk.raised()
    path = f"/tickets/{ticket['id']}/messages"
    await desk.requests.post(desk.priya, path, {"body": "VPN"})
    other = (await desk.requests.post(desk.priya, path, {"body": "and the printer"})).json()

    made = await desk.requests.post(
        desk.agent,
        f"/tickets/{ticket['id']}/split",
        {"title": "Printer", "message_ids": [other["id"]], "job_type": "workplace"},
    )

    assert made.status_code == 201, made.text
    new = await shown(desk, made.json())
    assert ([one["body_text"] for one in new["messages"]], new["job_type"]) == (["and the printer"], "workplace")
    assert [(one["kind"], one["ref"]) for one in new["links"]] == [("split_from", ticket["ref"])]
    assert [one["body_text"] for one in (await shown(desk, ticket))["messages"]] == ["VPN"]
    stray = await desk.requests.post(
        desk.agent, f"/tickets/{ticket['id']}/split", {"title": "x", "message_ids": [other["id"]]}
    )
    assert stray.status_code == 404
    assert await holds(desk)


async def test_a_ticket_moves_to_its_client_and_only_unposted_time_is_rated_anew(desk: Any) -> None:
    ticket = await desk.raised(a_staff_person("agent"), client_id=str(desk.ours), description="Kestrel's firewall")
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/messages", {"body": "Dear Kestrel"})
    open_entry, posted = await desk.logged(ticket), await desk.logged(ticket)
    await desk.requests.post(desk.manager, f"/time-entries/{posted['id']}/approve")

    moved = await desk.requests.post(
        desk.manager, f"/tickets/{ticket['id']}/move", {"client_id": str(desk.theirs), "reason": "wrong client"}
    )

    assert moved.status_code == 201, moved.text
    assert (moved.json()["ref"], moved.json()["entries_logged_anew"], moved.json()["entries_left_behind"]) == (
        "KES-1",
        1,
        1,
    )
    (voided,) = await said(desk.database, TimeVoided)
    anew = (await said(desk.database, TimeLogged))[-1]
    assert str(voided.time_entry_id) == open_entry["id"]
    assert (str(anew.corrects_id), anew.client_id, anew.worked_minutes) == (open_entry["id"], desk.theirs, 45)
    for reader, ref in ((desk.priya, ticket["ref"]), (a_client_person(desk.theirs, "admin"), "KES-1")):
        seen = await desk.requests.get(reader, f"/tickets/{ref}")
        assert "Dear Kestrel" not in seen.text, "neither client reads what was written for the other"
    ours = (await desk.requests.get(desk.priya, f"/tickets/{ticket['ref']}")).json()
    assert (ours["status"], ours["description"], ours["worked_minutes"]) == ("closed", "", 45)
    assert await holds(desk)


async def test_a_move_the_other_contract_does_not_cover_changes_nothing(desk: Any) -> None:
    stranger = new_id()
    await desk.speaker.say(a_contract(stranger, ref="C-0009", job_types=("server",)))
    ticket = await desk.raised()
    before = len(await said(desk.database))

    answer = await desk.requests.post(
        desk.manager,
        f"/tickets/{ticket['id']}/move",
        {"client_id": str(desk.theirs), "contract_id": str(new_id()), "reason": "x"},
    )

    assert (answer.status_code, answer.json()["code"]) == (422, "no-active-contract")
    assert len(await said(desk.database)) == before


# ---- links, ratings, watching -------------------------------------------------------------------------------------


async def test_a_duplicate_is_closed_without_a_verdict_and_says_of_what(desk: Any) -> None:
    first, second = await desk.raised(), await desk.raised()

    await desk.requests.post(
        desk.agent, f"/tickets/{second['id']}/links", {"other_id": first["id"], "kind": "duplicates"}
    )

    (closed,) = await said(desk.database, TicketClosed)
    assert (str(closed.ticket_id), closed.resolved_at) == (second["id"], None)
    links = (await shown(desk, first))["links"]
    assert [(one["kind"], one["is_from_here"], one["ref"]) for one in links] == [("duplicates", False, second["ref"])]
    gone = await desk.requests.send(desk.agent, "DELETE", f"/tickets/{second['id']}/links/duplicates/{first['id']}")
    assert gone.status_code == 204
    assert (await shown(desk, first))["links"] == []


async def test_the_client_rates_a_resolution_once(desk: Any) -> None:
    ticket = await desk.raised()
    path = f"/tickets/{ticket['id']}/rating"
    early = await desk.requests.post(desk.priya, path, {"score": 5})
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/status", {"status": "resolved"})

    rated = await desk.requests.post(desk.priya, path, {"score": 4, "comment": "quick"})
    again = await desk.requests.post(desk.priya, path, {"score": 1})
    staff = await desk.requests.post(desk.agent, path, {"score": 5})

    assert [one.status_code for one in (early, rated, again, staff)] == [409, 200, 409, 403]
    assert (await shown(desk, ticket))["ratings"][0]["comment"] == "quick"
    assert (await said(desk.database, TicketUpdated))[-1].satisfaction == 4


async def test_client_people_see_their_own_watchers_only(desk: Any) -> None:
    ticket = await desk.raised()
    for somebody in (desk.agent, desk.priya):
        await desk.requests.send(somebody, "PUT", f"/tickets/{ticket['id']}/watch", {})

    watched = (await desk.requests.get(desk.agent, "/tickets?watched=true")).json()["items"]

    assert [one["name"] for one in (await shown(desk, ticket, desk.priya))["watchers"]] == ["Priya Nair"]
    assert len((await shown(desk, ticket))["watchers"]) == 2
    assert [one["ref"] for one in watched] == [ticket["ref"]]


async def test_what_was_resolved_is_closed_after_its_grace_and_an_answer_opens_it_again(desk: Any) -> None:
    ticket, young = await desk.raised(), await desk.raised()
    for one in (ticket, young):
        await desk.requests.post(desk.agent, f"/tickets/{one['id']}/status", {"status": "resolved"})
    async with desk.database.transaction(SYSTEM) as tx:
        await tx.driver.execute(
            "UPDATE tickets SET resolved_at = resolved_at - interval '5 days 1 minute' WHERE id = $1", ticket["id"]
        )
        await verbs.close_resolved(tx)

    closed = (await shown(desk, ticket))["status"], (await shown(desk, young))["status"]
    await desk.requests.post(desk.priya, f"/tickets/{ticket['id']}/messages", {"body": "It is back"})

    assert closed == ("closed", "resolved")
    seen = await shown(desk, ticket)
    assert (seen["status"], seen["cycle"]) == ("open", 2)


# ---- finding and changing many ------------------------------------------------------------------------------------


async def test_words_are_found_in_titles_descriptions_and_messages(desk: Any) -> None:
    by_title = await desk.raised(title="Firewall mail.example.com blocks")
    by_message = await desk.raised(title="Other")
    await desk.requests.post(desk.priya, f"/tickets/{by_message['id']}/messages", {"body": "the FIREWALL again"})
    theirs = await desk.raised(a_client_person(desk.theirs), title="Firewall of others")

    found = (await desk.requests.get(desk.agent, "/tickets/search?text=firewal")).json()
    client = (await desk.requests.get(desk.priya, "/tickets/search?text=firewall")).json()

    assert {(one["ref"], one["found_in"]) for one in found} == {
        (by_title["ref"], "ticket"),
        (theirs["ref"], "ticket"),
        (by_message["ref"], "message"),
    }
    assert {one["ref"] for one in client} == {by_title["ref"], by_message["ref"]}
    for text in ("example", "HLO-1", "mail.example.com", "blocks firewall"):
        seen = (await desk.requests.get(desk.agent, f"/tickets/search?text={quote(text)}")).json()
        assert [one["ref"] for one in seen] == [by_title["ref"]], text
    listed = (await desk.requests.get(desk.agent, "/tickets?text=example")).json()["items"]
    assert [one["ref"] for one in listed] == [by_title["ref"]]


@pytest.mark.parametrize("text", ["'", "a & | ! :*", "!!!", "')) OR 1=1 --", "\\", "%_"])
async def test_no_text_breaks_the_search(desk: Any, text: str) -> None:
    answer = await desk.requests.get(desk.agent, f"/tickets/search?text={quote(text)}")

    assert answer.status_code == 200


async def test_internal_notes_are_not_found_by_clients(desk: Any) -> None:
    ticket = await desk.raised()
    note = {"body": "the client is difficult", "is_public": False}
    await desk.requests.post(desk.agent, f"/tickets/{ticket['id']}/messages", note)

    assert (await desk.requests.get(desk.priya, "/tickets/search?text=difficult")).json() == []
    assert len((await desk.requests.get(desk.agent, "/tickets/search?text=difficult")).json()) == 1


@pytest.mark.parametrize(
    "more", ["mine=true", "watched=true", "tag=vpn", "unassigned=true", "status=closed&sort=updated"]
)
async def test_every_filter_is_safe_for_everybody(desk: Any, more: str) -> None:
    await desk.raised()

    for reader in (desk.priya, desk.agent):
        assert (await desk.requests.get(reader, f"/tickets?{more}")).status_code == 200


async def test_tags_and_words_narrow_the_list(desk: Any) -> None:
    tagged, worded = await desk.raised(tags=["vpn"], title="One"), await desk.raised(tags=["vpn2"], title="Two")
    mine = await desk.raised(title="Three")
    await desk.requests.post(desk.agent, f"/tickets/{mine['id']}/take")

    for more, ticket in (("tag=vpn", tagged), ("text=two", worded), ("mine=true", mine)):
        seen = (await desk.requests.get(desk.agent, f"/tickets?{more}")).json()["items"]
        assert [one["ref"] for one in seen] == [ticket["ref"]], more


async def test_a_bulk_edit_says_of_each_row_what_became_of_it(desk: Any) -> None:
    good, closed = await desk.raised(), await desk.raised()
    await desk.requests.post(desk.agent, f"/tickets/{closed['id']}/status", {"status": "closed"})
    nobody = str(new_id())

    body = {"ids": [closed["id"], nobody, good["id"]], "status": "resolved", "add_tags": ["vpn"]}
    done = await desk.requests.post(desk.agent, "/tickets/bulk", body)

    assert done.json()["done"] == 1
    assert [(one["ref"], one["code"]) for one in done.json()["results"]] == [
        (closed["ref"], "status-not-reachable"),
        (None, "not-found"),
        (good["ref"], None),
    ]
    seen = await shown(desk, good)
    assert (seen["status"], seen["tags"]) == ("resolved", ["vpn"])
    outside = await desk.requests.post(desk.agent, "/tickets/bulk", {"ids": [good["id"]], "level": "SA"})
    assert outside.json()["results"][0]["code"] == "level-outside-contract"
    assert await holds(desk)


async def test_canned_replies_templates_and_views_are_kept(desk: Any) -> None:
    ticket = await desk.raised()
    text = {"name": "Ask", "body": "Dear {{contact_name}}, about {{ref}}", "set_status": "waiting_on_client"}
    reply = (await desk.requests.post(desk.agent, "/canned-replies", text)).json()
    unknown = await desk.requests.post(desk.agent, "/canned-replies", {"name": "x", "body": "{{password}}"})
    twice = await desk.requests.post(desk.agent, "/canned-replies", text)
    filled = (await desk.requests.get(desk.agent, f"/tickets/{ticket['id']}/canned-replies/{reply['id']}")).json()

    for_staff = {"name": "New starter", "title": "Set up a workplace", "tags": ["starter"]}
    await desk.requests.post(desk.manager, "/ticket-templates", for_staff)
    await desk.requests.post(desk.manager, "/ticket-templates", {**for_staff, "name": "Leaver", "is_for_clients": True})
    view = {"name": "Mine", "filters": {"mine": True, "sort": "updated"}, "is_shared": True}
    await desk.requests.post(desk.agent, "/ticket-views", view)

    assert filled["body"] == f"Dear Priya Nair, about {ticket['ref']}"
    assert [(one.status_code, one.json()["code"]) for one in (unknown, twice)] == [
        (422, "unknown-place"),
        (409, "conflict"),
    ]
    assert [one["name"] for one in (await desk.requests.get(desk.priya, "/ticket-templates")).json()["items"]] == [
        "Leaver"
    ]
    (seen,) = (await desk.requests.get(desk.manager, "/ticket-views")).json()["items"]
    assert (seen["filters"], seen["is_mine"]) == ({"mine": True, "sort": "updated"}, False)
    foreign = await desk.requests.send(desk.manager, "DELETE", f"/ticket-views/{seen['id']}")
    assert foreign.status_code == 404
