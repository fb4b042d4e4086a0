"""Why a promise was broken: said by managers, kept for good, and no business of client people."""

from __future__ import annotations

import pytest

from msp_kit.database import SYSTEM, Database
from msp_kit.testing import Requests, Speaker, a_client_person, a_staff_person
from sla import store
from sla.testing import ATicket, hours

MANAGER = a_staff_person("manager")
PERIOD = "from=2026-11-02&to=2026-11-30"


async def clock_ids(speaker: Speaker, database: Database, ticket: ATicket) -> dict[str, str]:
    """Tell of a ticket that was answered in time and resolved late; return its clocks by metric."""
    await speaker.say(ticket.contract(calendar=hours("09-17")))
    await speaker.say(ticket.raised(), ticket.message("Mon 09:30"), ticket.resolved("Tue 16:00"))
    async with database.transaction(SYSTEM) as tx:
        clocks = await store.clocks_of_ticket(tx, ticket.ticket_id)
    return {clock.metric: str(clock.id) for clock in clocks}


async def test_the_last_word_counts_and_every_word_stays(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    clock_id = (await clock_ids(speaker, database, ATicket()))["resolution"]
    path = f"/clocks/{clock_id}/breach-cause"

    first = await requests.post(MANAGER, path, {"cause": "capacity", "comment": "two people ill"})
    await requests.post(MANAGER, path, {"cause": "waiting-on-vendor", "comment": " the carrier, not us "})

    assert first.status_code == 200, first.text
    explained = (await requests.get(MANAGER, f"/clocks/{clock_id}/explain")).json()
    assert [(one["cause"], one["comment"], one["set_by"]) for one in explained["breach_causes"]] == [
        ("capacity", "two people ill", str(MANAGER.id)),
        ("waiting-on-vendor", "the carrier, not us", str(MANAGER.id)),
    ]
    assert explained["text"][-1].endswith("waiting on vendor: the carrier, not us.")
    listed = (await requests.get(MANAGER, f"/verdicts?{PERIOD}&outcome=missed")).json()["items"]
    assert [(one["breach_cause"], one["breach_comment"]) for one in listed] == [
        ("waiting-on-vendor", "the carrier, not us")
    ]
    file = (await requests.get(MANAGER, f"/verdicts.csv?{PERIOD}")).text
    assert "breach_cause" in file.splitlines()[0]
    assert "the carrier, not us" in file


async def test_client_people_neither_see_nor_say_a_cause(
    database: Database, speaker: Speaker, requests: Requests
) -> None:
    ticket = ATicket()
    clock_id = (await clock_ids(speaker, database, ticket))["resolution"]
    path = f"/clocks/{clock_id}/breach-cause"
    await requests.post(MANAGER, path, {"cause": "client", "comment": "never answers the phone"})
    admin = a_client_person(ticket.client_id, "admin")

    for seen in (f"/clocks/{clock_id}/explain", f"/clocks/{clock_id}", f"/clocks?ticket_id={ticket.ticket_id}"):
        answer = await requests.get(admin, seen)
        assert answer.status_code == 200
        assert "phone" not in answer.text

    assert (await requests.post(admin, path, {"cause": "other"})).status_code == 403
    assert (await requests.post(a_staff_person("agent"), path, {"cause": "other"})).status_code == 403


async def test_only_a_breach_has_a_cause_of_the_list(database: Database, speaker: Speaker, requests: Requests) -> None:
    ids = await clock_ids(speaker, database, ATicket())

    kept = await requests.post(MANAGER, f"/clocks/{ids['first_response']}/breach-cause", {"cause": "other"})
    unknown = await requests.post(MANAGER, f"/clocks/{ids['resolution']}/breach-cause", {"cause": "weather"})
    nul = await requests.post(
        MANAGER, f"/clocks/{ids['resolution']}/breach-cause", {"cause": "other", "comment": "a\x00b"}
    )

    assert (kept.status_code, kept.json()["code"]) == (409, "clock-not-breached")
    assert (unknown.status_code, nul.status_code) == (422, 422)


@pytest.mark.parametrize("change", ["UPDATE breach_causes SET comment = ''", "DELETE FROM breach_causes"])
async def test_what_was_said_cannot_be_changed(
    database: Database, speaker: Speaker, requests: Requests, change: str
) -> None:
    clock_id = (await clock_ids(speaker, database, ATicket()))["resolution"]
    await requests.post(MANAGER, f"/clocks/{clock_id}/breach-cause", {"cause": "process"})

    with pytest.raises(Exception, match="permission denied"):
        async with database.transaction(SYSTEM) as tx:
            await tx.driver.execute(change)
