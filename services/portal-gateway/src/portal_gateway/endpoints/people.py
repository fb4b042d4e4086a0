"""People over HTTP: one's own account, and those an administrator looks after."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from msp_kernel.ids import is_bare
from msp_kit.pagination import After, Limit, Page, page_of, position
from msp_kit.problems import BadCursor, NotFound
from msp_kit.revisions import IfMatch
from portal_gateway.actions import people as verbs
from portal_gateway.actions.sign_in import SignInRefused
from portal_gateway.guard import PUBLIC, SYSTEM, DatabaseNow, HouseNow, SessionNow, VisitorNow, allows, door_router
from portal_gateway.schemas.house import PreferencesView, SetPreferences
from portal_gateway.schemas.ids import ClientId, PersonId
from portal_gateway.schemas.people import (
    AskForReset,
    ChangePassword,
    ChangePerson,
    ChoosePassword,
    MeView,
    NewPerson,
    NewPersonView,
    PersonView,
)
from portal_gateway.scope import Visitor

router = door_router(tags=["people"])
ANYBODY = allows(staff=(), client=(), is_enrolling=True)
READERS = allows(staff=("admin", "manager"), client=("admin",))
ADMINISTRATORS = allows(staff=("admin",), client=("admin",), step_up=True)


@router.get("/me", openapi_extra=ANYBODY)
async def me(visitor: VisitorNow) -> MeView:
    """Return who asks."""
    caller, session = visitor.caller, visitor.session
    return MeView(
        id=caller.id,
        kind=caller.kind,
        client_id=caller.client_id,
        email=visitor.email,
        display_name=caller.name,
        roles=sorted(caller.roles),
        is_active=True,
        is_fresh=caller.is_fresh,
        must_add_second_factor=session is not None and session.must_enrol,
        views_client_id=None if session is None else session.views_client_id,
    )


@router.get("/me/preferences", openapi_extra=ANYBODY)
async def preferences(session: SessionNow) -> PreferencesView:
    """Return how the person likes their pages."""
    return PreferencesView(language=session.person.language, has_shortcuts=session.person.has_shortcuts)


@router.put("/me/preferences", openapi_extra=ANYBODY)
async def set_preferences(
    body: SetPreferences, request: Request, session: SessionNow, database: DatabaseNow
) -> PreferencesView:
    """Change how the person likes their pages, from now on."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.prefer(tx, session, language=body.language, has_shortcuts=body.has_shortcuts)
    request.app.state.visitors.forget_all()
    return PreferencesView(language=body.language, has_shortcuts=body.has_shortcuts)


@router.put("/me/password", status_code=204, openapi_extra=ANYBODY)
async def change_password(
    body: ChangePassword, request: Request, session: SessionNow, database: DatabaseNow
) -> Response:
    """Choose another password; every other session ends."""
    async with database.transaction(SYSTEM) as tx:
        is_right = await verbs.change_own_password(tx, session, current=body.current, password=body.password)
    if not is_right:
        raise SignInRefused("the current password is another one")
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


@router.post("/people", status_code=201, openapi_extra=ADMINISTRATORS)
async def add_person(body: NewPerson, visitor: VisitorNow, database: DatabaseNow, house: HouseNow) -> NewPersonView:
    """Make a person: with a password, or by an invitation."""
    client_id = _side_of(body, visitor)
    async with database.transaction(SYSTEM) as tx:
        if body.password is None:
            invited = await verbs.invite(
                tx,
                kind=body.kind,
                client_id=client_id,
                email=body.email,
                display_name=body.display_name,
                roles=tuple(body.roles),
                actor=str(visitor.caller.id),
                house=house,
            )
            return _invited(invited)
        person = await verbs.add_person(
            tx,
            kind=body.kind,
            client_id=client_id,
            email=body.email,
            display_name=body.display_name,
            roles=tuple(body.roles),
            password=body.password,
            actor=str(visitor.caller.id),
        )
    return _invited(verbs.Invited(person, None))


