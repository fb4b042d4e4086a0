"""The history of a contract's terms: its versions, and what changed between two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.domain.difference import differences
from contracts.store import contracts as store
from msp_kernel.periods import day_of
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

Row = Mapping[str, Any]


async def versions(tx: Transaction, contract_id: UUID) -> list[dict[str, Any]]:
    """Return the versions of a contract, oldest first, each with what it changed.

    Raises:
        NotFound: there is no such contract.
    """
    head, rows = await _loaded(tx, contract_id)
    today = day_of(tx.now, rows[-1]["terms"]["calendar"]["timezone"])
    found = []
    for n, row in enumerate(rows):
        ends_on = rows[n + 1]["effective_from"] if n + 1 < len(rows) else head["ends_on"]
        if ends_on == row["effective_from"]:
            state = "replaced"
        elif row["effective_from"] > today or head["status"] == "draft":
            state = "future"
        else:
            state = "past" if ends_on is not None and ends_on <= today else "in_force"
        before = rows[n - 1]["terms"] if n else row["terms"]
        found.append(
            {
                "version": row["version"],
                "effective_from": row["effective_from"],
                "effective_to": ends_on,
                "state": state,
                "recorded_at": row["recorded_at"],
                "actor": row["actor"],
                "changes": differences(before, row["terms"], currency=head["currency"]),
            }
        )
    return found


async def version(tx: Transaction, contract_id: UUID, number: int) -> Row:
    """Return one version of a contract with its terms.

    Raises:
        NotFound: there is no such contract or version.
    """
    _, rows = await _loaded(tx, contract_id)
    return _numbered(rows, number)


async def diff(tx: Transaction, contract_id: UUID, *, before: int, after: int) -> dict[str, Any]:
    """Return what changed between two versions of a contract.

    Raises:
        NotFound: there is no such contract, or it does not have both versions.
    """
    head, rows = await _loaded(tx, contract_id)
    old, new = _numbered(rows, before), _numbered(rows, after)
    return {
        "from_version": before,
        "to_version": after,
        "changes": differences(old["terms"], new["terms"], currency=head["currency"]),
    }


async def _loaded(tx: Transaction, contract_id: UUID) -> tuple[Row, Sequence[Row]]:
    head = await store.head(tx, contract_id)
    if head is None:
        raise NotFound
    return head, (await store.versions(tx, [contract_id]))[contract_id]


def _numbered(rows: Sequence[Row], number: int) -> Row:
    for row in rows:
        if row["version"] == number:
            return row
    raise NotFound(f"there is no version {number}; there are {', '.join(str(row['version']) for row in rows)}")
