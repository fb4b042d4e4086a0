"""Guards taken away one at a time. Each mutant is a way in which this code could be wrong; the matrix must notice."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
import canaries
import links
import pytest
from joserfc import jws, jwt
from matrix import Report, Stage

from billing.store import payments
from msp_kernel.ids import new_id
from msp_kit import identity
from msp_kit.database import Scope
from portal_gateway import forward, guard, live, scope
from portal_gateway.actions import mailing, notes
from portal_gateway.sealing import Sealer
from portal_gateway.store import digest, people

Mutant = Callable[[Stage, pytest.MonkeyPatch], AbstractAsyncContextManager[None]]


def patched(change: Callable[[Stage, pytest.MonkeyPatch], None]) -> Mutant:
    @contextlib.asynccontextmanager
    async def mutate(stage: Stage, patch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        change(stage, patch)
        yield

    return mutate


def without_policies(service: str, *tables: str) -> Mutant:
    @contextlib.asynccontextmanager
    async def mutate(stage: Stage, _patch: pytest.MonkeyPatch) -> AsyncIterator[None]:
        connection = await asyncpg.connect(stage.n.services[service].superuser_url)
        try:
            for table in tables:
                await connection.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
            yield
        finally:
            for table in tables:
                await connection.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
            await connection.close()

    return mutate


def believes_any(claim: str) -> Mutant:
    """Skip the check of one claim: what the token says is taken for what is wanted."""
    original = jwt.decode

    def change(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
        verify = identity.Verifier.verify

        def lenient(self: identity.Verifier, token: str | None, *, method: str, target: str, body: bytes) -> Any:
            wanted = {"htm": method, "htu": target, "bod": identity.body_digest(body), "aud": self._audience}

            def decode(*arguments: Any, **more: Any) -> Any:
                decoded = original(*arguments, **more)
                decoded.claims[claim] = wanted[claim]
                return decoded

            with pytest.MonkeyPatch.context() as inner:
                inner.setattr(jwt, "decode", decode)
                return verify(self, token, method=method, target=target, body=body)

        patch.setattr(identity.Verifier, "verify", lenient)

    return patched(change)


def _any_signature(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    class Decoded:
        def __init__(self, token: str) -> None:
            found = jws.extract_compact(token.encode())
            self.header, self.claims = found.protected, json.loads(found.payload)

    patch.setattr(jwt, "decode", lambda token, *_, **__: Decoded(token))


def _any_role(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity.Access, "check", lambda *_, **__: None)


def _no_csrf(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    for module in (forward, guard):
        patch.setattr(module, "check_csrf", lambda *_, **__: None)


def _any_scope(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(scope.Visitor, "check", lambda *_, **__: None)


def _staff_scope(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    everything = property(lambda self: Scope(role="staff", client_id=None, actor=str(self.id)))
    patch.setattr(identity.Caller, "scope", everything)


def _always_fresh(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity.Caller, "is_fresh", property(lambda _self: True, lambda *_: None), raising=False)


def _long_lives(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(identity, "LEEWAY_SECONDS", 10**6)


def _writes_while_viewing(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    check = identity.Access.check

    def lenient(self: identity.Access, caller: identity.Caller, *, method: str) -> None:
        del method
        check(self, caller, method="GET")

    patch.setattr(identity.Access, "check", lenient)
    patch.setattr(scope, "SAFE_METHODS", frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"}))
    patch.setattr("portal_gateway.services.SAFE_METHODS", frozenset({"GET", "POST", "PATCH", "PUT", "DELETE"}))
    del stage


def _remembers_for_ever(stage: Stage, patch: pytest.MonkeyPatch) -> None:
    """Keep what was known of a session when it was good."""
    visitors = stage.n.app.state.visitors
    admin = identity.Caller(id=new_id(), kind="staff", roles=frozenset(("admin",)), client_id=None, name="x")
    for token in stage.actors.bad.values():
        visitors._known[token] = (0.0, scope.Visitor(admin, email="", csrf_token="", has_cookie=False))
    patch.setattr(scope, "CACHE_SECONDS", 1e12)


MUTANTS: dict[str, tuple[tuple[str, ...], Mutant]] = {
    "a service without the policies of tickets": (
        ("foreign ids", "answers"),
        without_policies("tickets", "tickets", "messages"),
    ),
    "a service without the policies of contracts": (
        ("foreign ids", "answers"),
        without_policies("contracts", "contracts", "clients"),
    ),
    "a service that gives clients the staff's role in the database": (
        ("foreign ids", "answers", "foreign filters"),
        patched(_staff_scope),
    ),
    "tokens for another service are believed": (("direct",), believes_any("aud")),
    "tokens for another method are believed": (("direct",), believes_any("htm")),
    "tokens for another path are believed": (("direct",), believes_any("htu")),
    "tokens for another body are believed": (("direct",), believes_any("bod")),
    "signatures are not checked": (("direct",), patched(_any_signature)),
    "tokens live for ever": (("direct",), patched(_long_lives)),
    "roles are not checked": (("roles",), patched(_any_role)),
    "CSRF tokens are not checked": (("csrf",), patched(_no_csrf)),
    "scopes of keys and required second factors are not checked": (("keys", "second factor"), patched(_any_scope)),
    "everybody counts as having proved lately who they are": (("step-up",), patched(_always_fresh)),
    "who views as a client may write": (("read only",), patched(_writes_while_viewing)),
    "sessions that ended are remembered": (("credentials",), patched(_remembers_for_ever)),
}


def _hears_everything(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(live, "may_hear", lambda *_: True)


def _hears_what_is_for_staff(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    patch.setattr(notes, "is_for_clients", lambda *_: True)


def _hears_any_inbox(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    may_hear = live.may_hear
    patch.setattr(
        live, "may_hear", lambda visitor, signal: signal.topic.startswith(live.INBOX) or may_hear(visitor, signal)
    )


def _opens_ended_links(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    async def linked(tx: Any, *, token_sha256: str) -> Any:
        return await tx.fetchval("SELECT invoice_id FROM invoice_links WHERE token_sha256 = $1", token_sha256)

    patch.setattr(payments, "linked_invoice", linked)


def _opens_with_anything(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    async def linked(tx: Any, *, token_sha256: str) -> Any:
        del token_sha256
        return await tx.fetchval("SELECT invoice_id FROM invoice_links ORDER BY invoice_id LIMIT 1")

    patch.setattr(payments, "linked_invoice", linked)


def _stops_any_mail(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    def believe(_house: Any, token: str) -> UUID | None:
        with contextlib.suppress(ValueError):
            return UUID(bytes=base64.b64decode(token + "==", altchars=b"-_"))
        return None

    patch.setattr(mailing, "unsubscribing", believe)


def _seals_for_any_purpose(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    seal, unseal = Sealer.seal, Sealer.open
    patch.setattr(Sealer, "seal", lambda self, secret, **_: seal(self, secret, purpose="any"))
    patch.setattr(Sealer, "open", lambda self, sealed, **_: unseal(self, sealed, purpose="any"))


def _links_are_good_for_ever(_stage: Stage, patch: pytest.MonkeyPatch) -> None:
    async def take(tx: Any, token: str) -> Any:
        return await tx.fetchval("SELECT person_id FROM password_tickets WHERE token_sha256 = $1", digest(token))

    patch.setattr(people, "take_ticket", take)


async def _link_checks(stage: Stage) -> Report:
    return await links.hosted(stage, await links.links(stage))


async def _of_ours(check: Callable[..., Any], stage: Stage) -> Report:
    report: Report = await check(stage, stage.actors.ours)
    return report


CANARY_MUTANTS: dict[str, tuple[str, Callable[[Stage], Any], Mutant]] = {
    "open pages hear what happens to everybody": ("live", canaries.live, patched(_hears_everything)),
    "open pages of clients hear what is for staff": ("live", canaries.live, patched(_hears_what_is_for_staff)),
    "open pages hear of anybody's inbox": ("live", canaries.live, patched(_hears_any_inbox)),
    "the list of events without its policy": (
        "events",
        partial(_of_ours, canaries.events),
        without_policies("portal-gateway", "feed"),
    ),
    "a service without the policies of files": (
        "files",
        partial(_of_ours, canaries.files),
        without_policies("tickets", "attachments", "tickets"),
    ),
    "documents of billing without the policies of invoices": (
        "files",
        partial(_of_ours, canaries.files),
        without_policies("billing", "invoices", "documents"),
    ),
    "search without the policies of tickets": (
        "search",
        partial(_of_ours, canaries.search),
        without_policies("tickets", "tickets", "messages", "clients"),
    ),
    "links to invoices never end": ("hosted invoices", _link_checks, patched(_opens_ended_links)),
    "any link opens an invoice": ("hosted invoices", _link_checks, patched(_opens_with_anything)),
    "who knows an id stops somebody's mail": ("mail links", links.mail_links, patched(_stops_any_mail)),
    "what was sealed for one purpose is good for another": (
        "mail links",
        links.mail_links,
        patched(_seals_for_any_purpose),
    ),
    "links to choose a password are good for ever": (
        "mail links",
        links.mail_links,
        patched(_links_are_good_for_ever),
    ),
}
"""Newer parts of the wall: the family that notices, what is tried, and the guard that is taken away."""
