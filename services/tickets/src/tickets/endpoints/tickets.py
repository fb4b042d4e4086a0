"""Tickets over HTTP."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response

from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.identity import Caller
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound
from msp_kit.revisions import IfMatch, tag
from tickets.actions import raising, tickets as verbs
from tickets.actions.raising import Wish
from tickets.domain.ticket import next_statuses
from tickets.endpoints.addressing import id_of, uuid_of
from tickets.endpoints.filters import TicketFilters
from tickets.reports import months as by_months, search, threads, tickets as lists, time as time_lists
from tickets.schemas import tickets as shapes
from tickets.schemas.ids import ClientId, TicketName
from tickets.schemas.months import TicketsByMonthView
from tickets.schemas.threads import ClientFoundView, FoundView
from tickets.schemas.tickets import (
    ActivityView,
    Assign,
    ChangeTicket,
    ClientTicketRow,
    ClientTicketView,
    ClientTimeView,
    CountsView,
    Escalate,
    HandOver,
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
FromOn = Annotated[date, Query(alias="from", ge=date(2000, 1, 1), le=date(2199, 12, 31))]
ToOn = Annotated[date, Query(ge=date(2000, 1, 1), le=date(2199, 12, 31))]


@router.post("", status_code=201, openapi_extra=allows(staff=(), client=("requester", "approver", "admin")))
async def raise_ticket(body: RaiseTicket, caller: CallerNow, tx: Tx) -> RaisedView:
    """Raise a ticket; only what the contract allows can be chosen."""
    client_id = caller.client_id or body.client_id
    if client_id is None or (caller.client_id and body.client_id not in (None, caller.client_id)):
        raise NotFound
    values = body.model_dump(exclude={"client_id"})
    values["contact_name"] = values["contact_name"] or (caller.name if caller.kind == "client" else "")
    values |= {"tags": tuple(values["tags"]), "source": "portal" if caller.kind == "client" else "desk"}
    return RaisedView.model_validate(await raising.raise_ticket(tx, Wish(client_id=client_id, **values), by=caller))


@router.get("", openapi_extra=EVERYBODY)
async def list_tickets(
    caller: CallerNow, tx: Tx, filters: TicketFilters, limit: Limit = 50, after: After = None
) -> Page[TicketRow] | Page[ClientTicketRow]:
    """Return a page of tickets."""
    is_staff = caller.kind == "staff"
    rows, cursor = await lists.list_tickets(tx, **filters, limit=limit, after=after, with_balance=is_staff)
    if is_staff:
        return Page[TicketRow](items=[TicketRow(**row) for row in rows], next=cursor)
    return Page[ClientTicketRow](items=[ClientTicketRow(**row) for row in rows], next=cursor)


@router.get("/search", openapi_extra=EVERYBODY)
async def find(
    caller: CallerNow, tx: Tx, text: Annotated[str, Query(min_length=1, max_length=200)], limit: Limit = 20
) -> list[FoundView] | list[ClientFoundView]:
    """Return the newest tickets with all the words in title, description or a message."""
    rows = await search.search(tx, text=text, limit=limit)
    if caller.kind == "staff":
        return [FoundView(**row) for row in rows]
    return [ClientFoundView(**row) for row in rows]


@router.get("/counts", openapi_extra=EVERYBODY)
async def counts(tx: Tx) -> CountsView:
    """Return how many tickets are in which state."""
    return CountsView(**await lists.counts(tx))


@router.get("/by-month", openapi_extra=EVERYBODY)
async def by_month(
    caller: CallerNow, tx: Tx, starts_on: FromOn, to: ToOn, client_id: ClientId | None = None
) -> TicketsByMonthView:
    """Return how many tickets of a client were raised and resolved in each month of its time zone; ``to`` is exclusive."""
    wanted = caller.client_id or client_id
    if wanted is None or client_id not in (None, wanted):
        raise NotFound
    found = await by_months.by_month(tx, client_id=wanted, starts_on=starts_on, ends_on=to)
    return TicketsByMonthView.model_validate(found)


@router.get("/offer", openapi_extra=EVERYBODY)
async def offer(caller: CallerNow, tx: Tx, client_id: ClientId | None = None) -> OfferView:
    """Return what can be chosen when a ticket is raised."""
    wanted = caller.client_id or client_id
    if wanted is None:
        raise NotFound
    contracts = await lists.offer(tx, client_id=wanted, on=tx.now.astimezone(ZoneInfo("UTC")).date())
    return OfferView.model_validate({"client_id": wanted, "contracts": contracts})


@router.get("/{ticket}", openapi_extra=EVERYBODY)
async def one_ticket(
    ticket: TicketName, caller: CallerNow, tx: Tx, response: Response, *, follow: bool = True
) -> TicketView | ClientTicketView:
    """Return one ticket by id or ref, with its thread; for a merged one the ticket that took it over."""
    is_staff = caller.kind == "staff"
    ticket_id, redirected_from = uuid_of(ticket), None
    row = await lists.one_ticket(tx, ticket_id=ticket_id, ref=None if ticket_id else ticket, with_balance=is_staff)
    while follow and row is not None and row["merged_into_id"] is not None:
        redirected_from = redirected_from or row["ref"]
        row = await lists.one_ticket(tx, ticket_id=row["merged_into_id"], ref=None, with_balance=is_staff)
    if row is None:
        raise NotFound
    tag(response, row["revision"])
    return await _with_thread(tx, {**row, "redirected_from": redirected_from}, caller)


@router.post("/{ticket}/messages", status_code=201, openapi_extra=EVERYBODY)
async def post_message(ticket: TicketName, body: PostMessage, caller: CallerNow, tx: Tx) -> MessageView:
    """Answer, or leave an internal note."""
    message = await verbs.post_message(
        tx,
        ticket_id=id_of(ticket),
        by=caller,
        body=body.body,
        is_public=body.is_public,
        set_status=body.set_status,
    )
    return _message({"posted_at": message.posted_at, **{name: getattr(message, name) for name in _MESSAGE}})


@router.post("/{ticket}/status", openapi_extra=EVERYBODY)
async def set_status(
    ticket: TicketName, body: SetStatus, caller: CallerNow, tx: Tx, if_revision: IfMatch
) -> RaisedView:
    """Move a ticket to another status."""
    moved = await verbs.set_status(
        tx, ticket_id=id_of(ticket), by=caller, status=body.status, reason=body.reason, if_revision=if_revision
    )
    return RaisedView.model_validate(moved)


@router.post("/{ticket}/assign", openapi_extra=STAFF)
async def assign(ticket: TicketName, body: Assign, caller: CallerNow, tx: Tx, if_revision: IfMatch) -> RaisedView:
    """Give a ticket to an agent, to nobody, or to another queue."""
    moved = await verbs.assign(
        tx,
        ticket_id=id_of(ticket),
        by=caller,
        assignee_id=body.assignee_id,
        queue=body.queue,
        reason=body.reason,
        if_revision=if_revision,
    )
    return RaisedView.model_validate(moved)


@router.post("/{ticket}/hand-over", openapi_extra=STAFF)
async def hand_over(ticket: TicketName, body: HandOver, caller: CallerNow, tx: Tx) -> RaisedView:
    """Give a ticket to a colleague with what they need to know."""
    moved = await verbs.hand_over(tx, ticket_id=id_of(ticket), by=caller, to_id=body.to_id, note=body.note)
    return RaisedView.model_validate(moved)


@router.post("/{ticket}/take", openapi_extra=STAFF)
async def take(ticket: TicketName, caller: CallerNow, tx: Tx) -> RaisedView:
    """Take a ticket."""
    return RaisedView.model_validate(await verbs.take(tx, ticket_id=id_of(ticket), by=caller))


@router.post("/{ticket}/escalate", openapi_extra=STAFF)
async def escalate(ticket: TicketName, body: Escalate, caller: CallerNow, tx: Tx) -> RaisedView:
    """Move the handling one level up."""
    moved = await verbs.escalate(tx, ticket_id=id_of(ticket), by=caller, reason=body.reason)
    return RaisedView.model_validate(moved)


@router.patch("/{ticket}", openapi_extra=STAFF)
async def change(
    ticket: TicketName, body: ChangeTicket, caller: CallerNow, tx: Tx, if_revision: IfMatch, response: Response
) -> RaisedView:
    """Change a ticket; ``If-Match`` guards against changes made in the meantime."""
    moved = await verbs.change(
        tx, ticket_id=id_of(ticket), by=caller, changes=body.to_changes(), reason=body.reason, if_revision=if_revision
    )
    tag(response, moved.revision)
    return RaisedView.model_validate(moved)


# ---- shaping ------------------------------------------------------------------------------------------------------

_MESSAGE = ("id", "author_kind", "author_name", "is_public", "is_automatic", "is_first_response", "body")


async def _with_thread(tx: Tx, row: dict[str, Any], caller: Caller) -> TicketView | ClientTicketView:
    of = {"client_id": row["client_id"], "ticket_id": row["id"]}
    messages = [_message(one) for one in await lists.messages_of(tx, **of)]
    merged = await threads.merged_into(tx, **of)
    entries = await time_lists.entries_of_tickets(tx, client_id=of["client_id"], ticket_ids=[row["id"], *merged])
    live = [one for one in entries if one["status"] in ("submitted", "approved")]
    common = {
        **row,
        "description_html": shapes.html_of(row["description"]),
        "messages": messages,
        "clocks": await lists.clocks_of(tx, **of),
        "worked_minutes": sum(one["worked_minutes"] for one in live),
        "next_statuses": () if row["merged_into_id"] else next_statuses(row["status"]),
        "attachments": await threads.attachments_of(tx, **of),
        "watchers": await threads.watchers_of(tx, **of),
        "ratings": await threads.ratings_of(tx, **of),
    }
    if caller.kind == "client":
        return ClientTicketView(**common, time_entries=[ClientTimeView(**one) for one in live])
    activity = [ActivityView(**one) for one in await lists.activities_of(tx, **of)]
    times = [StaffTimeView(**one, **_hours(one)) for one in entries]
    more = {
        "merged_refs": list(merged.values()),
        "links": await threads.links_of(tx, **of),
        "assignments": await threads.assignments_of(tx, **of),
    }
    return TicketView(**common, **more, activity=activity, time_entries=times)


def _hours(entry: dict[str, Any]) -> dict[str, Any]:
    hours = entry["hours"] or {}
    return {name: hours.get(name) for name in ("billed_minutes", "bucket_minutes", "overage_minutes")}


def _message(row: dict[str, Any]) -> MessageView:
    shown = {name: row[name] for name in _MESSAGE if name != "body"}
    return MessageView(**shown, body_text=row["body"], body_html=shapes.html_of(row["body"]), at=row["posted_at"])
