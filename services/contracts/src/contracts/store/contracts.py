"""Contracts with their versions, as domain values and as stored terms."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, update

from contracts.domain.contract import Contract, Rate, Terms, Weight
from contracts.domain.promises import rules_of
from contracts.domain.rollover import Rollover
from contracts.domain.rounding import Rounding
from contracts.store.rows import Row, all_rows, maybe_row
from contracts.tables import contract_versions, contracts
from msp_kernel.business_time import Calendar
from msp_kernel.periods import midnight
from msp_kit.database import Transaction

_CACHE: dict[UUID, tuple[int, Contract]] = {}
"""Parsed contracts of this process by id, with the revision they were parsed from."""
_CACHE_SIZE_MAX = 20_000
# What this transaction has changed itself (it, or a savepoint of it, wrote the row: no age) may yet be rolled back, and
# its revision be given to other terms.
_HEADS = "SELECT *, age(xmin) > 0 AS is_committed FROM contracts WHERE id = ANY($1)"


async def next_ref(tx: Transaction) -> str:
    """Return the next free contract ref, ``C-0001`` and up."""
    number = await tx.fetchval("SELECT nextval('contract_refs')")
    return f"C-{number:04}"


async def insert_contract(tx: Transaction, head: Mapping[str, Any]) -> None:
    """Save a new draft."""
    await tx.execute(insert(contracts).values(**head))


async def insert_version(tx: Transaction, version: Mapping[str, Any]) -> None:
    """Save a new version of a contract's terms."""
    await tx.execute(insert(contract_versions).values(**version))


async def update_contract(tx: Transaction, contract_id: UUID, **changes: Any) -> None:
    """Change the head of a contract; its revision grows."""
    statement = update(contracts).where(contracts.c.id == contract_id)
    await tx.execute(statement.values(revision=contracts.c.revision + 1, **changes))


async def update_draft_terms(tx: Transaction, contract_id: UUID, terms: Mapping[str, Any]) -> None:
    """Replace the terms of a draft; the database refuses it for anything else."""
    statement = update(contract_versions).where(contract_versions.c.contract_id == contract_id)
    await tx.execute(statement.values(terms=terms))


async def move_draft_lots(tx: Transaction, contract_id: UUID, *, timezone: str) -> None:
    """Let the days of lots that are not granted yet begin in another zone."""
    await tx.driver.execute(
        "UPDATE lots SET starts_at = valid_from::timestamp AT TIME ZONE $2, ends_at = expires_on::timestamp AT TIME ZONE $2"
        " WHERE contract_id = $1 AND NOT is_granted",
        contract_id,
        timezone,
    )


async def head(tx: Transaction, contract_id: UUID, *, is_locked: bool = False) -> Row | None:
    """Return the head of a contract; ``is_locked`` keeps others from changing it."""
    statement = select(contracts).where(contracts.c.id == contract_id)
    found = await tx.execute(statement.with_for_update() if is_locked else statement)
    return maybe_row(found)


async def versions(tx: Transaction, contract_ids: Iterable[UUID]) -> dict[UUID, list[Row]]:
    """Return all versions of contracts, oldest first."""
    rows = await tx.fetch(
        "SELECT * FROM contract_versions WHERE contract_id = ANY($1) ORDER BY contract_id, effective_from, version",
        list(contract_ids),
    )
    found: dict[UUID, list[Row]] = {}
    for row in rows:
        found.setdefault(row["contract_id"], []).append(row)
    return found


async def other_claims(tx: Transaction, head: Row) -> list[Row]:
    """Return the heads of the other active contracts of the client of one, each with its newest terms."""
    rows = await tx.execute(
        select(contracts)
        .where(contracts.c.client_id == head["client_id"], contracts.c.status == "active")
        .where(contracts.c.id != head["id"])
        .order_by(contracts.c.ref)
    )
    others = all_rows(rows)
    known = await versions(tx, [one["id"] for one in others])
    return [{**one, "terms": known[one["id"]][-1]["terms"]} for one in others]


async def of_client(tx: Transaction, client_id: UUID, *, at: datetime) -> list[Contract]:
    """Return the contracts of a client that are in force around an instant."""
    rows = await tx.fetch(
        "SELECT id, revision FROM contracts WHERE client_id = $1 AND status <> 'draft' AND starts_on <= $2"
        " AND (ends_on IS NULL OR ends_on >= $3) ORDER BY ref LIMIT 50",
        client_id,
        at.date() + timedelta(days=1),
        at.date() - timedelta(days=1),
    )
    found = await parsed(tx, {row["id"]: row["revision"] for row in rows})
    return [found[row["id"]] for row in rows]


async def ref_is_taken(tx: Transaction, ref: str) -> bool:
    """Return whether a contract has this ref."""
    found = await tx.execute(select(contracts.c.id).where(contracts.c.ref == ref))
    return found.first() is not None


