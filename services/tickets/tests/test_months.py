"""Tickets counted by month, in the client's time zone, on a real database."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person
from tickets.reports.months import _COUNTS

LONDON = ZoneInfo("Europe/London")
HALF_A_YEAR = "/tickets/by-month?from=2026-06-01&to=2026-12-01"
_KEPT = """
INSERT INTO tickets (client_id, id, ref, revision, contract_id, contract_version, contact_name, title, description, job_type,
                     priority, level, handling_level, status, queue, raised_at, resolved_at, closed_at, cycle, updated_at)
SELECT $1, gen_random_uuid(), $5 || n, 1, $2, 1, '', 'VPN', '', 'network', 'high', 'L1', 'L1',
       CASE WHEN resolved_at IS NULL THEN 'open' ELSE 'resolved' END, 'service-desk', raised_at, resolved_at, NULL, 1, raised_at
  FROM unnest($3::timestamptz[], $4::timestamptz[]) WITH ORDINALITY AS t (raised_at, resolved_at, n)
"""
Spans = list[tuple[datetime, datetime | None]]


async def kept(desk: Any, client_id: UUID, spans: Spans) -> None:
    """Keep tickets that were raised and resolved at these instants."""
    raised_at, resolved_at = [one for one, _ in spans], [one for _, one in spans]
    async with desk.database.transaction(SYSTEM) as tx:
        contract_id = await tx.fetchval("SELECT contract_id FROM contracts WHERE client_id = $1", client_id)
        await tx.fetch(_KEPT, client_id, contract_id, raised_at, resolved_at, f"{client_id.hex[-6:]}-")


async def months(desk: Any, path: str = HALF_A_YEAR, by: Any = None) -> list[tuple[str, int, int]]:
    answer = await desk.requests.get(by or desk.priya, path)
    assert answer.status_code == 200, answer.text
    return [(one["on"], one["raised"], one["resolved"]) for one in answer.json()["months"]]


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def scattered(count: int, *, step_minutes: int) -> Spans:
    """Return instants all over the months, of which every third is not resolved yet."""
    start = int(instant("2026-05-20T00:00").timestamp())
    made: Spans = []
    for number in range(count):
        raised = datetime.fromtimestamp(start + number * step_minutes * 60, UTC)
        lasted = (number * 7919) % (40 * 24 * 3600)
        made.append((raised, None if number % 3 == 0 else datetime.fromtimestamp(raised.timestamp() + lasted, UTC)))
    return made


def counted(spans: Spans, zone: ZoneInfo) -> list[tuple[str, int, int]]:
    """Count as anybody would by hand: by the local day of each instant."""

    def of(at: datetime | None) -> tuple[int, int] | None:
        return None if at is None else (at.astimezone(zone).year, at.astimezone(zone).month)

    wanted = [(2026, month) for month in range(6, 12)]
    return [
        (date(*one, 1).isoformat(), sum(of(at) == one for at, _ in spans), sum(of(at) == one for _, at in spans))
        for one in wanted
    ]


async def test_each_month_counts_what_was_raised_and_resolved_in_it(desk: Any) -> None:
    spans = scattered(700, step_minutes=403)
    await kept(desk, desk.ours, spans)
    await kept(desk, desk.theirs, spans[:90])

    found = await months(desk)

    assert found == counted(spans, LONDON)
    assert all(raised and resolved for _, raised, resolved in found)
    assert sum(raised for _, raised, _ in found) < len(spans), "some lie outside of the months"


async def test_months_without_tickets_are_told_as_nothing(desk: Any) -> None:
    await kept(desk, desk.ours, [(instant("2026-08-10T09:00"), instant("2026-10-02T09:00"))])

    assert await months(desk) == [
        ("2026-06-01", 0, 0),
        ("2026-07-01", 0, 0),
        ("2026-08-01", 1, 0),
        ("2026-09-01", 0, 0),
        ("2026-10-01", 0, 1),
        ("2026-11-01", 0, 0),
    ]


@pytest.mark.parametrize(
    ("zone", "last_of_march", "first_of_april", "last_of_october"),
    [
        # Summer begins on 29 March and ends on 25 October 2026: April begins an hour earlier, November does not.
        ("Europe/London", "2026-03-31T22:59:59", "2026-03-31T23:00:00", "2026-10-31T23:59:59"),
        ("Europe/Berlin", "2026-03-31T21:59:59", "2026-03-31T22:00:00", "2026-10-31T22:59:59"),
        ("UTC", "2026-03-31T23:59:59", "2026-04-01T00:00:00", "2026-10-31T23:59:59"),
    ],
)
async def test_months_begin_at_the_client_s_midnight_whatever_the_clocks_do(
    desk: Any, zone: str, last_of_march: str, first_of_april: str, last_of_october: str
) -> None:
    async with desk.database.transaction(SYSTEM) as tx:
        await tx.fetch("UPDATE clients SET timezone = $2 WHERE client_id = $1", desk.ours, zone)
    at = [instant(one) for one in (last_of_march, first_of_april, last_of_october)]
    await kept(desk, desk.ours, [(one, one) for one in at])

    found = await months(desk, "/tickets/by-month?from=2026-03-01&to=2026-12-01")

    assert [line for line in found if line[1]] == [("2026-03-01", 1, 1), ("2026-04-01", 1, 1), ("2026-10-01", 1, 1)]


async def test_a_ticket_that_went_into_another_is_counted_once(desk: Any) -> None:
    first, second = await desk.raised(), await desk.raised()
    today = datetime.now(LONDON).date().replace(day=1)
    after = date(today.year + today.month // 12, today.month % 12 + 1, 1)
    path = f"/tickets/by-month?from={today}&to={after}"
    assert await months(desk, path) == [(today.isoformat(), 2, 0)]

    merged = await desk.requests.post(desk.manager, f"/tickets/{second['id']}/merge", {"into_id": first["id"]})
    assert merged.status_code in (200, 201), merged.text
    assert await months(desk, path) == [(today.isoformat(), 1, 0)]

    await desk.requests.post(desk.agent, f"/tickets/{first['id']}/status", {"status": "resolved"})
    assert await months(desk, path) == [(today.isoformat(), 1, 1)]
    await desk.requests.post(desk.priya, f"/tickets/{first['id']}/messages", {"body": "Not yet"})
    assert await months(desk, path) == [(today.isoformat(), 1, 0)]


async def test_a_client_is_told_of_its_own_tickets_and_of_no_others(desk: Any) -> None:
    await kept(desk, desk.theirs, [(instant("2026-08-10T09:00"), None)] * 3)

    assert [line[1:] for line in await months(desk)] == [(0, 0)] * 6
    assert ("2026-08-01", 3, 0) in await months(desk, by=a_client_person(desk.theirs))
    foreign = await desk.requests.get(desk.priya, f"{HALF_A_YEAR}&client_id={desk.theirs}")
    unknown = await desk.requests.get(desk.priya, f"{HALF_A_YEAR}&client_id={new_id()}")
    assert (foreign.status_code, foreign.json()["code"]) == (unknown.status_code, unknown.json()["code"])
    assert foreign.status_code == 404
    # Row-level security keeps them apart, even if the question were put wrongly.
    async with desk.database.transaction(desk.priya.scope) as tx:
        assert await tx.fetchval("SELECT count(*) FROM tickets WHERE client_id = $1", desk.theirs) == 0


async def test_staff_names_the_client(desk: Any) -> None:
    await kept(desk, desk.theirs, [(instant("2026-08-10T09:00"), None)] * 3)

    named = await months(desk, f"{HALF_A_YEAR}&client_id={desk.theirs}", by=desk.manager)

    assert ("2026-08-01", 3, 0) in named
    for path in (HALF_A_YEAR, f"{HALF_A_YEAR}&client_id={new_id()}"):
        assert (await desk.requests.get(desk.manager, path)).status_code == 404


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ("from=2026-06-02&to=2026-12-01", "not-whole-months"),
        ("from=2026-06-01&to=2026-11-30", "not-whole-months"),
        ("from=2026-06-01&to=2026-06-01", "not-whole-months"),
        ("from=2024-11-01&to=2026-12-01", "not-whole-months"),
        ("from=1999-12-01&to=2000-02-01", "invalid-request"),
        ("from=9999-12-01&to=9999-12-01", "invalid-request"),
        ("from=2026-06-01", "invalid-request"),
    ],
)
async def test_other_periods_are_refused(desk: Any, asked: str, code: str) -> None:
    answer = await desk.requests.get(desk.priya, f"/tickets/by-month?{asked}")

    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_two_years_are_counted_from_indexes_alone(desk: Any) -> None:
    """Among many tickets of many years, the plan reads two ranges of two indexes and no table."""
    await kept(desk, desk.ours, scattered(4000, step_minutes=60))
    await kept(desk, desk.theirs, scattered(4000, step_minutes=60))
    async with desk.database.transaction(desk.priya.scope) as tx:
        on = [date(2026, 6, 1), date(2026, 7, 1)]
        at = [instant(f"{one}T00:00") for one in (*on, "2026-08-01")]
        plan = "\n".join(
            row[0] for row in await tx.fetch(f"EXPLAIN (COSTS OFF) {_COUNTS}", desk.ours, on, at[:2], at[1:])
        )

    assert "tickets_raised_of_client" in plan
    assert "tickets_resolved_of_client" in plan
    assert "Seq Scan on tickets" not in plan
