"""Authenticator apps, recovery codes, passkeys, challenges, and who must have a second factor."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from portal_gateway.store import digest


async def app(tx: Transaction, person_id: UUID) -> Any:
    """Return the authenticator app of a person, and keep others from using it until commit."""
    return await tx.fetchrow(
        "SELECT secret_sealed, confirmed_at, used_step FROM authenticator_apps WHERE person_id = $1 FOR UPDATE",
        person_id,
    )


async def add_app(tx: Transaction, *, person_id: UUID, secret_sealed: bytes) -> bool:
    """Save an app that is not confirmed yet; ``False`` when there is a confirmed one."""
    return bool(
        await tx.fetchval(
            "INSERT INTO authenticator_apps AS a (person_id, secret_sealed) VALUES ($1, $2)"
            " ON CONFLICT (person_id) DO UPDATE SET secret_sealed = excluded.secret_sealed, used_step = 0"
            " WHERE a.confirmed_at IS NULL RETURNING true",
            person_id,
            secret_sealed,
        )
    )


async def use_app(tx: Transaction, *, person_id: UUID, step: int) -> None:
    """Note the step of a code that was used: it is not good a second time. The first one confirms the app."""
    await tx.driver.execute(
        "UPDATE authenticator_apps SET used_step = $2, confirmed_at = coalesce(confirmed_at, $3) WHERE person_id = $1",
        person_id,
        step,
        tx.now,
    )


async def remove_app(tx: Transaction, person_id: UUID) -> None:
    """Forget the app of a person."""
    await tx.driver.execute("DELETE FROM authenticator_apps WHERE person_id = $1", person_id)


async def save_recovery_codes(tx: Transaction, *, person_id: UUID, codes: Sequence[str]) -> None:
    """Save new recovery codes; the old ones are no longer good."""
    await tx.driver.execute("DELETE FROM recovery_codes WHERE person_id = $1", person_id)
    await tx.driver.executemany(
        "INSERT INTO recovery_codes (code_sha256, person_id) VALUES ($1, $2)",
        [(digest(f"{person_id}{code}"), person_id) for code in codes],
    )


async def use_recovery_code(tx: Transaction, *, person_id: UUID, code: str) -> bool:
    """Take a recovery code away; ``False`` when it is not one of the person's."""
    return bool(
        await tx.fetchval(
            "DELETE FROM recovery_codes WHERE code_sha256 = $1 AND person_id = $2 RETURNING true",
            digest(f"{person_id}{code}"),
            person_id,
        )
    )


async def overview(tx: Transaction, person_id: UUID) -> tuple[bool, int, int]:
    """Return whether a person has an app, how many passkeys, and how many recovery codes are left."""
    row = await tx.fetchrow(
        "SELECT EXISTS (SELECT FROM authenticator_apps WHERE person_id = $1 AND confirmed_at IS NOT NULL) AS has_app,"
        " (SELECT count(*) FROM passkeys WHERE person_id = $1) AS passkeys,"
        " (SELECT count(*) FROM recovery_codes WHERE person_id = $1) AS codes",
        person_id,
    )
    assert row is not None
    return row["has_app"], row["passkeys"], row["codes"]


async def remove_all(tx: Transaction, person_id: UUID) -> None:
    """Forget every second factor of a person."""
    for table in ("authenticator_apps", "recovery_codes", "passkeys"):
        await tx.driver.execute(f"DELETE FROM {table} WHERE person_id = $1", person_id)


async def add_challenge(
    tx: Transaction, *, challenge: bytes, person_id: UUID | None, purpose: str, expires_at: datetime
) -> None:
    """Save a challenge that waits for its answer."""
    await tx.driver.execute(
        "INSERT INTO challenges (challenge, person_id, purpose, expires_at) VALUES ($1, $2, $3, $4)",
        challenge,
        person_id,
        purpose,
        expires_at,
    )


async def take_challenge(tx: Transaction, *, challenge: bytes, person_id: UUID | None, purpose: str) -> bool:
    """Take a challenge away; ``False`` when it was not ours, too old, or answered before."""
    return bool(
        await tx.fetchval(
            "DELETE FROM challenges WHERE challenge = $1 AND person_id IS NOT DISTINCT FROM $2 AND purpose = $3"
            " AND expires_at > $4 RETURNING true",
            challenge,
            person_id,
            purpose,
            tx.now,
        )
    )


async def add_passkey(
    tx: Transaction,
    *,
    passkey_id: UUID,
    credential_id: bytes,
    person_id: UUID,
    public_key: bytes,
    sign_count: int,
    name: str,
) -> bool:
    """Save a passkey; ``False`` when it is known already."""
    return bool(
        await tx.fetchval(
            "INSERT INTO passkeys (credential_id, id, person_id, public_key, sign_count, name, created_at)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING true",
            credential_id,
            passkey_id,
            person_id,
            public_key,
            sign_count,
            name,
            tx.now,
        )
    )


async def passkey(tx: Transaction, credential_id: bytes) -> Any:
    """Return a passkey, and keep others from using it until commit."""
    return await tx.fetchrow(
        "SELECT person_id, public_key, sign_count FROM passkeys WHERE credential_id = $1 FOR UPDATE", credential_id
    )


async def use_passkey(tx: Transaction, *, credential_id: bytes, sign_count: int) -> None:
    """Note how often a passkey says it was used."""
    await tx.driver.execute(
        "UPDATE passkeys SET sign_count = $2, used_at = $3 WHERE credential_id = $1", credential_id, sign_count, tx.now
    )


async def passkeys(tx: Transaction, person_id: UUID) -> Sequence[Any]:
    """Return the passkeys of a person, oldest first."""
    return await tx.fetch(
        "SELECT id, credential_id, name, created_at, used_at FROM passkeys WHERE person_id = $1 ORDER BY created_at, id"
        " LIMIT 50",
        person_id,
    )


async def remove_passkey(tx: Transaction, *, person_id: UUID, passkey_id: UUID) -> bool:
    """Forget a passkey; ``False`` when it is not the person's."""
    return bool(
        await tx.fetchval("DELETE FROM passkeys WHERE id = $1 AND person_id = $2 RETURNING true", passkey_id, person_id)
    )


async def is_required(tx: Transaction, audience: str) -> bool:
    """Return whether an audience (``staff`` or a client's id) must have a second factor."""
    return bool(await tx.fetchval("SELECT is_required FROM second_factor_policies WHERE audience = $1", audience))


async def require(tx: Transaction, *, audience: str, is_required: bool) -> None:
    """Save whether an audience must have a second factor."""
    await tx.driver.execute(
        "INSERT INTO second_factor_policies (audience, is_required) VALUES ($1, $2)"
        " ON CONFLICT (audience) DO UPDATE SET is_required = excluded.is_required",
        audience,
        is_required,
    )
