"""Inviting and changing people, and choosing passwords."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from msp_events.portal import PersonJoined, PersonState, PersonUpdated
from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Forbidden, NotFound
from msp_kit.revisions import refuse_stale
from portal_gateway import passwords
from portal_gateway.actions import branding
from portal_gateway.actions.notes import note
from portal_gateway.house import House
from portal_gateway.language import LANGUAGES, gettext, speaking
from portal_gateway.passwords import BadPassword
from portal_gateway.person import Person, Session, check_roles
from portal_gateway.store import factors, notes, people as store, sessions

INVITATION_LIFE = timedelta(days=7)
RESET_LIFE = timedelta(minutes=30)


class EmailTaken(Exception):
    """There is a person with this e-mail address."""


class TicketSpent(Exception):
    """The link to choose a password was used, is too old, or was replaced by a newer one."""


class LastAdministrator(Exception):
    """Somebody must be left who can administer."""


class OwnRights(Exception):
    """Nobody changes their own roles or shuts themselves out."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A new person, and the link to choose a password where no mail leaves the house."""

    person: Person
    link: str | None


async def add_person(
    tx: Transaction,
    *,
    kind: str,
    client_id: UUID | None,
    email: str,
    display_name: str,
    roles: tuple[str, ...],
    password: str | None,
    actor: str,
) -> Person:
    """Make a person; without a password they cannot sign in with one yet.

    Raises:
        UnknownRole, BadPassword, EmailTaken.
    """
    ordered = check_roles(kind, roles)
    if password is not None:
        passwords.check(password, email=email, words=tuple(display_name.split()))
    person = Person(
        id=new_id(),
        revision=1,
        kind=kind,
        of_client_id=client_id,
        email=email.lower(),
        display_name=display_name,
        roles=ordered,
        password_hash=None if password is None else await passwords.hashed(password),
        is_active=True,
    )
    if not await store.add(tx, person):
        raise EmailTaken(f"{email} belongs to somebody already")
    await note(tx, actor=actor, action="person-added", what=person.id, client_id=client_id, roles=list(person.roles))
    await record(tx, PersonJoined(**state_of(tx, person)))
    return person


async def invite(
    tx: Transaction,
    *,
    kind: str,
    client_id: UUID | None,
    email: str,
    display_name: str,
    roles: tuple[str, ...],
    actor: str,
    house: House,
) -> Invited:
    """Make a person and send them a link with which they choose a password.

    Raises:
        UnknownRole, EmailTaken.
    """
    person = await add_person(
        tx,
        kind=kind,
        client_id=client_id,
        email=email,
        display_name=display_name,
        roles=roles,
        password=None,
        actor=actor,
    )
    return Invited(person, await _send_ticket(tx, person, purpose="invitation", house=house))


async def invite_again(tx: Transaction, caller: Caller, person_id: UUID, *, house: House) -> Invited:
    """Send another link; the first one is no longer good.

    Raises:
        NotFound: no such person on the caller's side.
        Forbidden: the person has chosen a password.
    """
    person = await _of_side(tx, caller, person_id)
    if person.password_hash is not None:
        raise Forbidden("they have a password; they can have it reset themselves")
    await note(tx, actor=caller.id, action="person-invited", what=person.id, client_id=person.of_client_id)
    return Invited(person, await _send_ticket(tx, person, purpose="invitation", house=house))


async def change(
    tx: Transaction,
    caller: Caller,
    person_id: UUID,
    *,
    display_name: str | None,
    roles: tuple[str, ...] | None,
    is_active: bool | None,
    if_revision: int | None = None,
) -> Person:
    """Change name, roles or state of a person of the caller's side. Other rights, or none: every session ends.

    Raises:
        NotFound, UnknownRole, OwnRights, LastAdministrator.
        Conflict: somebody changed them since ``if_revision``.
    """
    before = await _of_side(tx, caller, person_id)
    refuse_stale("the person", revision=before.revision, read=if_revision)
    after = replace(
        before,
        revision=before.revision + 1,
        display_name=before.display_name if display_name is None else display_name,
        roles=before.roles if roles is None else check_roles(before.kind, roles),
        is_active=before.is_active if is_active is None else is_active,
    )
    has_other_rights = (after.roles, after.is_active) != (before.roles, before.is_active)
    if has_other_rights and person_id == caller.id:
        raise OwnRights("ask another administrator")
    loses_admin = "admin" in before.roles and before.is_active and not ("admin" in after.roles and after.is_active)
    if loses_admin and await store.administrators(tx, kind=before.kind, client_id=before.of_client_id) < 2:
        raise LastAdministrator("make somebody else an administrator first")
    await store.save(tx, after)
    if has_other_rights:
        await sessions.end_all(tx, person_id=person_id)
    await note(
        tx,
        actor=caller.id,
        action="person-changed",
        what=person_id,
        client_id=after.of_client_id,
        before={"roles": list(before.roles), "is_active": before.is_active},
        after={"roles": list(after.roles), "is_active": after.is_active},
    )
    await record(tx, PersonUpdated(**state_of(tx, after)))
    return after


async def end_sessions(tx: Transaction, caller: Caller, person_id: UUID) -> None:
    """End every session of a person of the caller's side.

    Raises:
        NotFound: no such person on the caller's side.
    """
    person = await _of_side(tx, caller, person_id)
    await sessions.end_all(tx, person_id=person.id)
    await note(tx, actor=caller.id, action="sessions-ended", what=person.id, client_id=person.of_client_id)


