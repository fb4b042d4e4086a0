"""A process that issues empty invoices one after the other, and sometimes changes its mind: ``number_writer.py URL SEED UNTIL``."""

from __future__ import annotations

import asyncio
import datetime as dt
import random
import sys

from billing.store import invoices
from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database

SERIES = "INV-2026"
INSERT = (
    "INSERT INTO invoices (client_id, id, revision, period_close_id, currency, status, starts_on, ends_on, net_minor,"
    " tax_minor, gross_minor, worked_minutes, content, series, series_number, number, issued_at, due_on, content_sha256,"
    " previous_sha256) VALUES ($1, $1, 1, $1, 'GBP', 'issued', $2, $3, 0, 0, 0, 0, '{}', $4, $5, $6, now(), $3, $6, $7)"
)


class ChangedMind(Exception):
    """The transaction is rolled back after the number was taken."""


async def main(url: str, seed: int, until: int) -> None:
    chance = random.Random(seed)
    database = Database(url, service="billing", database="billing", pool_size=1)
    number = 0
    while number < until:
        try:
            async with database.transaction(SYSTEM) as tx:
                number, text, previous = await invoices.next_number(tx, series=SERIES, prefix=f"{SERIES}-")
                if number > until or chance.random() < 0.1:
                    raise ChangedMind
                day = dt.date(2026, 10, 1)
                await tx.driver.execute(INSERT, new_id(), day, dt.date(2026, 11, 1), SERIES, number, text, previous)
        except ChangedMind:
            continue


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
