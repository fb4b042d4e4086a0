"""Settings: one's own security, and for administrators the people, keys and the audit log of their side."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from msp_kit.database import SYSTEM, Database
from msp_kit.problems import Conflict, Forbidden, NotFound
from portal_gateway.actions import factors, keys, notes, people, sign_in
from portal_gateway.actions.factors import WrongCode
from portal_gateway.actions.keys import UnknownScope
from portal_gateway.actions.people import EmailTaken, LastAdministrator, OwnRights
from portal_gateway.house import House
from portal_gateway.language import LANGUAGES, gettext
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Site, failure, form_of, go, page_route
from portal_gateway.passwords import BadPassword
from portal_gateway.person import CLIENT_ROLES, STAFF_ROLES, Session, UnknownRole
from portal_gateway.prose import refusal
from portal_gateway.scope import Visitor

router = APIRouter(prefix="/settings")
PEOPLE_MAX = 200
_REFUSED = (BadPassword, UnknownRole, EmailTaken, LastAdministrator, OwnRights, WrongCode, UnknownScope, Conflict)


@page_route(router, "/security", "GET", "POST")
async def security(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show and change how one signs in: password, second factors, where one is signed in."""
    session = own_session(visitor)
    problem, made = "", {}
    if request.method == "POST":
        form = await form_of(request, visitor)
        if form.get("do") != "password" and not visitor.caller.is_fresh:
            return go("/prove?next=/settings/security")
        try:
            made = await _secure(request, session, form)
        except _REFUSED as error:
            problem = refusal(str(error))
        site.visitors.forget_all()
        if not problem and not made:
            return go("/settings/security")
    async with _database(request).transaction(SYSTEM) as tx:
        found = await factors.overview(tx, session.person)
        listed = await sign_in.own_sessions(tx, session.person.id)
    return await framed(
        site,
        visitor,
        "settings/security.html",
        title=gettext("Security"),
        status=422 if problem else 200,
        problem=problem,
        made=made,
        found=found,
        listed=listed,
        session=session,
    )