async def remove_factors(tx: Transaction, caller: Caller, person_id: UUID) -> None:
    """Take every second factor from a person who lost theirs; they sign in anew.

    Raises:
        NotFound: no such person on the caller's side.
        OwnRights: another administrator does it.
    """
    person = await _of_side(tx, caller, person_id)
    if person.id == caller.id:
        raise OwnRights("ask another administrator")
    await factors.remove_all(tx, person.id)
    await sessions.end_all(tx, person_id=person.id)
    await note(tx, actor=caller.id, action="second-factors-removed", what=person.id, client_id=person.of_client_id)


async def ask_for_reset(tx: Transaction, *, email: str, house: House) -> None:
    """Note that a link is asked for. Nobody is looked for here: not even how long it takes tells who exists."""
    if house.has_mail:
        await store.add_reset_ask(tx, email)


async def answer_reset(tx: Transaction, *, house: House) -> bool:
    """Send one link that was asked for, when there is somebody with the address; return whether there may be more."""
    email = await store.take_reset_ask(tx)
    if email is None:
        return False
    person = await store.by_email(tx, email)
    if person is not None and person.is_active:
        await _send_ticket(tx, person, purpose="reset", house=house)
    return True


async def choose_password(tx: Transaction, *, token: str, password: str) -> Person:
    """Set the password of the person a link was sent to. Every session ends.

    Raises:
        TicketSpent, BadPassword.
    """
    person_id = await store.take_ticket(tx, token)
    person = None if person_id is None else await store.by_id(tx, person_id)
    if person is None or not person.is_active:
        raise TicketSpent("ask for a new link")
    await _set_password(tx, person, password, but=None, actor=person.id)
    return person


async def change_own_password(tx: Transaction, session: Session, *, current: str, password: str) -> bool:
    """Change the password of a session's person, and end their other sessions; ``False`` when the current one is wrong.

    Raises:
        BadPassword: the new one is not good enough.
    """
    person = await store.by_id(tx, session.person.id)
    if person is None or not await passwords.matches(person.password_hash, current):
        return False
    await _set_password(tx, person, password, but=session.session_id, actor=person.id)
    return True


async def prefer(tx: Transaction, session: Session, *, language: str | None, has_shortcuts: bool) -> None:
    """Keep how the person of a session likes the pages; a language we do not speak is the browser's choice."""
    chosen = language if language in LANGUAGES else None
    await store.save_preferences(tx, session.person.id, language=chosen, has_shortcuts=has_shortcuts)


async def listed(
    tx: Transaction, *, client_id: UUID | None, after: list[Any] | None = None, limit: int
) -> Sequence[Person]:
    """Return the people of a client, or all with ``None``, by name."""
    return await store.listed(tx, client_id=client_id, after=after, limit=limit)


async def _set_password(tx: Transaction, person: Person, password: str, *, but: UUID | None, actor: UUID) -> None:
    passwords.check(password, email=person.email, words=tuple(person.display_name.split()))
    if await passwords.matches(person.password_hash, password):
        raise BadPassword("this is the password you have")
    await store.save(tx, replace(person, password_hash=await passwords.hashed(password)))
    await sessions.end_all(tx, person_id=person.id, but=but)
    await sessions.forget_failures(tx, email=person.email)
    await note(tx, actor=actor, action="password-chosen", what=person.id, client_id=person.of_client_id)


async def _of_side(tx: Transaction, caller: Caller, person_id: UUID) -> Person:
    person = await store.by_id(tx, person_id)
    if person is None or (caller.kind == "client" and person.of_client_id != caller.client_id):
        raise NotFound
    return person


async def _send_ticket(tx: Transaction, person: Person, *, purpose: str, house: House) -> str | None:
    token = secrets.token_urlsafe(32)
    life = INVITATION_LIFE if purpose == "invitation" else RESET_LIFE
    await store.add_ticket(tx, token=token, person_id=person.id, purpose=purpose, expires_at=tx.now + life)
    link = f"{house.public_url}/choose-password?token={token}"
    if not house.has_mail:
        return link if purpose == "invitation" else None
    look = await branding.current(tx, name=house.brand)
    with speaking(person.language or look.language):
        subject, text = _letter(person, purpose=purpose, brand=look.name, link=link)
    await notes.add_mail(tx, recipient=person.email, subject=subject, text=text, due_at=tx.now)
    return None


def _letter(person: Person, *, purpose: str, brand: str, link: str) -> tuple[str, str]:
    """Return subject and text of a mail with a link, in the language spoken now."""
    if purpose == "invitation":
        subject = gettext("Your account at %(brand)s")
        said = gettext("you can now sign in to %(brand)s. Choose a password within seven days:")
    else:
        subject = gettext("Your password at %(brand)s")
        said = gettext(
            "somebody asked for another password for your account at %(brand)s. Choose one within 30 minutes:"
        )
    hello, ends = gettext("Hello %(name)s,"), gettext("If you did not expect this mail, ignore it.")
    parts = (hello % {"name": person.display_name}, said % {"brand": brand}, link, ends)
    return subject % {"brand": brand}, "\n\n".join(parts) + "\n"


def state_of(tx: Transaction, person: Person) -> dict[str, Any]:
    """Return the members of the event that carries a person's whole public state."""
    state = PersonState(
        occurred_at=tx.now,
        person_id=person.id,
        revision=person.revision,
        kind="client" if person.kind == "client" else "staff",
        client_id=person.of_client_id,
        display_name=person.display_name,
        roles=person.roles,
        is_active=person.is_active,
    )
    return state.model_dump()
