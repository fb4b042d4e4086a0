"""Clients, contacts, calendars, job types and rate cards."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query, Response

from contracts.actions import clients as actions
from contracts.actions.public_holidays import public_holidays
from contracts.reports import contracts as reports
from contracts.schemas.clients import (
    CalendarView,
    ClientChanges,
    ClientView,
    ContactChanges,
    ContactView,
    JobTypeChanges,
    JobTypeView,
    NewCalendar,
    NewClient,
    NewContact,
    NewJobType,
    NewRateCard,
    OwnClientView,
    RateCardView,
)
from contracts.schemas.ids import CalendarId, ClientId, ContactId, JobTypeId, RateCardId
from msp_kit import ids
from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import After, Limit, Page, page_of, position
from msp_kit.revisions import IfMatch, tag


class ClientNotNamed(Exception):
    """Staff must say which client a contact belongs to."""


_CLEARABLE = ("tax_id", "purchase_order")
MANAGERS = allows(staff=("manager", "finance", "admin"))
PRICERS = allows(staff=("manager", "finance", "admin"), step_up=True)
STAFF = allows(staff=())
EVERYBODY = allows(staff=(), client=())

clients = guarded_router(prefix="/clients", tags=["clients"])
contacts = guarded_router(prefix="/contacts", tags=["clients"])
calendars = guarded_router(prefix="/calendars", tags=["catalogue"])
job_types = guarded_router(prefix="/job-types", tags=["catalogue"])
rate_cards = guarded_router(prefix="/rate-cards", tags=["catalogue"])
ROUTERS = (clients, contacts, calendars, job_types, rate_cards)


@clients.post("", status_code=201, openapi_extra=MANAGERS)
async def register_client(body: NewClient, tx: Tx) -> ClientView:
    """Register a client company."""
    return _client(await actions.register(tx, body.model_dump()))


@clients.get("", openapi_extra=STAFF)
async def list_clients(
    tx: Tx, code: Annotated[str | None, Query(max_length=5)] = None, limit: Limit = 50, after: After = None
) -> Page[ClientView]:
    """List clients by name; of one code when it is given."""
    rows = await reports.clients_page(tx, code=code, after=position(after, of=2), limit=limit)
    page, following = page_of(rows, limit=limit, key=lambda row: (row["name"], str(row["client_id"])))
    return Page(items=[_client(row) for row in page], next=following)


@clients.get("/{client_id}", openapi_extra=EVERYBODY)
async def read_client(client_id: ClientId, caller: CallerNow, tx: Tx, response: Response) -> ClientView | OwnClientView:
    """Read one client; its own people may."""
    row = await reports.client(tx, client_id)
    tag(response, row["revision"])
    return _client(row) if caller.kind == "staff" else OwnClientView.model_validate({**row, "id": row["client_id"]})


@clients.patch("/{client_id}", openapi_extra=MANAGERS)
async def change_client(client_id: ClientId, body: ClientChanges, tx: Tx, if_revision: IfMatch) -> ClientView:
    """Change a client's particulars."""
    given = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in given.items() if value is not None or name in _CLEARABLE}
    return _client(await actions.change(tx, client_id, changes, if_revision=if_revision))


@contacts.post("", status_code=201, openapi_extra=allows(staff=(), client=("admin",)))
async def add_contact(body: NewContact, caller: CallerNow, tx: Tx) -> ContactView:
    """Add a person at a client."""
    client_id = caller.client_id or body.client_id
    if client_id is None:
        raise ClientNotNamed("client_id is missing")
    row = await actions.add_contact(tx, client_id=client_id, **body.model_dump(exclude={"client_id"}))
    return ContactView.model_validate(row)


@contacts.patch("/{contact_id}", openapi_extra=STAFF)
async def change_contact(contact_id: ContactId, body: ContactChanges, tx: Tx) -> ContactView:
    """Change a person at a client."""
    given = body.model_dump(exclude_unset=True)
    changes = {name: value for name, value in given.items() if value is not None or name == "phone"}
    return ContactView.model_validate(await actions.change_contact(tx, contact_id, changes))


@contacts.get("", openapi_extra=EVERYBODY)
async def list_contacts(
    tx: Tx, client_id: ClientId | None = None, limit: Limit = 50, after: After = None
) -> Page[ContactView]:
    """List people at clients."""
    rows = await reports.contacts_page(tx, client_id=client_id, after=position(after, of=2), limit=limit)
    return _page(ContactView, rows, limit, "name")


@calendars.post("", status_code=201, openapi_extra=MANAGERS)
async def add_calendar(body: NewCalendar, tx: Tx) -> CalendarView:
    """Save a calendar; a country fills in its public holidays."""
    row = await actions.add_calendar(tx, name=body.name, document=_calendar(body, tx))
    return CalendarView.model_validate(row)