@router.get("/people", openapi_extra=READERS)
async def list_people(
    visitor: VisitorNow,
    database: DatabaseNow,
    client_id: Annotated[ClientId | None, Query()] = None,
    limit: Limit = 200,
    after: After = None,
) -> Page[PersonView]:
    """Return people by name: for a client's administrator, the own ones."""
    caller, where = visitor.caller, position(after, of=2)
    if where is not None and not (isinstance(where[0], str) and "\0" not in where[0] and is_bare(str(where[1]))):
        raise BadCursor("take the cursor from `next` of the previous page")
    async with database.transaction(caller.scope) as tx:
        rows = await verbs.listed(tx, client_id=caller.client_id or client_id, after=where, limit=limit)
    page, following = page_of(rows, limit=limit, key=lambda one: (one.display_name, str(one.id)))
    return Page(items=[PersonView.of(one) for one in page], next=following)


@router.patch("/people/{person_id}", openapi_extra=ADMINISTRATORS)
async def change_person(
    person_id: PersonId,
    body: ChangePerson,
    request: Request,
    visitor: VisitorNow,
    database: DatabaseNow,
    if_revision: IfMatch,
) -> PersonView:
    """Change name, roles or state; other rights end every session of the person."""
    async with database.transaction(SYSTEM) as tx:
        person = await verbs.change(
            tx,
            visitor.caller,
            person_id,
            display_name=body.display_name,
            roles=None if body.roles is None else tuple(body.roles),
            is_active=body.is_active,
            if_revision=if_revision,
        )
    request.app.state.visitors.forget_all()
    return PersonView.of(person)


@router.post("/people/{person_id}/invitation", openapi_extra=ADMINISTRATORS)
async def invite_again(
    person_id: PersonId, visitor: VisitorNow, database: DatabaseNow, house: HouseNow
) -> NewPersonView:
    """Send another invitation; the link of the first one is no longer good."""
    async with database.transaction(SYSTEM) as tx:
        return _invited(await verbs.invite_again(tx, visitor.caller, person_id, house=house))


@router.delete("/people/{person_id}/sessions", status_code=204, openapi_extra=ADMINISTRATORS)
async def end_sessions(person_id: PersonId, request: Request, visitor: VisitorNow, database: DatabaseNow) -> Response:
    """End every session of a person."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.end_sessions(tx, visitor.caller, person_id)
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


@router.delete("/people/{person_id}/factors", status_code=204, openapi_extra=ADMINISTRATORS)
async def remove_factors(person_id: PersonId, request: Request, visitor: VisitorNow, database: DatabaseNow) -> Response:
    """Take the second factors from somebody who lost theirs."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.remove_factors(tx, visitor.caller, person_id)
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


@router.post("/password-resets", status_code=202, openapi_extra=PUBLIC)
async def ask_for_reset(body: AskForReset, database: DatabaseNow, house: HouseNow) -> dict[str, str]:
    """Send a link to choose another password. The answer is the same whether there is somebody or not."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.ask_for_reset(tx, email=body.email, house=house)
    return {"detail": "if there is an account with this address, a mail is on its way"}


@router.post("/passwords", status_code=204, openapi_extra=PUBLIC)
async def choose_password(body: ChoosePassword, request: Request, database: DatabaseNow) -> Response:
    """Choose a password with the link of an invitation or a reset."""
    async with database.transaction(SYSTEM) as tx:
        await verbs.choose_password(tx, token=body.token, password=body.password)
    request.app.state.visitors.forget_all()
    return Response(status_code=204)


def _side_of(body: NewPerson, visitor: Visitor) -> UUID | None:
    caller = visitor.caller
    if caller.kind == "client" and (body.kind != "client" or body.client_id not in (None, caller.client_id)):
        raise NotFound
    client_id = caller.client_id or body.client_id
    if (body.kind == "client") != (client_id is not None):
        raise NotFound
    return client_id


def _invited(invited: verbs.Invited) -> NewPersonView:
    return NewPersonView(**PersonView.of(invited.person).model_dump(), link=invited.link)
