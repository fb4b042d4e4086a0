"""Signing in and out, proving once more who one is, and looking at the portal as a client."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import NotFound
from portal_gateway import factors as codes, passwords
from portal_gateway.actions.notes import note
from portal_gateway.house import House
from portal_gateway.person import SESSION_LIFE, Person, Session
from portal_gateway.store import factors, notes, people, sessions

FAILURE_WINDOW = timedelta(hours=1)
FAILURES_FREE = 5
DELAY_SECONDS_MAX = 900
ADDRESS_WINDOW_FAILURES_MAX = 100
HALF_LIFE = timedelta(minutes=5)
_APP = "authenticator app"


class SignInRefused(Exception):
    """E-mail and password, or the code, do not belong together."""


class SecondFactorRequired(Exception):
    """The password is right; a code of the authenticator app, a recovery code or a passkey is needed, too."""


class TooManyAttempts(Exception):
    """Signing in failed too often; wait before trying again."""


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session: the token is shown once and kept nowhere."""

    token: str
    csrf_token: str
    person: Person
    session_id: UUID


@dataclass(frozen=True, slots=True)
class Half:
    """The password was right; ``token`` leads to the second question for five minutes."""

    token: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from."""

    user_agent: str
    address: str


async def sign_in(
    tx: Transaction, *, email: str, password: str, code: str | None = None, origin: Origin, house: House
) -> SignedIn | Half | None:
    """Start a session, or note the failure and return ``None``: the same answer and the same work for every cause.

    Raises:
        TooManyAttempts: for this account or address; the wait doubles with every failure, up to a quarter of an hour.
    """
    await _check_rate(tx, email=email, address=origin.address)
    person = await people.by_email(tx, email)
    is_right = await passwords.matches(person.password_hash if person else None, password)
    if person is None or not person.is_active or not is_right:
        await _failed(tx, email=email, origin=origin)
        return None
    has_app, passkeys, _ = await factors.overview(tx, person.id)
    if not has_app and not passkeys:
        return await start(tx, person, proofs=("password",), origin=origin)
    if code is None:
        half = Half(secrets.token_urlsafe(32))
        await sessions.add_half(tx, token=half.token, person_id=person.id, expires_at=tx.now + HALF_LIFE)
        return half
    return await _with_code(tx, person, code, origin=origin, house=house)


async def finish(tx: Transaction, *, half_token: str, code: str, origin: Origin, house: House) -> SignedIn | None:
    """Answer the second question; a wrong answer is noted, and the question may be answered again.

    Raises:
        TooManyAttempts: as for the first question.
    """
    person = await sessions.half(tx, half_token)
    if person is None:
        return None
    await _check_rate(tx, email=person.email, address=origin.address)
    signed_in = await _with_code(tx, person, code, origin=origin, house=house)
    if signed_in is not None:
        await sessions.end_half(tx, half_token)
    return signed_in


async def start(tx: Transaction, person: Person, *, proofs: Sequence[str], origin: Origin) -> SignedIn:
    """Start a session of somebody who proved who they are."""
    token, csrf_token = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
    session_id = await sessions.add(
        tx,
        token=token,
        person_id=person.id,
        csrf_token=csrf_token,
        expires_at=tx.now + SESSION_LIFE[person.kind],
        proofs=proofs,
        user_agent=origin.user_agent,
        address=origin.address,
    )
    await sessions.forget_failures(tx, email=person.email)
    await note(
        tx,
        actor=person.id,
        action="sign-in",
        what=person.id,
        client_id=person.of_client_id,
        address=origin.address,
        proofs=list(proofs),
    )
    return SignedIn(token=token, csrf_token=csrf_token, person=person, session_id=session_id)


async def sign_out(tx: Transaction, *, token: str) -> None:
    """End a session."""
    await sessions.end(tx, token)


async def session(tx: Transaction, token: str, *, is_used: bool = True) -> Session | None:
    """Return the live session of a token; one that is used lives on."""
    return await sessions.found(tx, token, is_used=is_used)


async def own_sessions(tx: Transaction, person_id: UUID) -> Sequence[Any]:
    """Return where a person is signed in."""
    return await sessions.of_person(tx, person_id)


async def end_session(tx: Transaction, *, person_id: UUID, session_id: UUID) -> None:
    """End one session of a person.

    Raises:
        NotFound: it is not theirs.
    """
    if not await sessions.end_one(tx, person_id=person_id, session_id=session_id):
        raise NotFound
    await note(tx, actor=person_id, action="session-ended", what=session_id)


async def prove(
    tx: Transaction, session: Session, *, password: str | None, code: str | None, origin: Origin, house: House
) -> bool:
    """Note that the person of a session proved once more who they are, with what they have; ``False`` when it is wrong.

    Raises:
        TooManyAttempts: as for signing in.
        SecondFactorRequired: a password alone is not enough for somebody who has more.
    """
    person = session.person
    await _check_rate(tx, email=person.email, address=origin.address)
    has_app, passkeys, _ = await factors.overview(tx, person.id)
    if has_app or passkeys:
        if code is None:
            raise SecondFactorRequired("send a code of the authenticator app, a recovery code, or use the passkey")
        proof = await code_proof(tx, person, code, house=house)
    else:
        stored = await people.by_id(tx, person.id)
        is_right = await passwords.matches(stored.password_hash if stored else None, password or "")
        proof = "password" if is_right else None
    if proof is None:
        await _failed(tx, email=person.email, origin=origin)
        return False
    await sessions.prove(tx, session_id=session.session_id, proof=proof)
    await note(tx, actor=person.id, action="step-up", what=session.session_id, address=origin.address, proof=proof)
    return True


async def view_as(tx: Transaction, session: Session, *, client_id: UUID | None) -> None:
    """Look at the portal as a client does, reading only, or stop.

    Raises:
        NotFound: there is no such client.
    """
    if client_id is not None and await notes.client_name(tx, client_id) is None:
        raise NotFound
    await sessions.view_as(tx, session_id=session.session_id, client_id=client_id)
    await note(
        tx,
        actor=session.person.id,
        action="view-as-client" if client_id else "view-as-client-ended",
        what=client_id or session.views_client_id or session.session_id,
        client_id=client_id or session.views_client_id,
    )


async def code_proof(tx: Transaction, person: Person, code: str, *, house: House) -> str | None:
    """Use a code of the app or a recovery code, and return which it was; ``None`` when it is neither."""
    app = await factors.app(tx, person.id)
    if app is not None and app["confirmed_at"] is not None:
        secret = house.sealer.open(app["secret_sealed"], purpose=f"{_APP} {person.id}")
        step = codes.step_of(secret, code, epoch_seconds=int(tx.now.timestamp()), used_step=app["used_step"])
        if step is not None:
            await factors.use_app(tx, person_id=person.id, step=step)
            return "app"
    if await factors.use_recovery_code(tx, person_id=person.id, code=codes.normal(code)):
        return "recovery-code"
    return None


async def _with_code(tx: Transaction, person: Person, code: str, *, origin: Origin, house: House) -> SignedIn | None:
    proof = await code_proof(tx, person, code, house=house)
    if proof is None:
        await _failed(tx, email=person.email, origin=origin)
        return None
    return await start(tx, person, proofs=("password", proof), origin=origin)


async def _check_rate(tx: Transaction, *, email: str, address: str) -> None:
    count, last_at, by_address = await sessions.failures(
        tx, email=email, address=address, since=tx.now - FAILURE_WINDOW
    )
    # Never shut for good: who only knows an address could lock its person out.
    if count >= FAILURES_FREE and last_at is not None:
        delay = min(2 ** (count - FAILURES_FREE + 1), DELAY_SECONDS_MAX)
        if tx.now < last_at + timedelta(seconds=delay):
            raise TooManyAttempts(f"signing in failed too often; try again in {delay} seconds")
    if by_address >= ADDRESS_WINDOW_FAILURES_MAX:
        raise TooManyAttempts("signing in failed too often from this address; try again in an hour")


async def _failed(tx: Transaction, *, email: str, origin: Origin) -> None:
    await sessions.add_failure(tx, email=email, address=origin.address)
    await note(tx, actor="somebody", action="sign-in", what="an account", outcome="denied", address=origin.address)
