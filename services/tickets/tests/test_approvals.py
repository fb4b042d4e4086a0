"""Time that waits for approval: what is odd comes first and says why."""

from __future__ import annotations

from typing import Any

from msp_events.contracts import HoursHeld
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM
from tickets.testing import MONDAY, a_contract


async def to_approve(desk: Any, query: str = "") -> Any:
    """Return what waits, as if each entry was logged on the day after the work."""
    async with desk.database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE time_entries SET logged_at = worked_from + interval '1 day'")
    answer = await desk.requests.get(desk.manager, f"/time-entries/to-approve{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def codes(found: Any) -> dict[str, list[str]]:
    return {one["id"]: [odd["code"] for odd in one["oddities"]] for one in found["items"]}


async def test_what_the_client_may_not_pay_and_what_may_be_a_slip_comes_before_the_rest(desk: Any) -> None:
    ticket = await desk.raised()
    plain = await desk.logged(ticket, worked_from="2026-11-09T10:00:00Z", worked_minutes=30)
    long = await desk.logged(ticket, worked_from="2026-11-16T09:00:00Z", worked_minutes=500)
    saturday = await desk.logged(ticket, worked_from="2026-11-14T10:00:00Z", worked_minutes=60)
    beyond = await desk.logged(ticket, worked_from="2026-11-09T12:00:00Z", worked_minutes=60)
    await desk.speaker.say(held(desk, beyond, overage_minutes=40))

    found = await to_approve(desk)

    assert (found["odd_count"], found["total_count"]) == (3, 4)
    assert codes(found) == {
        beyond["id"]: ["overage"],
        long["id"]: ["very_long", "unlike_usual"],
        saturday["id"]: ["weekend"],
        plain["id"]: [],
    }
    assert list(codes(found)) == [beyond["id"], long["id"], saturday["id"], plain["id"]]
    assert found["items"][0]["oddities"] == [{"code": "overage", "figure": 40, "detail": "40 min beyond the bucket"}]


async def test_entries_of_one_agent_that_share_minutes_are_both_odd(desk: Any) -> None:
    one, other = await desk.raised(), await desk.raised()
    first = await desk.logged(one, worked_from="2026-11-09T10:00:00Z", worked_minutes=30)
    second = await desk.logged(other, worked_from="2026-11-09T10:29:00Z", worked_minutes=30)
    after = await desk.logged(other, worked_from="2026-11-09T10:59:00Z", worked_minutes=30)
    colleague = await desk.logged(one, by=desk.manager, worked_from="2026-11-09T10:00:00Z", worked_minutes=30)
    gone = await desk.logged(one, worked_from="2026-11-09T11:00:00Z", worked_minutes=30)
    await desk.requests.post(desk.agent, f"/time-entries/{gone['id']}/void", {"reason": "twice"})

    found = codes(await to_approve(desk))

    assert found == {first["id"]: ["overlaps"], second["id"]: ["overlaps"], after["id"]: [], colleague["id"]: []}


async def test_what_an_amendment_took_out_of_the_contract_is_out_of_scope(desk: Any) -> None:
    ticket = await desk.raised()
    entry = await desk.logged(ticket, worked_from="2026-11-09T10:00:00Z")
    narrower = {"contract_id": ticket["contract_id"], "revision": 2, "version": 2, "job_types": ("server",)}

    await desk.speaker.say(a_contract(desk.ours, **narrower))

    assert codes(await to_approve(desk)) == {entry["id"]: ["out_of_scope"]}


async def test_entries_of_one_client_are_asked_for_alone_and_the_odd_are_never_cut_off(desk: Any) -> None:
    ours, theirs = await desk.raised(), await desk.raised(client_id=str(desk.theirs), by=desk.agent)
    await desk.logged(theirs, worked_from="2026-11-09T10:00:00Z")
    for minute in range(3):
        await desk.logged(ours, worked_from=f"2026-11-09T12:{minute}0:00Z", worked_minutes=5)
    odd = await desk.logged(ours, worked_from="2026-11-14T10:00:00Z")

    found = await to_approve(desk, f"?client_id={desk.ours}&limit=2")

    assert (len(found["items"]), found["odd_count"], found["total_count"]) == (2, 1, 4)
    assert found["items"][0]["id"] == odd["id"]
    assert (await to_approve(desk))["total_count"] == 5


async def test_what_waits_is_for_those_who_approve(desk: Any) -> None:
    for who, status in ((desk.agent, 403), (desk.priya, 403), (desk.manager, 200)):
        assert (await desk.requests.get(who, "/time-entries/to-approve")).status_code == status


async def test_of_a_contract_without_a_calendar_no_hours_are_odd_until_it_is_told_anew(desk: Any) -> None:
    ticket = await desk.raised()
    saturday = await desk.logged(ticket, worked_from="2026-11-14T10:00:00Z")
    async with desk.database.transaction(SYSTEM) as tx:
        await tx.driver.execute("UPDATE contracts SET calendar = NULL")
    unknown = codes(await to_approve(desk))

    await desk.speaker.say(a_contract(desk.ours, contract_id=ticket["contract_id"], revision=2))

    assert unknown == {saturday["id"]: []}
    assert codes(await to_approve(desk)) == {saturday["id"]: ["weekend"]}


def held(desk: Any, entry: dict[str, Any], *, overage_minutes: int) -> HoursHeld:
    """Return what contracts says of an entry that its bucket cannot pay in full."""
    return HoursHeld(
        occurred_at=MONDAY,
        time_entry_id=entry["id"],
        client_id=desk.ours,
        contract_id=entry["contract_id"],
        revision=1,
        entry_revision=1,
        contract_version=1,
        rate_card_version=1,
        status="held",
        worked_from=entry["worked_from"],
        worked_minutes=entry["worked_minutes"],
        billed_minutes=entry["worked_minutes"],
        bucket_minutes=entry["worked_minutes"] - overage_minutes,
        overage_minutes=overage_minutes,
        job_type=entry["job_type"],
        level=entry["level"],
        agent_id=new_id(),
    )