@calendars.put("/{calendar_id}", openapi_extra=MANAGERS)
async def change_calendar(calendar_id: CalendarId, body: NewCalendar, tx: Tx, if_revision: IfMatch) -> CalendarView:
    """Change a calendar; contracts adopt it by an amendment, and keep their copy until then."""
    document = _calendar(body, tx)
    row = await actions.change_calendar(tx, calendar_id, name=body.name, document=document, if_revision=if_revision)
    return CalendarView.model_validate(row)


@calendars.get("", openapi_extra=STAFF)
async def list_calendars(tx: Tx, limit: Limit = 50, after: After = None) -> Page[CalendarView]:
    """List calendars by name."""
    return _page(
        CalendarView, await reports.calendars_page(tx, after=position(after, of=2), limit=limit), limit, "name"
    )


@calendars.get("/{calendar_id}", openapi_extra=STAFF)
async def read_calendar(calendar_id: CalendarId, tx: Tx, response: Response) -> CalendarView:
    """Read one calendar."""
    row = await reports.calendar(tx, calendar_id)
    tag(response, row["revision"])
    return CalendarView.model_validate(row)


@job_types.post("", status_code=201, openapi_extra=MANAGERS)
async def define_job_type(body: NewJobType, tx: Tx) -> JobTypeView:
    """Add a job type to the catalogue."""
    return JobTypeView.model_validate(await actions.define_job_type(tx, **body.model_dump()))


@job_types.patch("/{job_type_id}", openapi_extra=MANAGERS)
async def change_job_type(job_type_id: JobTypeId, body: JobTypeChanges, tx: Tx, if_revision: IfMatch) -> JobTypeView:
    """Change the name of a job type, or whether new contracts charge it."""
    changes = body.model_dump(exclude_none=True)
    return JobTypeView.model_validate(await actions.change_job_type(tx, job_type_id, changes, if_revision=if_revision))


@job_types.get("", openapi_extra=EVERYBODY)
async def list_job_types(tx: Tx, limit: Limit = 50, after: After = None) -> Page[JobTypeView]:
    """List job types by code."""
    return _page(JobTypeView, await reports.job_types_page(tx, after=position(after, of=2), limit=limit), limit, "code")


@rate_cards.post("", status_code=201, openapi_extra=PRICERS)
async def add_rate_card(body: NewRateCard, tx: Tx) -> RateCardView:
    """Save a rate card."""
    return RateCardView.model_validate(await actions.add_rate_card(tx, body.model_dump()))


@rate_cards.post("/{rate_card_id}/versions", status_code=201, openapi_extra=PRICERS)
async def add_rate_card_version(rate_card_id: RateCardId, body: NewRateCard, tx: Tx) -> RateCardView:
    """Save a new version of a rate card; active contracts keep theirs."""
    row = await actions.add_rate_card(tx, body.model_dump(), rate_card_id=rate_card_id)
    return RateCardView.model_validate(row)


@rate_cards.get("", openapi_extra=STAFF)
async def list_rate_cards(tx: Tx, limit: Limit = 50, after: After = None) -> Page[RateCardView]:
    """List the newest versions of rate cards by name."""
    rows = await reports.rate_cards_page(tx, after=position(after, of=2), limit=limit)
    return _page(RateCardView, rows, limit, "name")


@rate_cards.get("/{rate_card_id}/versions", openapi_extra=STAFF)
async def list_rate_card_versions(rate_card_id: RateCardId, tx: Tx) -> Page[RateCardView]:
    """List all versions of a rate card, oldest first."""
    rows = await reports.rate_card_versions(tx, rate_card_id)
    return Page(items=[RateCardView.model_validate(dict(row)) for row in rows])


def _calendar(body: NewCalendar, tx: Tx) -> dict[str, Any]:
    document = ids.stored(body, include={"timezone", "weekly", "holidays", "overrides"})
    if body.holiday_country is not None:
        years = body.holiday_years or [tx.now.year, tx.now.year + 1]
        found = public_holidays(body.holiday_country, subdivision=body.holiday_subdivision, years=years)
        document["holidays"] = sorted({*document["holidays"], *(on.isoformat() for on, _ in found)})
    return document


def _client(row: Any) -> ClientView:
    return ClientView.model_validate({**row, "id": row["client_id"]})


def _page(view: Any, rows: Any, limit: int, key: str) -> Page[Any]:
    page, following = page_of(rows, limit=limit, key=lambda row: (row[key], str(row["id"])))
    return Page(items=[view.model_validate(dict(row)) for row in page], next=following)
