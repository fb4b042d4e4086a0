"""Bodies and answers about clients, contacts and the catalogue."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from contracts.schemas.fields import Currency, Name, Plain, ShortText, Timezone, Word
from contracts.schemas.ids import CalendarId, ClientId, ContactId, JobTypeId, RateCardId
from msp_events.base import Level, RateCondition
from msp_kit.api import Body, View


class AddressBody(Body):
    """Where invoices go."""

    lines: Annotated[list[ShortText], Field(max_length=6)] = []
    city: ShortText = ""
    postcode: Annotated[str, StringConstraints(max_length=20), Plain] = ""
    country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] = "GB"


class NewClient(Body):
    """A client to be registered. ``id`` may be given by an import that must be repeatable."""

    id: ClientId | None = None
    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}$")]
    name: Name
    timezone: Timezone
    currency: Currency
    billing_address: AddressBody = AddressBody()
    tax_id: ShortText | None = None
    purchase_order: ShortText | None = None


class ClientChanges(Body):
    """What changes about a client; absent fields stay."""

    name: Name | None = None
    timezone: Timezone | None = None
    billing_address: AddressBody | None = None
    tax_id: ShortText | None = None
    purchase_order: ShortText | None = None
    is_active: bool | None = None


class OwnClientView(View):
    """A client company as its own people see it."""

    id: ClientId
    code: str
    name: str
    timezone: str
    currency: str
    billing_address: dict[str, Any]
    tax_id: str | None
    purchase_order: str | None


class ClientView(OwnClientView):
    """A client company as staff sees it."""

    is_active: bool
    revision: int


Email = Annotated[str, StringConstraints(pattern=r"^[^@\s]{1,64}@[^@\s]{1,190}$", max_length=254)]
Phone = Annotated[str, StringConstraints(max_length=40), Plain]


class NewContact(Body):
    """A person at a client. Staff name the client; a client's own people cannot."""

    client_id: ClientId | None = None
    name: Name
    email: Email
    phone: Phone | None = None


class ContactChanges(Body):
    """What changes about a person at a client; absent fields stay."""

    name: Name | None = None
    email: Email | None = None
    phone: Phone | None = None


class ContactView(View):
    """A person at a client."""

    id: ContactId
    client_id: ClientId
    name: str
    email: str
    phone: str | None


WindowPair = Annotated[list[str], Field(min_length=2, max_length=2)]
Windows = Annotated[list[WindowPair], Field(max_length=12)]


class NewCalendar(Body):
    """A calendar: weekly windows, holidays and overrides in one zone. A country fills in its public holidays."""

    name: Name
    timezone: Timezone
    weekly: dict[str, Windows]
    holidays: Annotated[list[date], Field(max_length=2000)] = []
    overrides: Annotated[dict[date, Windows], Field(max_length=2000)] = {}
    holiday_country: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")] | None = None
    holiday_subdivision: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9-]{1,10}$")] | None = None
    holiday_years: Annotated[list[Annotated[int, Field(ge=2000, le=2100)]], Field(max_length=20)] = []


class CalendarView(View):
    """A calendar in the form the arithmetic reads."""

    id: CalendarId
    name: str
    calendar: dict[str, Any]
    revision: int


class NewJobType(Body):
    """A job type category of the catalogue."""

    code: Word
    name: Name
    is_billable: bool = True


class JobTypeChanges(Body):
    """What changes about a job type; absent fields stay. The code stays for good: every event carries it."""

    name: Name | None = None
    is_billable: bool | None = None


class JobTypeView(View):
    """A job type category."""

    id: JobTypeId
    code: str
    name: str
    is_billable: bool
    revision: int


class RateBody(Body):
    """Price of an hour. An absent key matches anything; the most specific rate wins."""

    rule_id: Annotated[str, StringConstraints(pattern=r"^[\w.:-]{1,80}$")] | None = None
    job_type: Word | None = None
    level: Level | None = None
    condition: RateCondition | None = None
    rate_minor: Annotated[int, Field(ge=0, le=10**9, strict=True)]


class NewRateCard(Body):
    """A rate card. Without overage rates, overage is priced by the rates."""

    name: Name
    currency: Currency
    rates: Annotated[list[RateBody], Field(min_length=1, max_length=500)]
    overage_rates: Annotated[list[RateBody], Field(max_length=500)] = []


class RateCardView(View):
    """One version of a rate card."""

    id: RateCardId
    version: int
    name: str
    currency: str
    rates: list[dict[str, Any]]
    overage_rates: list[dict[str, Any]]
