"""Statements on paper are laid out one at a time; whoever waits for one keeps nothing that others need."""

from __future__ import annotations

import asyncio

from contracts.testing import a_client_with_contract, an_entry, time_told
from msp_kit import pdf
from msp_kit.database import Database
from msp_kit.testing import Requests, Speaker, a_staff_person

MANAGER = a_staff_person("manager")


async def test_waiting_statements_hold_neither_connections_nor_threads(
    requests: Requests, database: Database, speaker: Speaker
) -> None:
    client_id, contract_id = await a_client_with_contract(database, minutes=600)
    await speaker.say(time_told(an_entry(20), client_id=client_id, contract_id=contract_id))
    path = f"/contracts/{contract_id}"
    count = 3 * database.pool_size

    with pdf.LAYING_OUT:
        waiting = [asyncio.create_task(requests.get(MANAGER, f"{path}/statement.pdf")) for _ in range(count)]
        for _ in range(count):
            # Each of these needs a connection and comes after some of the statements have begun.
            assert (await requests.get(MANAGER, f"{path}/balance")).status_code == 200
        assert await asyncio.gather(*(asyncio.to_thread(abs, -one) for one in range(20))) == list(range(20))
        assert not any(one.done() for one in waiting)
    papers = await asyncio.gather(*waiting)

    assert {(one.status_code, one.headers["content-type"]) for one in papers} == {(200, "application/pdf")}
    assert len({one.content for one in papers}) == 1
    assert int(papers[0].headers["content-length"]) == len(papers[0].content) > 1000