async def client_code(tx: Transaction, client_id: UUID) -> str | None:
    """Return the code of a client, ``None`` when there is no such client."""
    code: str | None = await tx.fetchval("SELECT code FROM clients WHERE client_id = $1", client_id)
    return code


async def contract(tx: Transaction, contract_id: UUID) -> Contract | None:
    """Return a contract with all its versions, ``None`` when there is none (or none that may be seen)."""
    revision = await tx.fetchval("SELECT revision FROM contracts WHERE id = $1", contract_id)
    if revision is None:
        return None
    return (await parsed(tx, {contract_id: revision}))[contract_id]


async def parsed(tx: Transaction, revisions: Mapping[UUID, int]) -> dict[UUID, Contract]:
    """Return contracts of known revisions; those this process has seen cost nothing."""
    found: dict[UUID, Contract] = {}
    missing: list[UUID] = []
    for contract_id, revision in revisions.items():
        cached = _CACHE.get(contract_id)
        if cached is not None and cached[0] == revision:
            found[contract_id] = cached[1]
        else:
            missing.append(contract_id)
    if missing:
        heads = await tx.fetch(_HEADS, missing)
        of_contract = await versions(tx, missing)
        for row in heads:
            made = contract_of(row, of_contract[row["id"]])
            found[made.id] = made
            if row["is_committed"]:
                if len(_CACHE) >= _CACHE_SIZE_MAX:
                    _CACHE.clear()
                _CACHE[made.id] = (row["revision"], made)
    return found


def contract_of(row: Row, of_contract: Sequence[Row]) -> Contract:
    """Return the domain value of stored rows; ``of_contract`` are its versions, oldest first."""
    timezone = of_contract[-1]["terms"]["calendar"]["timezone"]
    ends_on: date | None = row["ends_on"]
    # A later version of the same day replaces the one before it: the last that is in force counts.
    return Contract(
        id=row["id"],
        client_id=row["client_id"],
        ref=row["ref"],
        kind=row["kind"],
        status=row["status"],
        currency=row["currency"],
        starts_at=midnight(row["starts_on"], timezone),
        ends_at=None if ends_on is None else midnight(ends_on, timezone),
        versions=tuple(terms_of(one) for one in of_contract),
        priority=row["priority"],
    )


def terms_of(row: Row) -> Terms:
    """Return the domain value of a stored version."""
    terms = row["terms"]
    return Terms(
        version=row["version"],
        effective_at=midnight(row["effective_from"], terms["calendar"]["timezone"]),
        job_types=frozenset(terms["job_types"]),
        levels=frozenset(terms["levels"]),
        calendar=Calendar.from_json(terms["calendar"]),
        rounding=Rounding(**terms["rounding"]),
        weights=tuple(Weight(**one) for one in terms["weights"]),
        policy=terms["exhaustion_policy"],
        non_billable_job_types=frozenset(terms["non_billable_job_types"]),
        rate_card_version=terms["rate_card_version"],
        rates=tuple(Rate(**one) for one in terms["rates"]),
        overage_rates=tuple(Rate(**one) for one in terms["overage_rates"]),
        multiplier_applies_to_overage=terms["multiplier_applies_to_overage"],
        # Versions from before these terms existed do without them.
        rollover=Rollover(**terms["rollover"]) if terms.get("rollover") else None,
        bucket_thresholds_percent=tuple(terms.get("bucket_thresholds_percent", (75, 90, 100))),
        targets=rules_of(terms["targets"]),
    )


async def retainers_without_lot(tx: Transaction, *, limit: int) -> list[UUID]:
    """Return active retainers that lack the lot of a month that has begun in their zone, and lock them."""
    rows = await tx.fetch(
        """
        SELECT c.id
          FROM contracts c
          CROSS JOIN LATERAL (
              SELECT ($1 AT TIME ZONE (v.terms -> 'calendar' ->> 'timezone'))::date AS today
                FROM contract_versions v WHERE v.contract_id = c.id
               ORDER BY v.effective_from DESC, v.version DESC LIMIT 1) AS z
         WHERE c.kind = 'retainer' AND c.status = 'active' AND c.starts_on <= z.today
           AND (SELECT coalesce(max(l.valid_from), '-infinity') FROM lots l
                 WHERE l.contract_id = c.id AND l.origin = 'retainer')
               < date_trunc('month', least(z.today, c.ends_on - 1))::date
         ORDER BY c.id LIMIT $2 FOR UPDATE OF c SKIP LOCKED
        """,
        tx.now,
        limit,
    )
    return [row["id"] for row in rows]


async def overdue(tx: Transaction, *, limit: int) -> list[UUID]:
    """Return active contracts whose last day may be over somewhere, and lock them."""
    rows = await tx.fetch(
        "SELECT id FROM contracts WHERE status = 'active' AND ends_on <= $1"
        " ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED",
        tx.now.date() + timedelta(days=1),
        limit,
    )
    return [row["id"] for row in rows]
