"""Signing in through an identity provider: people come into being with their first visit, with mapped roles."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from msp_events.portal import PersonUpdated
from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Conflict, NotFound
from portal_gateway.actions import people as verbs, sign_in
from portal_gateway.actions.notes import note
from portal_gateway.actions.sign_in import Origin, SignedIn
from portal_gateway.house import House
from portal_gateway.person import Person, check_roles
from portal_gateway.store import keys as store, people, sessions

VISIT_LIFE = timedelta(minutes=10)


class NotLetIn(Exception):
    """The identity provider knows the person, but no role here goes with what it says of them."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Somebody who was sent to a provider."""

    provider: Any
    secret: str
    state: str
    nonce: str
    verifier: str
    next_path: str


async def add(
    tx: Transaction,
    caller: Caller,
    *,
    client_id: UUID | None,
    slug: str,
    name: str,
    issuer: str,
    oauth_client_id: str,
    oauth_client_secret: str,
    role_claim: str,
    role_map: dict[str, str],
    house: House,
) -> UUID:
    """Register a provider for a client, or for the staff.

    Raises:
        NotFound: a client's administrator named another client.
        UnknownRole: the map names a role there is not.
        Conflict: the short name is taken.
    """
    if caller.kind == "client" and client_id not in (None, caller.client_id):
        raise NotFound
    of_client_id = caller.client_id or client_id
    kind = "client" if of_client_id else "staff"
    check_roles(kind, tuple(role_map.values()))
    provider_id = new_id()
    is_new = await store.add_provider(
        tx,
        provider_id=provider_id,
        kind=kind,
        client_id=of_client_id,
        slug=slug,
        name=name,
        issuer=issuer,
        oauth_client_id=oauth_client_id,
        secret_sealed=house.sealer.seal(oauth_client_secret.encode(), purpose=f"provider {provider_id}"),
        role_claim=role_claim,
        role_map=role_map,
    )
    if not is_new:
        raise Conflict(f"the short name {slug} is taken")
    await note(tx, actor=caller.id, action="identity-provider-added", what=provider_id, client_id=of_client_id)
    return provider_id


async def listed(tx: Transaction, caller: Caller, *, client_id: UUID | None) -> Sequence[Any]:
    """Return the providers of the caller's side; staff may ask for those of a client.

    Raises:
        NotFound: a client's administrator named another client.
    """
    if caller.kind == "client" and client_id not in (None, caller.client_id):
        raise NotFound
    of_client_id = caller.client_id or client_id
    return await store.providers(tx, kind="client" if of_client_id else "staff", client_id=of_client_id)


async def of_staff(tx: Transaction) -> Sequence[Any]:
    """Return the providers staff may sign in with."""
    return [one for one in await store.providers(tx, kind="staff", client_id=None) if one["is_active"]]


async def begin(tx: Transaction, *, slug: str, next_path: str, house: House) -> Visit:
    """Note that somebody is sent to a provider.

    Raises:
        NotFound: there is no such provider.
    """
    provider = await store.provider(tx, slug=slug)
    if provider is None:
        raise NotFound
    state, nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
    await store.add_visit(
        tx,
        state=state,
        provider_id=provider["id"],
        nonce=nonce,
        verifier=verifier,
        next_path=next_path,
        expires_at=tx.now + VISIT_LIFE,
    )
    return _visit(provider, state, nonce, verifier, next_path, house)


async def returned(tx: Transaction, *, state: str, house: House) -> Visit | None:
    """Return the visit somebody comes back from; a state is good once."""
    row = await store.take_visit(tx, state)
    provider = None if row is None else await store.provider(tx, provider_id=row["provider_id"])
    if provider is None:
        return None
    return _visit(provider, state, row["nonce"], row["verifier"], row["next_path"], house)


async def welcome(tx: Transaction, provider: Any, claims: dict[str, Any], *, origin: Origin) -> SignedIn:
    """Start a session for whom the provider means; a new person is made, a known one has the roles of today.

    Raises:
        NotLetIn: no role goes with what the provider says, the person was shut out, or the address is somebody else's.
    """
    roles = _roles(provider, claims)
    issuer, subject = provider["issuer"], claims["sub"]
    person = await people.by_identity(tx, issuer=issuer, subject=subject)
    if person is None:
        person = await _join(tx, provider, claims, roles)
        await people.add_identity(tx, issuer=issuer, subject=subject, person_id=person.id)
    # An issuer that two sides use speaks for each side about its own people only.
    if not person.is_active or (person.kind, person.of_client_id) != (provider["kind"], provider["of_client_id"]):
        raise NotLetIn("there is no account for you here")
    if person.roles != roles:
        person = replace(person, roles=roles, revision=person.revision + 1)
        await people.save(tx, person)
        await sessions.end_all(tx, person_id=person.id)
        await record(tx, PersonUpdated(**verbs.state_of(tx, person)))
    return await sign_in.start(tx, person, proofs=("provider",), origin=origin)


async def _join(tx: Transaction, provider: Any, claims: dict[str, Any], roles: tuple[str, ...]) -> Person:
    email = str(claims.get("email", "")).strip().lower()
    if "@" not in email or len(email) > 254:
        raise NotLetIn("the identity provider does not say your e-mail address")
    try:
        return await verbs.add_person(
            tx,
            kind=provider["kind"],
            client_id=provider["of_client_id"],
            email=email,
            display_name=str(claims.get("name") or email.partition("@")[0])[:120],
            roles=roles,
            password=None,
            actor=f"provider {provider['slug']}",
        )
    except verbs.EmailTaken as error:
        # Never linked by an address: whoever runs a provider could claim anybody's.
        raise NotLetIn("there is another account with your e-mail address; ask an administrator") from error


def _roles(provider: Any, claims: dict[str, Any]) -> tuple[str, ...]:
    said = claims.get(provider["role_claim"], [])
    values = [str(one) for one in said] if isinstance(said, list) else [str(said)]
    mapped = provider["role_map"]
    found = {mapped[one] for one in [*values, "*"] if one in mapped}
    if not found:
        raise NotLetIn("no role here goes with what your identity provider says of you")
    return check_roles(provider["kind"], tuple(found))


def _visit(provider: Any, state: str, nonce: str, verifier: str, next_path: str, house: House) -> Visit:
    secret = house.sealer.open(provider["secret_sealed"], purpose=f"provider {provider['id']}").decode()
    return Visit(provider, secret, state, nonce, verifier, next_path)
