"""Tickets over HTTP."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Header, Query, Response

from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.identity import Caller
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import Conflict, NotFound
from tickets.actions import tickets as verbs
from tickets.actions.tickets import Wish
from tickets.domain.ticket import next_statuses
from tickets.reports import tickets as lists, time as time_lists
from tickets.schemas import tickets as shapes
from tickets.schemas.tickets import (
    ActivityView,
    Assign,
    ChangeTicket,
    ClientTicketRow,
    ClientTicketView,
    ClientTimeView,
    CountsView,
    Escalate,
    MessageView,
    OfferView,
    PostMessage,
    RaisedView,
    RaiseTicket,
    SetStatus,
    StaffTimeView,
    TicketRow,
    TicketView,
)

router: APIRouter = guarded_router(prefix="/tickets", tags=["tickets"])
EVERYBODY = allows(staff=(), client=())
STAFF = allows(staff=())


@router.post("", status_code=201, openapi_extra=allows(staff=(), client=("requester", "approver", "admin")))
async def raise_ticket(body: RaiseTicket, caller: CallerNow, tx: Tx) -> RaisedView:
    """Raise a ticket; only what the contract allows can be chosen."""
    client_id = caller.client_id or body.client_id
    if client_id is None or (caller.client_id and body.client_id not in (None, caller.client_id)):
        raise NotFound
    values = body.model_dump(exclude={"client_id"})
    values["contact_name"] = values["contact_name"] or (caller.name if caller.kind == "client" else "")
    return RaisedView.model_validate(await verbs.raise_ticket(tx, Wish(client_id=client_id, **values), by=caller))


@router.get("", openapi_extra=EVERYBODY)
async def list_tickets(
    caller: CallerNow,
    tx: Tx,
    status: Annotated[str | None, Query(max_length=30)] = None,
    queue: Annotated[str | None, Query(max_length=60)] = None,
    assignee_id: UUID | None = None,
    client_id: UUID | None = None,
    unassigned: bool = False,
    text: Annotated[str | None, Query(max_length=100)] = None,
    sort: Literal["time_left", "updated"] = "time_left",
    limit: Limit = 50,
    after: After = None,
) -> Page[TicketRow] | Page[ClientTicketRow]:
    """Return a page of tickets."""
    is_staff = caller.kind == "staff"
    rows, cursor = await lists.list_tickets(
        tx,
        status=status,
        queue=queue if is_staff else None,
        assignee_id=assignee_id if is_staff else None,
        client_id=client_id,
        is_unassigned=unassigned,
        text=text,
        sort=sort,
        limit=limit,
        after=after,
        with_balance=is_staff,
    )
    if is_staff:
        return Page[TicketRow](items=[TicketRow(**row) for row in rows], next=cursor)
    return Page[ClientTicketRow](items=[ClientTicketRow(**row) for row in rows], next=cursor)


@router.get("/counts", openapi_extra=EVERYBODY)
async def counts(tx: Tx) -> CountsView:
    """Return how many tickets are in which state."""
    return CountsView(**await lists.counts(tx))


@router.get("/offer", openapi_extra=EVERYBODY)
async def offer(caller: CallerNow, tx: Tx, client_id: UUID | None = None) -> OfferView:
    """Return what can be chosen when a ticket is raised."""
    wanted = caller.client_id or client_id
    if wanted is None:
        raise NotFound
    contracts = await lists.offer(tx, client_id=wanted, on=tx.now.astimezone(ZoneInfo("UTC")).date())
    return OfferView.model_validate({"client_id": wanted, "contracts": contracts})


@router.get("/{ticket}", openapi_extra=EVERYBODY)
async def one_ticket(ticket: str, caller: CallerNow, tx: Tx, response: Response) -> TicketView | ClientTicketView:
    """Return one ticket by id or ref, with its thread."""
    is_staff = caller.kind == "staff"
    ticket_id = _uuid(ticket)
    row = await lists.one_ticket(tx, ticket_id=ticket_id, ref=None if ticket_id else ticket, with_balance=is_staff)
    if row is None:
        raise NotFound
    response.headers["etag"] = f'"{row["revision"]}"'
    return await _with_thread(tx, row, caller)


@router.post("/{ticket}/messages", status_code=201, openapi_extra=EVERYBODY)
async def post_message(ticket: str, body: PostMessage, caller: CallerNow, tx: Tx) -> MessageView:
    """Answer, or leave an internal note."""
    message = await verbs.post_message(
        tx,
        ticket_id=_id_of(ticket),
        by=caller,
        body=body.body,
        is_public=body.is_public,
        set_status=body.set_status,
    )
    return _message({"posted_at": message.posted_at, **{name: getattr(message, name) for name in _MESSAGE}})


@router.post("/{ticket}/status", openapi_extra=EVERYBODY)
async def set_status(ticket: str, body: SetStatus, caller: CallerNow, tx: Tx) -> RaisedView:
    """Move a ticket to another status."""
    moved = await verbs.set_status(tx, ticket_id=_id_of(ticket), by=caller, status=body.status, reason=body.reason)
    return RaisedView.model_validate(moved)


@router.post("/{ticket}/assign", openapi_extra=STAFF)
async def assign(ticket: str, body: Assign, caller: CallerNow, tx: Tx) -> RaisedView:
    """Give a ticket to an agent, to nobody, or to another queue."""
    moved = await verbs.assign(tx, ticket_id=_id_of(ticket), by=caller, assignee_id=body.assignee_id, queue=body.queue)
    return RaisedView.model_validate(moved)


@router.post("/{ticket}/take", openapi_extra=STAFF)
async def take(ticket: str, caller: CallerNow, tx: Tx) -> RaisedView:
    """Take a ticket."""
    return RaisedView.model_validate(await verbs.take(tx, ticket_id=_id_of(ticket), by=caller))


@router.post("/{ticket}/escalate", openapi_extra=STAFF)
async def escalate(ticket: str, body: Escalate, caller: CallerNow, tx: Tx) -> RaisedView:
    """Move the handling one level up."""
    moved = await verbs.escalate(tx, ticket_id=_id_of(ticket), by=caller, reason=body.reason)
    return RaisedView.model_validate(moved)


@router.patch("/{ticket}", openapi_extra=STAFF)
async def change(
    ticket: str,
    body: ChangeTicket,
    caller: CallerNow,
    tx: Tx,
    if_match: Annotated[str | None, Header(max_length=20)] = None,
) -> RaisedView:
    """Change a ticket; ``If-Match`` guards against changes made in the meantime."""
    changes = body.model_dump(exclude_none=True)
    moved = await verbs.change(
        tx, ticket_id=_id_of(ticket), by=caller, changes=changes, if_revision=_revision(if_match)
    )
    return RaisedView.model_validate(moved)


# ---- shaping ------------------------------------------------------------------------------------------------------

_MESSAGE = ("id", "author_kind", "author_name", "is_public", "is_first_response", "body")


async def _with_thread(tx: Tx, row: dict[str, Any], caller: Caller) -> TicketView | ClientTicketView:
    of = {"client_id": row["client_id"], "ticket_id": row["id"]}
    messages = [_message(one) for one in await lists.messages_of(tx, **of)]
    entries, _ = await time_lists.list_entries(tx, ticket_id=row["id"], limit=200)
    live = [one for one in entries if one["status"] in ("submitted", "approved")]
    common = {
        **row,
        "description_html": shapes.html_of(row["description"]),
        "messages": messages,
        "clocks": await lists.clocks_of(tx, **of),
        "worked_minutes": sum(one["worked_minutes"] for one in live),
        "next_statuses": next_statuses(row["status"]),
    }
    if caller.kind == "client":
        return ClientTicketView(**common, time_entries=[ClientTimeView(**one) for one in live])
    activity = [ActivityView(**one) for one in await lists.activities_of(tx, **of)]
    times = [StaffTimeView(**one, **_hours(one)) for one in entries]
    return TicketView(**common, activity=activity, time_entries=times)


def _hours(entry: dict[str, Any]) -> dict[str, Any]:
    hours = entry["hours"] or {}
    return {name: hours.get(name) for name in ("billed_minutes", "bucket_minutes", "overage_minutes")}


def _message(row: dict[str, Any]) -> MessageView:
    shown = {name: row[name] for name in _MESSAGE if name != "body"}
    return MessageView(**shown, body_text=row["body"], body_html=shapes.html_of(row["body"]), at=row["posted_at"])


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _id_of(ticket: str) -> UUID:
    found = _uuid(ticket)
    if found is None:
        raise NotFound
    return found


def _revision(if_match: str | None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    text = if_match.removeprefix("W/").strip('"')
    if not text.isdecimal():
        raise Conflict("If-Match carries the ETag of the ticket you read")
    return int(text)
