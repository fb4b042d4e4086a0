"""Hearing exactly once, in the order each stream needs."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from builders import a_client_event, a_ticket_event, probe_consumers

from msp_events.tickets import TicketUpdated
from msp_kernel.ids import new_id
from msp_kit import deadletters
from msp_kit.database import SYSTEM, Database
from msp_kit.inbox import Inbox
from msp_kit.testing import Speaker


async def heard(database: Database, subject: str) -> list[int]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT revision FROM heard WHERE subject = $1 ORDER BY n", subject)
    return [row["revision"] for row in rows]


async def statuses(database: Database) -> list[str]:
    async with database.transaction(SYSTEM) as tx:
        rows = await tx.fetch("SELECT status FROM bus.inbox ORDER BY seq, received_at")
    return [row["status"] for row in rows]


def three_updates(ticket_id: UUID) -> Sequence[TicketUpdated]:
    return [a_ticket_event(TicketUpdated, ticket_id=ticket_id, revision=n) for n in (1, 2, 3)]  # type: ignore[misc]


async def test_the_same_event_twice_has_one_effect(database: Database) -> None:
    speaker = Speaker(Inbox(database, probe_consumers()))
    client = a_client_event(client_id=new_id())

    envelopes = await speaker.say(client)
    await speaker.inbox.accept(envelopes)
    await speaker.inbox.accept([*envelopes, *envelopes])

    assert await heard(database, client.subject()) == [1]


async def test_an_older_state_is_stale(database: Database) -> None:
    speaker = Speaker(Inbox(database, probe_consumers()))
    client_id = new_id()
    old, new = (speaker.envelope(a_client_event(client_id=client_id, revision=n)) for n in (1, 2))

    await speaker.inbox.accept([new])
    await speaker.inbox.accept([old])

    assert await heard(database, f"client:{client_id}") == [2]
    assert await statuses(database) == ["stale", "done"]


async def test_an_ordered_stream_waits_for_the_missing_number(database: Database) -> None:
    speaker = Speaker(Inbox(database, probe_consumers()))
    ticket_id = new_id()
    first, second, third = (speaker.envelope(event) for event in three_updates(ticket_id))

    await speaker.inbox.accept([third])
    await speaker.inbox.accept([first])
    assert await heard(database, f"ticket:{ticket_id}") == [1]
    await speaker.inbox.accept([second])
    while await speaker.inbox.sweep():
        pass

    assert await heard(database, f"ticket:{ticket_id}") == [1, 2, 3]
    assert await statuses(database) == ["done", "done", "done"]


async def test_one_event_that_cannot_be_handled_harms_no_other_of_its_batch(database: Database) -> None:
    speaker = Speaker(Inbox(database, probe_consumers()))
    good, bad = new_id(), new_id()

    await speaker.say(a_ticket_event(ticket_id=bad, title="never"), a_ticket_event(ticket_id=good))

    assert await heard(database, f"ticket:{good}") == [1]
    (parked,) = await deadletters.open_messages(database)
    assert (parked.status, parked.error_code, parked.error_text) == ("parked", "Permanent", "no contract can take it")


async def test_what_follows_a_failing_event_waits_until_it_is_done(database: Database) -> None:
    speaker = Speaker(Inbox(database, probe_consumers()))
    ticket_id = new_id()

    await speaker.say(a_ticket_event(ticket_id=ticket_id, title="later"))
    await speaker.say(a_ticket_event(TicketUpdated, ticket_id=ticket_id, revision=2))
    assert await heard(database, f"ticket:{ticket_id}") == []
    async with database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE bus.inbox SET next_at = clock_timestamp() WHERE status = 'retry'")
    while await speaker.inbox.sweep():
        pass

    assert await heard(database, f"ticket:{ticket_id}") == [1, 2]


async def test_a_parked_event_can_be_discarded_and_its_stream_goes_on(database: Database) -> None:
    speaker = Speaker(Inbox(database, probe_consumers()))
    ticket_id = new_id()
    (parked,) = await speaker.say(a_ticket_event(ticket_id=ticket_id, title="never"))
    await speaker.say(a_ticket_event(TicketUpdated, ticket_id=ticket_id, revision=2))

    assert await deadletters.discard(database, event_id=parked.id, reason="raised by mistake") == 1
    await speaker.inbox.sweep()

    assert await heard(database, f"ticket:{ticket_id}") == [2]


async def test_data_that_does_not_fit_is_parked_with_the_place(database: Database) -> None:
    speaker = Speaker(Inbox(database, probe_consumers()))
    envelope = speaker.envelope(a_client_event(client_id=new_id()))
    broken = type(envelope)(**{**{n: getattr(envelope, n) for n in envelope.__slots__}, "data": {"name": 5}})

    await speaker.inbox.accept([broken])

    (parked,) = await deadletters.open_messages(database)
    assert parked.status == "parked"
    assert "client_id: Field required" in (parked.error_text or "")
