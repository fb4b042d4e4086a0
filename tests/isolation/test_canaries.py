"""Nothing of a client reaches another one: not over open pages, lists of events, files, search, pages, mail or the bus."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import canaries
import httpx2 as httpx
import life
import pytest
from canaries import others
from cast import Side, bare
from ears import COMMON, Ear, listening, say
from matrix import Report, Stage, bearer
from reading import text_of, told

from msp_kernel.ids import new_id
from msp_kit.testing import eventually

CANARY = "CANARY-LATER"
WRITES_MIN = 30
READERS = ("approver", "billing", "admin", "writing")
"""Whoever has every role reads what these read."""


@dataclass
class Later:
    """A client whose whole life happened while all others listened, and what they read before and after."""

    side: Side
    ears: dict[Ear, dict[str, str]]
    staff: Ear
    answered: dict[str, int]
    before: dict[str, str]
    after: dict[str, str]


@pytest.fixture(scope="module")
async def later(stage: Stage) -> AsyncIterator[Later]:
    n, actors = stage.n, stage.actors
    await life.tell_at_once(stage, actors.theirs)
    async with n.hearing():
        await n.settle()
    before = await _read(stage)
    # As somebody who is nobody's: everything is hidden from all of them.
    nobody = Side("nobody", actors.ours.company)
    ears = {Ear(who, (*COMMON, "queue-end")): dict(bearer(token)) for who, token in others(stage, nobody).items()}
    staff = Ear("staff", (*COMMON, "queue-end"))
    async with n.hearing(), listening(n.url, {**ears, staff: dict(bearer(actors.staff["admin"]))}):
        side = await life.begin(stage, CANARY)
        names = [f"ticket-{bare(side.objects['ticket_id'])}", f"bucket-{bare(side.company.contract_id)}"]
        names += [f"inbox-{bare(side.objects['person_id'])}", *COMMON, "queue-end"]
        closer = {Ear(f"{ear.name}, knowing the ids", tuple(names)): headers for ear, headers in ears.items()}
        async with listening(n.url, closer):
            answered = await life.go_on(stage, side)
            await life.answer(stage, side)
            await n.settle()
            await _end(stage, {**ears, **closer})
    after = await _read(stage)
    async with n.hearing():
        await life.answer(stage, actors.theirs)
        await n.settle()
        await canaries.digests(stage)
    yield Later(side, {**ears, **closer}, staff, answered, before, after)


async def _end(stage: Stage, ears: dict[Ear, dict[str, str]]) -> None:
    """Let every page hear something of its own: what was said before has then been heard, or never is."""
    for client_id in (stage.actors.ours.client_id, stage.actors.theirs.client_id):
        await say(stage.n.amqp_url, "tickets.ticket.v1.TicketUpdated", client_id, queue="end", ticket_id=str(new_id()))

    async def all_heard() -> bool:
        return all(ear.heard[-1:] == ["ops"] and "queue-end" in ear.heard for ear in ears)

    await eventually(all_heard)


async def _read(stage: Stage) -> dict[str, str]:
    """Read everything everybody else may read, without what changes by itself."""
    found = {}
    mine = stage.actors.theirs
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for who, token in others(stage, mine).items():
            if who.endswith(READERS):
                continue
            for one in stage.operations:
                if one.is_safe and not one.is_public and one.access.get("client") is not None:
                    answer = await client.get(one.url(mine.objects), headers=list(bearer(token)))
                    found[f"{who}: {one.name}"] = _still(text_of(answer))
    return found


_MOVES = re.compile(
    r'(x-request-id|date|ratelimit-\w+|content-length|etag): [^\n]*|"(request_id|instance|next)":"[^"]*"|\d\d:\d\d:\d\d[.\d]*(Z|\+00:00)?'
    r'|"\w*(seconds|minutes|at)":[^,}]*'
)


def _still(text: str) -> str:
    return _MOVES.sub("", text)


def _count(stage: Stage, report: Report) -> None:
    stage.report.add(report)
    assert report.failures == []


async def test_open_pages_hear_nothing_of_others(stage: Stage, later: Later) -> None:
    report = Report()
    for ear in later.ears:
        own = [one for one in ear.heard if one not in ("tickets", "ops", "queue-end")]
        problem = f"heard {ear.heard}" if own or ear.heard.count("tickets") != 1 or ear.heard.count("ops") != 1 else ""
        words = told(ear.raw.decode(), later.side.words)
        report.tried("live", ear.name, "a whole life", problem or (f"tells of {words}" if words else ""))

    _count(stage, report)
    assert {"tickets", "ops", "buckets", "invoices"} <= set(later.staff.heard)


async def test_one_event_of_every_stream_is_heard_by_its_own_only(stage: Stage) -> None:
    _count(stage, await canaries.live(stage))


async def test_the_life_of_a_client_changes_nothing_for_another(stage: Stage, later: Later) -> None:
    report = Report()
    for name, before in later.before.items():
        who, _, operation = name.partition(": ")
        after = later.after[name]
        report.tried("before and after", who, operation, "" if before == after else canaries.difference(before, after))

    _count(stage, report)
    done = [name for name, status in later.answered.items() if status < 300]
    assert len(done) >= WRITES_MIN, sorted(later.answered.items())


async def test_lists_of_events_tell_of_nobody_else(stage: Stage, later: Later) -> None:
    _count(stage, await canaries.events(stage, later.side))


async def test_files_and_tables_tell_of_nobody_else(stage: Stage, later: Later) -> None:
    _count(stage, await canaries.files(stage, later.side))


async def test_search_finds_nothing_of_others(stage: Stage, later: Later) -> None:
    _count(stage, await canaries.search(stage, later.side))


async def test_pages_walked_as_somebody_else_tell_nothing(stage: Stage, later: Later) -> None:
    _count(stage, await canaries.pages(stage, stage.actors.ours))


async def test_mail_and_digests_tell_of_nobody_else(stage: Stage, later: Later) -> None:
    sides = (stage.actors.ours, stage.actors.theirs, later.side)

    _count(stage, await canaries.mails(stage, sides))
    texts = "".join(f"{mail['subject']}: {canaries.said(mail)}" for mail in stage.n.postbox.taken)
    assert stage.actors.theirs.canary in texts
    assert CANARY in texts


async def test_what_is_said_on_the_bus_names_one_client(stage: Stage, later: Later) -> None:
    _count(stage, await canaries.bus(stage, (stage.actors.ours, stage.actors.theirs, later.side)))


async def test_the_inside_of_a_ticket_is_never_mailed(stage: Stage, later: Later) -> None:
    assert later.side.canary
    assert [mail["subject"] for mail in stage.n.postbox.taken if "CANARY-INSIDE" in mail.as_string()] == []