@page_route(router, "/preferences", "GET", "POST")
async def preferences(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show and change the language of one's pages and mails, and whether single keys do something."""
    session = own_session(visitor)
    if request.method == "POST":
        form = await form_of(request, visitor)
        async with _database(request).transaction(SYSTEM) as tx:
            await people.prefer(
                tx, session, language=form.get("language"), has_shortcuts=form.get("has_shortcuts") == "on"
            )
        site.visitors.forget_all()
        return go("/settings/preferences")
    return await framed(
        site,
        visitor,
        "settings/preferences.html",
        title=gettext("Preferences"),
        person=session.person,
        languages=LANGUAGES,
    )


@page_route(router, "/people", "GET", "POST")
async def everybody(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the people of one's side, and invite or change them."""
    _need_administrator(visitor, "manager")
    problem, link = "", None
    if request.method == "POST":
        form = await form_of(request, visitor)
        _need_administrator(visitor)
        if not visitor.caller.is_fresh:
            return go("/prove?next=/settings/people")
        try:
            link = await _administer(request, visitor, form)
        except _REFUSED as error:
            problem = refusal(str(error))
        site.visitors.forget_all()
        if not problem and link is None:
            return go("/settings/people")
    async with _database(request).transaction(visitor.caller.scope) as tx:
        listed = await people.listed(tx, client_id=visitor.caller.client_id, limit=PEOPLE_MAX)
    mine = [one for one in listed if one.kind == visitor.caller.kind][:PEOPLE_MAX]
    return await framed(
        site,
        visitor,
        "settings/people.html",
        title=gettext("People"),
        status=422 if problem else 200,
        problem=problem,
        link=link,
        listed=mine,
        roles=_roles(visitor),
    )


@page_route(router, "/keys", "GET", "POST")
async def api_keys(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show, make and end the API keys of one's side."""
    _need_administrator(visitor)
    problem, text = "", ""
    if request.method == "POST":
        form = await form_of(request, visitor)
        if not visitor.caller.is_fresh:
            return go("/prove?next=/settings/keys")
        try:
            text = await _keys(request, visitor, form)
        except _REFUSED as error:
            problem = refusal(str(error))
        site.visitors.forget_all()
        if not problem and not text:
            return go("/settings/keys")
    async with _database(request).transaction(SYSTEM) as tx:
        listed = await keys.listed(tx, visitor.caller, client_id=None)
    return await framed(
        site,
        visitor,
        "settings/keys.html",
        title=gettext("API keys"),
        status=422 if problem else 200,
        problem=problem,
        text=text,
        listed=listed,
        roles=_roles(visitor),
        scopes=keys.SCOPES,
    )


@page_route(router, "/audit")
async def audit(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show who did what: for a client's administrators, what concerns their company."""
    _need_administrator(visitor, "manager")
    before = request.query_params.get("before", "")
    async with _database(request).transaction(SYSTEM) as tx:
        rows, following = await notes.audit(
            tx,
            client_id=visitor.caller.client_id,
            before=int(before) if before.isdecimal() and len(before) < 19 else None,
            limit=50,
        )
    return await framed(
        site, visitor, "settings/audit.html", title=gettext("Audit log"), rows=rows, following=following
    )


@page_route(router, "/view-as/{client_id}", "POST")
async def view_as(request: Request, site: Site, visitor: Visitor, client_id: str) -> Response:
    """Begin to look at the portal as a client does."""
    await form_of(request, visitor)
    session = own_session(visitor)
    if visitor.caller.kind != "staff" or not visitor.caller.has_role("manager", "admin"):
        raise Forbidden(gettext("this needs the role manager or admin"))
    try:
        async with _database(request).transaction(SYSTEM) as tx:
            await sign_in.view_as(tx, session, client_id=UUID(client_id))
    except (NotFound, ValueError):
        return failure(site, visitor, status=404)
    site.visitors.forget_all()
    return go("/portal")


async def _secure(request: Request, session: Session, form: dict[str, str]) -> dict[str, Any]:
    """Change what the form says, and return what is shown this once."""
    person, house = session.person, _house(request)
    async with _database(request).transaction(SYSTEM) as tx:
        match form.get("do"):
            case "password":
                current, chosen = form.get("current", ""), form.get("password", "")
                if not await people.change_own_password(tx, session, current=current, password=chosen):
                    raise BadPassword(gettext("the current password is another one"))
            case "app":
                secret, address = await factors.begin_app(tx, person, house=house)
                return {"secret": secret, "address": address}
            case "confirm":
                return {"codes": await factors.confirm_app(tx, session, code=form.get("code", ""), house=house)}
            case "remove-app":
                await factors.remove_app(tx, person)
            case "codes":
                return {"codes": await factors.new_recovery_codes(tx, person)}
            case "remove-passkey":
                await factors.remove_passkey(tx, person, _id(form))
            case "end":
                await sign_in.end_session(tx, person_id=person.id, session_id=_id(form))
            case _:
                raise Conflict(gettext("the form asked for nothing known"))
    return {}


async def _administer(request: Request, visitor: Visitor, form: dict[str, str]) -> str | None:
    caller, house = visitor.caller, _house(request)
    chosen = tuple(one for one in form.get("roles", "").split(",") if one)
    async with _database(request).transaction(SYSTEM) as tx:
        match form.get("do"):
            case "invite":
                invited = await people.invite(
                    tx,
                    kind=caller.kind,
                    client_id=caller.client_id,
                    email=form.get("email", "").strip()[:254],
                    display_name=form.get("display_name", "").strip()[:120],
                    roles=chosen,
                    actor=str(caller.id),
                    house=house,
                )
                return invited.link
            case "roles":
                await people.change(tx, caller, _id(form), display_name=None, roles=chosen, is_active=None)
            case "off" | "on" as state:
                await people.change(tx, caller, _id(form), display_name=None, roles=None, is_active=state == "on")
            case "factors":
                await people.remove_factors(tx, caller, _id(form))
            case _:
                raise Conflict(gettext("the form asked for nothing known"))
    return None


async def _keys(request: Request, visitor: Visitor, form: dict[str, str]) -> str:
    async with _database(request).transaction(SYSTEM) as tx:
        if form.get("do") == "revoke":
            await keys.revoke(tx, visitor.caller, _id(form), client_id=None)
            return ""
        days = form.get("life_days", "90")
        _, text = await keys.make(
            tx,
            visitor.caller,
            name=form.get("name", "").strip()[:120] or gettext("Key"),
            roles=tuple(one for one in form.get("roles", "").split(",") if one),
            scopes=tuple(one for one in form.get("scopes", "").split(",") if one),
            life_days=int(days) if days.isdecimal() and 1 <= int(days) <= keys.LIFE_DAYS_MAX else 90,
            client_id=None,
        )
    return text


async def framed(
    site: Site, visitor: Visitor, template: str, *, title: str, status: int = 200, **more: Any
) -> Response:
    """Render a page that people of both sides have, in the frame of their side."""
    caller = visitor.caller
    if caller.kind == "staff":
        around = await nav(site, visitor)
    else:
        around = {"client_name": await site.client_names(caller.client_id)}
    base = "staff.html" if caller.kind == "staff" else "portal_base.html"
    return site.page(template, visitor=visitor, title=title, status=status, base=base, **around, **more)


def own_session(visitor: Visitor) -> Session:
    """Return the session of the person who signed in.

    Raises:
        Forbidden: somebody looks on as a client.
    """
    if visitor.session is None or visitor.is_viewing:
        raise Forbidden(gettext("this page is for the person who signed in"))
    return visitor.session


def _need_administrator(visitor: Visitor, *more: str) -> None:
    readers = more if visitor.caller.kind == "staff" else ()
    if visitor.is_viewing or not visitor.caller.has_role("admin", *readers):
        raise Forbidden(gettext("this page is for administrators"))


def _roles(visitor: Visitor) -> tuple[str, ...]:
    return STAFF_ROLES if visitor.caller.kind == "staff" else CLIENT_ROLES


def _id(form: dict[str, str]) -> UUID:
    try:
        return UUID(form.get("id", ""))
    except ValueError:
        return new_id()


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


def _house(request: Request) -> House:
    house: House = request.app.state.house
    return house
