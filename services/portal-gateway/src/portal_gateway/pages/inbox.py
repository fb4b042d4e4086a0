"""The inbox of a person, on the desk or in the portal; how they want to be told; and the link that stops mail."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from msp_kit.database import SYSTEM, Database
from msp_kit.pagination import page_of, position
from msp_kit.problems import BadCursor, NotFound, Unauthenticated
from portal_gateway import wording
from portal_gateway.actions import mailing, notices
from portal_gateway.language import gettext
from portal_gateway.limits import TooManyRequests
from portal_gateway.notices import KINDS, grouped
from portal_gateway.pages.settings import framed, own_session
from portal_gateway.pages.sign_in import limit_address
from portal_gateway.pages.site import Site, failure, form_of, go, page_route, site_of
from portal_gateway.prose import refusal
from portal_gateway.scope import Visitor
from portal_gateway.telling import BadNotificationSettings, Telling, checked, clock, is_zone

router = APIRouter()
SHOWN = 30
IDS_MAX = 200
STATES = ("open", "snoozed", "done")
NOINDEX = {"x-robots-tag": "noindex, nofollow"}


@page_route(router, "/desk/inbox", "GET", "POST")
async def desk_inbox(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show what a member of the staff was told, and take what they do with it."""
    return await _inbox(request, site, visitor, path="/desk/inbox")


