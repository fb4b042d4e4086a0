"""API keys: for programs of a client, or automation of the staff."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.problems import NotFound
from portal_gateway.actions.notes import note
from portal_gateway.person import check_roles
from portal_gateway.store import keys as store

PREFIX: Final = "mspk_"
AREAS = ("tickets", "sla", "contracts", "billing", "portal-gateway")
SCOPES = tuple(f"{area}:{verb}" for area in AREAS for verb in ("read", "write"))
LIFE_DAYS_MAX = 365


class UnknownScope(Exception):
    """The scope of an API key does not exist."""


@dataclass(frozen=True, slots=True)
class Key:
    """An API key that is good."""

    id: UUID
    name: str
    kind: str
    of_client_id: UUID | None
    roles: tuple[str, ...]
    scopes: frozenset[str]


async def make(
    tx: Transaction,
    caller: Caller,
    *,
    name: str,
    roles: tuple[str, ...],
    scopes: tuple[str, ...],
    life_days: int,
    client_id: UUID | None,
) -> tuple[UUID, str]:
    """Make a key, and return its id and its text, shown this once. Staff may make one for a client.

    Raises:
        UnknownRole, UnknownScope.
        NotFound: a client's administrator named another client.
    """
    _check_side(caller, client_id)
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown:
        raise UnknownScope(f"{', '.join(unknown)}: the scopes are {', '.join(SCOPES)}")
    of_client_id = caller.client_id or client_id
    kind = "client" if of_client_id else "staff"
    key_id, secret = new_id(), secrets.token_urlsafe(32)
    await store.add(
        tx,
        key_id=key_id,
        secret=secret,
        name=name,
        kind=kind,
        client_id=of_client_id,
        roles=check_roles(kind, roles),
        scopes=sorted(set(scopes)),
        made_by=caller.id,
        expires_at=tx.now + timedelta(days=min(life_days, LIFE_DAYS_MAX)),
    )
    await note(
        tx, actor=caller.id, action="api-key-made", what=key_id, client_id=of_client_id, scopes=sorted(set(scopes))
    )
    return key_id, f"{PREFIX}{key_id.hex}_{secret}"


async def find(tx: Transaction, text: str) -> Key | None:
    """Return the key of a text, when it is good."""
    number, _, secret = text.removeprefix(PREFIX).partition("_")
    try:
        key_id = UUID(hex=number)
    except ValueError:
        return None
    row = await store.found(tx, key_id=key_id, secret=secret)
    if row is None:
        return None
    return Key(
        id=row["id"],
        name=row["name"],
        kind=row["kind"],
        of_client_id=row["of_client_id"],
        roles=tuple(row["roles"]),
        scopes=frozenset(row["scopes"]),
    )


async def listed(tx: Transaction, caller: Caller, *, client_id: UUID | None) -> Sequence[Any]:
    """Return the keys of the caller's side; staff may ask for those of a client."""
    _check_side(caller, client_id)
    of_client_id = caller.client_id or client_id
    return await store.listed(tx, kind="client" if of_client_id else "staff", client_id=of_client_id)


async def revoke(tx: Transaction, caller: Caller, key_id: UUID, *, client_id: UUID | None) -> None:
    """End a key of the caller's side.

    Raises:
        NotFound: there is no such key there.
    """
    _check_side(caller, client_id)
    of_client_id = caller.client_id or client_id
    kind = "client" if of_client_id else "staff"
    if not await store.revoke(tx, key_id=key_id, kind=kind, client_id=of_client_id):
        raise NotFound
    await note(tx, actor=caller.id, action="api-key-revoked", what=key_id, client_id=of_client_id)


def _check_side(caller: Caller, client_id: UUID | None) -> None:
    if caller.kind == "client" and client_id not in (None, caller.client_id):
        raise NotFound
