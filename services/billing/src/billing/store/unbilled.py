"""The work that waits for its invoice: a narrow row for each posted entry on none, with the text an invoice lists it with.

Prices are asked for work added up, and the database writes the entries of a draft from their own texts: however many they
are, none of them passes through this process.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from billing.domain.invoice import Control
from billing.domain.work import Ask, Summed, Work, asks_of, entry_of
from billing.store.canonical import canonical
from msp_kit.database import Transaction


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries of a client that wait for their invoice, added up.

    ``rows`` names them as they were when they were read, in the words of the database: nobody else looks into it.
    """

    control: Control
    summed: Summed
    rows: str


NOTHING = Waiting(Control.of(()), Summed({}, {}), "{}")


async def forget_older(tx: Transaction, revisions: Iterable[tuple[UUID, int]]) -> None:
    """Delete the rows of entries of which there is a newer revision.

    First of all: a draft that is just taking one of them is waited for, and what is looked up afterwards knows it.
    """
    ids, numbers = zip(*revisions, strict=True)
    await tx.driver.execute(
        "DELETE FROM unbilled u USING unnest($1::uuid[], $2::int[]) AS newer (id, revision)"
        " WHERE u.time_entry_id = newer.id AND u.revision < newer.revision",
        ids,
        numbers,
    )


async def add(tx: Transaction, works: Iterable[Work]) -> None:
    """Let entries wait again that are kept and on no invoice any more."""
    await tx.driver.executemany(
        "INSERT INTO unbilled (client_id, time_entry_id, revision, contract_id, worked_from, posted_at, worked_minutes,"
        " contract_version, asks, minutes, said)"
        " SELECT client_id, time_entry_id, revision, contract_id, worked_from, posted_at, worked_minutes, $2, $3, $4, $5"
        " FROM hours WHERE time_entry_id = $1",
        [(work.time_entry_id, *columns_of(work)) for work in works],
    )


def columns_of(work: Work) -> tuple[int, list[str], list[int], str]:
    """Return what is kept of an entry while it waits: contract version, what it asks for, the minutes, its text."""
    asked = list(asks_of(work))
    return (
        work.contract_version,
        [text_of(ask) for ask, _ in asked],
        [minutes for _, minutes in asked],
        canonical(entry_of(work)),
    )


async def waiting(tx: Transaction, *, client_id: UUID, before: datetime, first: int | None = None) -> Waiting:
    """Return the work of a client from before an instant that waits, or the ``first`` entries posted of it."""
    if first is None:
        return (await waiting_of(tx, client_ids=[client_id], before=before)).get(client_id, NOTHING)
    rows = await tx.fetch(
        _ADDED_UP.format(first="ORDER BY posted_at, time_entry_id LIMIT $3"), [client_id], before, first
    )
    return _waiting(rows).get(client_id, NOTHING)


async def waiting_of(tx: Transaction, *, client_ids: Sequence[UUID], before: datetime) -> dict[UUID, Waiting]:
    """Return the work of clients from before an instant that waits."""
    return _waiting(await tx.fetch(_ADDED_UP.format(first=""), client_ids, before))


# The same sums as Control.of and Summed.of.
_ADDED_UP = r"""
WITH chosen AS MATERIALIZED (
    SELECT client_id, n AS row, time_entry_id, contract_id, contract_version, worked_from, worked_minutes, asks, minutes
      FROM unbilled WHERE client_id = ANY($1) AND worked_from < $2 {first}
), asked AS (
    SELECT client_id, array_agg((first, ask, minutes)) AS asked
      FROM (SELECT client_id, asks[n] AS ask, min(worked_from) AS first, sum(minutes[n]) AS minutes
              FROM chosen, generate_subscripts(asks, 1) AS p (n) GROUP BY client_id, asks[n]) AS a
     GROUP BY client_id
), worked AS (
    SELECT client_id, array_agg((contract_id, contract_version, minutes)) AS worked
      FROM (SELECT client_id, contract_id, contract_version, sum(worked_minutes) AS minutes FROM chosen
             GROUP BY client_id, contract_id, contract_version) AS w
     GROUP BY client_id
), control AS (
    SELECT client_id, array_agg(row)::text AS rows, count(*) AS entry_count, sum(worked_minutes) AS worked_minutes,
           encode(sha256(string_agg(time_entry_id || ':' || worked_minutes || E'\n', '' ORDER BY time_entry_id)::bytea), 'hex')
             AS checksum
      FROM chosen GROUP BY client_id
)
SELECT * FROM control JOIN worked USING (client_id) LEFT JOIN asked USING (client_id)
"""


def _waiting(rows: Iterable[Any]) -> dict[UUID, Waiting]:
    return {
        row["client_id"]: Waiting(
            control=Control(row["entry_count"], row["worked_minutes"], row["checksum"]),
            summed=Summed.by_first(
                {(contract, version): minutes for contract, version, minutes in row["worked"]},
                ((first, _ask(text), minutes) for first, text, minutes in row["asked"] or ()),
            ),
            rows=row["rows"],
        )
        for row in rows
    }


def text_of(ask: Ask) -> str:
    """Return what some minutes ask a price for as it is kept beside them."""
    return orjson.dumps([str(ask.contract_id), *ask[1:]]).decode()


def _ask(text: str) -> Ask:
    contract_id, *others = orjson.loads(text)
    return Ask(UUID(contract_id), *others)
