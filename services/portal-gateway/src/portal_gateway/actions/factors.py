"""Second factors: authenticator apps, recovery codes, passkeys, and who must have one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import webauthn
from webauthn.helpers import base64url_to_bytes, options_to_json, parse_client_data_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.problems import Conflict, NotFound
from portal_gateway import factors as codes
from portal_gateway.actions import sign_in
from portal_gateway.actions.notes import note
from portal_gateway.actions.sign_in import Origin, SignedIn
from portal_gateway.house import House
from portal_gateway.person import Person, Session
from portal_gateway.store import factors as store, people, sessions

CHALLENGE_LIFE = timedelta(minutes=5)
PASSKEYS_MAX = 20


class WrongCode(Exception):
    """The code is not the one the authenticator app shows now."""


class PasskeyRefused(Exception):
    """What the authenticator answered does not belong to our question."""


@dataclass(frozen=True, slots=True)
class Factors:
    """What a person has beside a password."""

    has_app: bool
    passkeys: Sequence[Any]
    recovery_codes_left: int
    is_required: bool


async def overview(tx: Transaction, person: Person) -> Factors:
    """Return what a person has, and whether they must have something."""
    has_app, _, left = await store.overview(tx, person.id)
    return Factors(
        has_app=has_app,
        passkeys=await store.passkeys(tx, person.id),
        recovery_codes_left=left,
        is_required=await store.is_required(tx, audience_of(person)),
    )


def audience_of(person: Person) -> str:
    """Return whose policy a person is under: the staff's, or their client's."""
    return "staff" if person.of_client_id is None else str(person.of_client_id)


async def begin_app(tx: Transaction, person: Person, *, house: House) -> tuple[str, str]:
    """Make a secret, and return it as a person types it and as an address an app reads.

    Raises:
        Conflict: there is a confirmed app; it is removed first.
    """
    secret = codes.new_secret()
    sealed = house.sealer.seal(secret, purpose=f"authenticator app {person.id}")
    if not await store.add_app(tx, person_id=person.id, secret_sealed=sealed):
        raise Conflict("there is an authenticator app; remove it first")
    return codes.readable(secret), codes.address(secret, email=person.email, issuer=house.brand)


async def confirm_app(tx: Transaction, session: Session, *, code: str, house: House) -> list[str]:
    """Take the app into use with its first code, and return recovery codes, shown this once.

    Raises:
        NotFound: no app waits to be confirmed.
        WrongCode: the code is not the one the app shows.
    """
    person = session.person
    app = await store.app(tx, person.id)
    if app is None or app["confirmed_at"] is not None:
        raise NotFound
    secret = house.sealer.open(app["secret_sealed"], purpose=f"authenticator app {person.id}")
    step = codes.step_of(secret, code, epoch_seconds=int(tx.now.timestamp()), used_step=0)
    if step is None:
        raise WrongCode("send the six digits the app shows now; is the clock of the device right?")
    await store.use_app(tx, person_id=person.id, step=step)
    await sessions.end_all(tx, person_id=person.id, but=session.session_id)
    await sessions.prove(tx, session_id=session.session_id, proof="app")
    await note(tx, actor=person.id, action="authenticator-app-added", what=person.id, client_id=person.of_client_id)
    return await new_recovery_codes(tx, person)


async def remove_app(tx: Transaction, person: Person) -> None:
    """Forget the app of a person."""
    await store.remove_app(tx, person.id)
    await note(tx, actor=person.id, action="authenticator-app-removed", what=person.id, client_id=person.of_client_id)


async def new_recovery_codes(tx: Transaction, person: Person) -> list[str]:
    """Return ten new recovery codes, shown this once; earlier ones are no longer good."""
    made = codes.new_recovery_codes()
    await store.save_recovery_codes(tx, person_id=person.id, codes=[codes.normal(one) for one in made])
    await note(tx, actor=person.id, action="recovery-codes-made", what=person.id, client_id=person.of_client_id)
    return made


async def passkey_options(tx: Transaction, person: Person, *, house: House) -> dict[str, Any]:
    """Return what the browser needs to make a passkey for a person.

    Raises:
        Conflict: there are as many as anybody may have.
    """
    known = await store.passkeys(tx, person.id)
    if len(known) >= PASSKEYS_MAX:
        raise Conflict(f"a person has at most {PASSKEYS_MAX} passkeys")
    options = webauthn.generate_registration_options(
        rp_id=house.host,
        rp_name=house.brand,
        user_name=person.email,
        user_id=person.id.bytes,
        user_display_name=person.display_name,
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one["credential_id"]) for one in known],
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
        ),
    )
    await store.add_challenge(
        tx,
        challenge=options.challenge,
        person_id=person.id,
        purpose="register",
        expires_at=tx.now + CHALLENGE_LIFE,
    )
    return _document(options)


async def add_passkey(
    tx: Transaction, session: Session, *, credential: dict[str, Any], name: str, house: House
) -> UUID:
    """Keep the passkey the browser made.

    Raises:
        PasskeyRefused: it does not answer a question of ours, or the authenticator did not ask its person.
    """
    person = session.person
    challenge = await _challenge_of(tx, credential, person_id=person.id, purpose="register")
    try:
        made = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=house.host,
            expected_origin=house.public_url,
            require_user_verification=True,
        )
    except WebAuthnException as error:
        raise PasskeyRefused("the authenticator's answer is not for this site or this question") from error
    passkey_id = new_id()
    is_new = await store.add_passkey(
        tx,
        passkey_id=passkey_id,
        credential_id=made.credential_id,
        person_id=person.id,
        public_key=made.credential_public_key,
        sign_count=made.sign_count,
        name=name,
    )
    if not is_new:
        raise PasskeyRefused("this passkey is known already")
    await sessions.prove(tx, session_id=session.session_id, proof="passkey")
    await note(tx, actor=person.id, action="passkey-added", what=passkey_id, client_id=person.of_client_id)
    return passkey_id


async def remove_passkey(tx: Transaction, person: Person, passkey_id: UUID) -> None:
    """Forget a passkey.

    Raises:
        NotFound: it is not the person's.
    """
    if not await store.remove_passkey(tx, person_id=person.id, passkey_id=passkey_id):
        raise NotFound
    await note(tx, actor=person.id, action="passkey-removed", what=passkey_id, client_id=person.of_client_id)


async def sign_in_options(tx: Transaction, *, house: House) -> dict[str, Any]:
    """Return what the browser needs to ask any passkey of this site."""
    options = webauthn.generate_authentication_options(
        rp_id=house.host, user_verification=UserVerificationRequirement.REQUIRED
    )
    await store.add_challenge(
        tx, challenge=options.challenge, person_id=None, purpose="sign-in", expires_at=tx.now + CHALLENGE_LIFE
    )
    return _document(options)


async def sign_in_with_passkey(
    tx: Transaction, *, credential: dict[str, Any], origin: Origin, house: House
) -> SignedIn:
    """Start a session for the person of a passkey.

    Raises:
        PasskeyRefused: unknown, copied, or not an answer to a question of ours.
    """
    person = await people.by_id(tx, await _owner(tx, credential, house=house))
    if person is None or not person.is_active:
        raise PasskeyRefused("this passkey is not known here")
    return await sign_in.start(tx, person, proofs=("passkey",), origin=origin)


async def prove_with_passkey(tx: Transaction, session: Session, *, credential: dict[str, Any], house: House) -> None:
    """Note that the person of a session proved once more who they are.

    Raises:
        PasskeyRefused: as for signing in, or it is somebody else's.
    """
    if await _owner(tx, credential, house=house) != session.person.id:
        raise PasskeyRefused("this passkey is somebody else's")
    await sessions.prove(tx, session_id=session.session_id, proof="passkey")
    await note(tx, actor=session.person.id, action="step-up", what=session.session_id, proof="passkey")


async def is_required(tx: Transaction, audience: str) -> bool:
    """Return whether the staff, or the people of a client, must have a second factor."""
    return await store.is_required(tx, audience)


async def require(tx: Transaction, *, audience: str, is_required: bool, actor: UUID, client_id: UUID | None) -> None:
    """Say whether the staff, or the people of a client, must have a second factor."""
    await store.require(tx, audience=audience, is_required=is_required)
    await note(
        tx, actor=actor, action="second-factor-policy", what=audience, client_id=client_id, is_required=is_required
    )


async def _owner(tx: Transaction, credential: dict[str, Any], *, house: House) -> UUID:
    challenge = await _challenge_of(tx, credential, person_id=None, purpose="sign-in")
    try:
        credential_id = base64url_to_bytes(str(credential.get("rawId", "")))
        known = await store.passkey(tx, credential_id)
        if known is None:
            raise PasskeyRefused("this passkey is not known here")
        answered = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=house.host,
            expected_origin=house.public_url,
            credential_public_key=known["public_key"],
            credential_current_sign_count=known["sign_count"],
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError) as error:
        raise PasskeyRefused("the authenticator's answer is not for this site or this question") from error
    await store.use_passkey(tx, credential_id=credential_id, sign_count=answered.new_sign_count)
    owner: UUID = known["person_id"]
    return owner


async def _challenge_of(tx: Transaction, credential: dict[str, Any], *, person_id: UUID | None, purpose: str) -> bytes:
    try:
        said = parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"]))
    except (WebAuthnException, KeyError, TypeError, ValueError, AttributeError) as error:
        raise PasskeyRefused("this is not an answer of an authenticator") from error
    if not await store.take_challenge(tx, challenge=said.challenge, person_id=person_id, purpose=purpose):
        raise PasskeyRefused("the question was not ours, too old, or answered before")
    return said.challenge


def _document(options: Any) -> dict[str, Any]:
    document: dict[str, Any] = orjson.loads(options_to_json(options))
    return document