@page_route(router, "/portal/inbox", "GET", "POST")
async def portal_inbox(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show what somebody of a client was told, and take what they do with it."""
    return await _inbox(request, site, visitor, path="/portal/inbox")


@router.get("/ui/inbox", include_in_schema=False)
async def count(request: Request) -> Response:
    """Return how much is open, for the bell of an open page: no use of the session."""
    try:
        visitor = await site_of(request).visitors.of(request, is_used=False)
    except Unauthenticated:
        return Response(status_code=401)
    mark = request.app.state.hub.mark
    async with _database(request).transaction(visitor.caller.scope) as tx:
        found = {"unread": await notices.unread(tx, visitor.caller), "at": mark}
    return JSONResponse(found, headers={"cache-control": "no-store"})


@page_route(router, "/settings/notifications", "GET", "POST")
async def settings(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show and change how the person wants to be told."""
    own_session(visitor)
    caller, problem = visitor.caller, ""
    kinds = KINDS[caller.kind]
    async with _database(request).transaction(SYSTEM) as tx:
        telling = await notices.telling(tx, caller)
    form = _as_form(telling, kinds)
    if request.method == "POST":
        form = await form_of(request, visitor)
        try:
            wanted = checked(caller.kind, {**form, "channels": {kind: form.get(kind, "") for kind in kinds}})
        except BadNotificationSettings as error:
            problem = gettext("Nothing was saved.") + f" {error}"
        else:
            async with _database(request).transaction(SYSTEM) as tx:
                await notices.set_telling(tx, caller, wanted)
            return go("/settings/notifications?saved=1")
    return await framed(
        site,
        visitor,
        "settings/notifications.html",
        title=gettext("Notifications"),
        status=422 if problem else 200,
        problem=problem,
        is_saved="saved" in request.query_params and not problem,
        refusal=telling.refusal,
        is_zone_wrong=bool(problem) and not is_zone(form.get("zone", "")),
        form=form,
        kinds=[(kind, wording.TITLES[kind]) for kind in kinds],
        has_mail=request.app.state.house.has_mail,
    )


@router.api_route("/unsubscribe/{token}", methods=["GET", "POST"], include_in_schema=False)
async def unsubscribe(request: Request, token: str) -> Response:
    """Stop mail about what happens: a mail program posts by itself (RFC 8058), a person is asked first."""
    site = site_of(request)
    try:
        limit_address(request)
    except TooManyRequests as error:
        return failure(site, None, status=429, detail=refusal(str(error)))
    person_id = mailing.unsubscribing(request.app.state.house, token[:200])
    if person_id is None:
        return failure(
            site, None, status=404, detail=gettext("This link leads nowhere. Sign in to change your settings.")
        )
    is_done = request.method == "POST"
    if is_done:
        # Whoever has the mail may stop the mail: no cookie is looked at, and nothing else can be reached with the link.
        async with _database(request).transaction(SYSTEM) as tx:
            await notices.stop_mail(tx, person_id)
    answer = site.page("unsubscribe.html", visitor=None, title=gettext("Mail about what happens"), is_done=is_done)
    answer.headers.update(NOINDEX)
    return answer


async def _inbox(request: Request, site: Site, visitor: Visitor, *, path: str) -> Response:
    caller, problem = visitor.caller, ""
    if request.method == "POST":
        form = await form_of(request, visitor)
        try:
            return go(await _done(request, visitor, form, path=path))
        except (NotFound, BadNotificationSettings) as error:
            problem = refusal(str(error)) or gettext("There is nothing like this in your inbox any more.")
    state = request.query_params.get("show", "open")
    state = state if state in STATES else "open"
    try:
        after = position(request.query_params.get("after") or None, of=2)
        async with _database(request).transaction(caller.scope) as tx:
            rows = await notices.listed(tx, caller, state=state, after=after, limit=SHOWN)
    except (BadCursor, TypeError, ValueError, OverflowError):
        return failure(site, visitor, status=404)
    page, following = page_of(rows, limit=SHOWN, key=lambda row: (row["at"].isoformat(), str(row["id"])))
    undo = [one for one in request.query_params.get("done", "").split(",") if _uuid(one)][:IDS_MAX]
    return await framed(
        site,
        visitor,
        "inbox.html",
        title=gettext("Inbox"),
        status=422 if problem else 200,
        problem=problem,
        path=path,
        state=state,
        groups=[_group(rows) for rows in grouped(page)],
        following=following,
        undo=undo,
        topics=f"inbox-{caller.id}",
    )


async def _done(request: Request, visitor: Visitor, form: dict[str, str], *, path: str) -> str:
    """Do what the form asks for; return where to go."""
    ids = [found for one in form.get("ids", "").split(",")[:IDS_MAX] if (found := _uuid(one))]
    caller, do = visitor.caller, form.get("do", "")
    async with _database(request).transaction(SYSTEM) as tx:
        telling = await notices.telling(tx, caller)
    async with _database(request).transaction(caller.scope) as tx:
        if do == "all":
            ids = list(await notices.settle_all(tx, caller))
        elif do == "done":
            await notices.settle(tx, caller, ids, state="done")
        elif do == "open":
            await notices.settle(tx, caller, ids, state="open")
        else:
            until = telling.snoozed_until(do.removeprefix("snooze-"), now=tx.now)
            await notices.settle(tx, caller, ids, state="snoozed", until=until)
    # What was done can be undone; of very many, the newest.
    return f"{path}?done={','.join(map(str, ids[:40]))}" if do in ("all", "done") and ids else path


def _group(rows: list[dict[str, Any]]) -> dict[str, Any]:
    newest = rows[0]
    said = [wording.sentence(one["kind"], one["words"], client=one["client_name"]) for one in rows]
    return {
        "ids": ",".join(str(one["id"]) for one in rows),
        "link": newest["link"],
        "text": said[0],
        "more": list(dict.fromkeys(one for one in said[1:] if one != said[0])),
        "kind": newest["kind"],
        "client": newest["client_name"],
        "at": newest["at"].isoformat(),
        "until": newest["snoozed_until"].isoformat() if newest["snoozed_until"] else None,
        "is_critical": any(one["is_critical"] for one in rows),
    }


def _as_form(telling: Telling, kinds: tuple[str, ...]) -> dict[str, str]:
    starts, ends = telling.quiet or (None, None)
    return {
        "zone": telling.zone,
        "digest": telling.digest,
        "quiet_from": "" if starts is None else clock(starts),
        "quiet_until": "" if ends is None else clock(ends),
        **{kind: telling.channel(kind) for kind in kinds},
    }


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database
