"""Who bills and is billed: the seller, the profiles of clients, and what was agreed beside their contracts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from billing.domain.items import Charge, Credit
from msp_kit.database import Transaction


async def seller(tx: Transaction) -> dict[str, Any] | None:
    """Return the profile of the MSP, ``None`` when it was never given."""
    found: dict[str, Any] | None = await tx.fetchval("SELECT profile FROM seller")
    return found


async def save_seller(tx: Transaction, profile: dict[str, Any]) -> None:
    """Save the profile of the MSP."""
    await tx.driver.execute(
        "INSERT INTO seller AS s (revision, profile, changed_at, changed_by) VALUES (1, $1, $2, $3)"
        " ON CONFLICT (only_one) DO UPDATE SET revision = s.revision + 1, profile = excluded.profile,"
        " changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        orjson.dumps(profile).decode(),
        tx.now,
        tx.scope.actor,
    )


async def add_logo(tx: Transaction, *, sha256: str, media_type: str, body: bytes) -> None:
    """Save a logo by its hash; one that is known stays."""
    await tx.driver.execute(
        "INSERT INTO logos (sha256, media_type, body, added_at, added_by) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (sha256) DO NOTHING",
        sha256,
        media_type,
        body,
        tx.now,
        tx.scope.actor,
    )


async def logo(tx: Transaction, *, sha256: str) -> bytes | None:
    """Return a logo by its hash."""
    found: bytes | None = await tx.fetchval("SELECT body FROM logos WHERE sha256 = $1", sha256)
    return found


async def profile(tx: Transaction, *, client_id: UUID) -> dict[str, Any]:
    """Return the billing profile of a client; empty when it has none of its own."""
    found: dict[str, Any] | None = await tx.fetchval(
        "SELECT profile FROM billing_profiles WHERE client_id = $1", client_id
    )
    return found or {}


async def save_profile(tx: Transaction, *, client_id: UUID, profile: dict[str, Any]) -> None:
    """Save the billing profile of a client."""
    await tx.driver.execute(
        "INSERT INTO billing_profiles AS p (client_id, revision, profile, changed_at, changed_by) VALUES ($1, 1, $2, $3, $4)"
        " ON CONFLICT (client_id) DO UPDATE SET revision = p.revision + 1, profile = excluded.profile,"
        " changed_at = excluded.changed_at, changed_by = excluded.changed_by",
        client_id,
        orjson.dumps(profile).decode(),
        tx.now,
        tx.scope.actor,
    )


CHARGE = "id, contract_id, kind, text, quantity, amount_minor, basis_points, applies_to, frequency, starts_on, ends_on"


async def add_charge(tx: Transaction, *, client_id: UUID, charge: Charge) -> None:
    """Save a charge."""
    await tx.driver.execute(
        f"INSERT INTO charges (client_id, {CHARGE}, created_at, created_by)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
        client_id,
        *(getattr(charge, name) for name in CHARGE.split(", ")),
        tx.now,
        tx.scope.actor,
    )


async def end_charge(tx: Transaction, *, charge_id: UUID, ends_on: date) -> bool:
    """End a charge, or take it away when it would never have been due; return whether there is one."""
    found = await tx.fetchval(
        "WITH gone AS (DELETE FROM charges WHERE id = $1 AND starts_on >= $2 RETURNING id),"
        " ended AS (UPDATE charges SET ends_on = $2 WHERE id = $1 AND starts_on < $2 RETURNING id)"
        " SELECT count(*) FROM (SELECT id FROM gone UNION ALL SELECT id FROM ended) AS found",
        charge_id,
        ends_on,
    )
    return bool(found)


async def charges(tx: Transaction, *, client_id: UUID) -> list[Charge]:
    """Return the charges of a client."""
    rows = await tx.fetch(f"SELECT {CHARGE} FROM charges WHERE client_id = $1 ORDER BY starts_on, id", client_id)
    return [Charge(**row) for row in rows]


async def add_credit(tx: Transaction, *, client_id: UUID, credit: Credit) -> bool:
    """Save a credit; ``False`` when it is known already."""
    return bool(
        await tx.fetchval(
            "INSERT INTO credits (client_id, id, contract_id, currency, amount_minor, text, evidence, source, earned_on,"
            " created_at, created_by, basis_points) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
            " ON CONFLICT DO NOTHING RETURNING true",
            client_id,
            credit.id,
            credit.contract_id,
            credit.currency,
            credit.amount_minor,
            credit.text,
            orjson.dumps(list(credit.evidence)).decode(),
            credit.source,
            credit.earned_on,
            tx.now,
            tx.scope.actor,
            credit.basis_points,
        )
    )


async def credits_for(tx: Transaction, *, client_id: UUID, before: date, invoice_id: UUID | None) -> list[Credit]:
    """Return the credits of a client earned before a day that are on no invoice, and those of a draft made anew."""
    rows = await tx.fetch(
        "SELECT id, contract_id, currency, amount_minor, basis_points, text, evidence, source, earned_on FROM credits"
        " WHERE client_id = $1 AND status = 'open' AND earned_on < $2"
        " AND (invoice_id IS NULL OR invoice_id = $3) ORDER BY earned_on, id FOR UPDATE",
        client_id,
        before,
        invoice_id,
    )
    return [Credit(**{**dict(row), "evidence": tuple(row["evidence"])}) for row in rows]


async def bind_credits(tx: Transaction, *, invoice_id: UUID, credit_ids: Sequence[UUID]) -> None:
    """Put these credits on a draft, and no others."""
    await tx.driver.execute(
        "UPDATE credits SET invoice_id = CASE WHEN id = ANY($2) THEN $1 END WHERE invoice_id = $1 OR id = ANY($2)",
        invoice_id,
        credit_ids,
    )


async def withdraw_credit(tx: Transaction, *, credit_id: UUID) -> tuple[bool, UUID | None]:
    """Take back a credit that is on no issued invoice; return whether there is one, and the draft it was on."""
    row = await tx.fetchrow(
        "SELECT c.invoice_id FROM credits c LEFT JOIN invoices v ON v.client_id = c.client_id AND v.id = c.invoice_id"
        " WHERE c.id = $1 AND c.status = 'open' AND (v.id IS NULL OR v.status = 'draft') FOR UPDATE OF c",
        credit_id,
    )
    if row is None:
        return False, None
    await tx.driver.execute("UPDATE credits SET status = 'withdrawn', invoice_id = NULL WHERE id = $1", credit_id)
    return True, row["invoice_id"]


async def save_cost_rates(tx: Transaction, rates: Sequence[tuple[str, str, int]]) -> None:
    """Save what an hour of each level costs the MSP: (level, currency, minor units)."""
    await tx.driver.execute("DELETE FROM cost_rates")
    await tx.driver.executemany("INSERT INTO cost_rates (level, currency, rate_minor) VALUES ($1, $2, $3)", rates)
