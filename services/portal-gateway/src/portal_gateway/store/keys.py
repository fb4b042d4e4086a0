"""API keys and identity providers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from portal_gateway.store import digest

_VIEW = "id, name, kind, of_client_id, roles, scopes, made_by, created_at, expires_at, revoked_at, used_at"
_USED_EVERY = timedelta(seconds=60)


async def add(
    tx: Transaction,
    *,
    key_id: UUID,
    secret: str,
    name: str,
    kind: str,
    client_id: UUID | None,
    roles: Sequence[str],
    scopes: Sequence[str],
    made_by: UUID,
    expires_at: datetime,
) -> None:
    """Save a key; of its secret only the digest is kept."""
    await tx.driver.execute(
        "INSERT INTO api_keys (id, secret_sha256, name, kind, of_client_id, roles, scopes, made_by, created_at, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
        key_id,
        digest(secret),
        name,
        kind,
        client_id,
        list(roles),
        list(scopes),
        made_by,
        tx.now,
        expires_at,
    )


async def found(tx: Transaction, *, key_id: UUID, secret: str) -> Any:
    """Return a key that is good, and note that it was used. Whoever made it may be gone: the key belongs to the side."""
    row = await tx.fetchrow(
        "SELECT id, name, kind, of_client_id, roles, scopes, used_at FROM api_keys"
        " WHERE id = $1 AND secret_sha256 = $2 AND revoked_at IS NULL AND expires_at > $3",
        key_id,
        digest(secret),
        tx.now,
    )
    if row is not None and (row["used_at"] is None or row["used_at"] < tx.now - _USED_EVERY):
        await tx.driver.execute("UPDATE api_keys SET used_at = $2 WHERE id = $1", key_id, tx.now)
    return row


async def listed(tx: Transaction, *, kind: str, client_id: UUID | None) -> Sequence[Any]:
    """Return the keys of a side, newest first."""
    return await tx.fetch(
        f"SELECT {_VIEW} FROM api_keys WHERE kind = $1 AND of_client_id IS NOT DISTINCT FROM $2"
        " ORDER BY created_at DESC, id LIMIT 200",
        kind,
        client_id,
    )


async def revoke(tx: Transaction, *, key_id: UUID, kind: str, client_id: UUID | None) -> bool:
    """End a key of a side; ``False`` when it is not theirs."""
    return bool(
        await tx.fetchval(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $4)"
            " WHERE id = $1 AND kind = $2 AND of_client_id IS NOT DISTINCT FROM $3 RETURNING true",
            key_id,
            kind,
            client_id,
            tx.now,
        )
    )


async def add_provider(
    tx: Transaction,
    *,
    provider_id: UUID,
    kind: str,
    client_id: UUID | None,
    slug: str,
    name: str,
    issuer: str,
    oauth_client_id: str,
    secret_sealed: bytes,
    role_claim: str,
    role_map: dict[str, str],
) -> bool:
    """Save an identity provider; ``False`` when its short name is taken."""
    return bool(
        await tx.fetchval(
            "INSERT INTO identity_providers (id, kind, of_client_id, slug, name, issuer, oauth_client_id, secret_sealed,"
            " role_claim, role_map) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (slug) DO NOTHING"
            " RETURNING true",
            provider_id,
            kind,
            client_id,
            slug,
            name,
            issuer,
            oauth_client_id,
            secret_sealed,
            role_claim,
            json.dumps(role_map),
        )
    )


async def provider(tx: Transaction, *, slug: str | None = None, provider_id: UUID | None = None) -> Any:
    """Return a provider that is in use, by its short name or its id."""
    return await tx.fetchrow(
        "SELECT id, kind, of_client_id, slug, name, issuer, oauth_client_id, secret_sealed, role_claim, role_map"
        " FROM identity_providers WHERE (slug = $1 OR id = $2) AND is_active",
        slug,
        provider_id,
    )


async def providers(tx: Transaction, *, kind: str, client_id: UUID | None) -> Sequence[Any]:
    """Return the providers of a side."""
    return await tx.fetch(
        "SELECT id, slug, name, issuer, oauth_client_id, role_claim, role_map, is_active FROM identity_providers"
        " WHERE kind = $1 AND of_client_id IS NOT DISTINCT FROM $2 ORDER BY slug LIMIT 50",
        kind,
        client_id,
    )


async def add_visit(
    tx: Transaction, *, state: str, provider_id: UUID, nonce: str, verifier: str, next_path: str, expires_at: datetime
) -> None:
    """Save that somebody was sent to a provider."""
    await tx.driver.execute(
        "INSERT INTO provider_visits (state_sha256, provider_id, nonce, verifier, next_path, expires_at)"
        " VALUES ($1, $2, $3, $4, $5, $6)",
        digest(state),
        provider_id,
        nonce,
        verifier,
        next_path,
        expires_at,
    )


async def take_visit(tx: Transaction, state: str) -> Any:
    """Take a visit away, and return what was asked; ``None`` when nobody was sent with this state."""
    return await tx.fetchrow(
        "DELETE FROM provider_visits WHERE state_sha256 = $1 AND expires_at > $2"
        " RETURNING provider_id, nonce, verifier, next_path",
        digest(state),
        tx.now,
    )
