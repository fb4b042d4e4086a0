"""Registering clients and keeping the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from contracts.domain.contract import refuse_ambiguous_rates
from contracts.store import clients as store
from msp_events.contracts import ClientRegistered, ClientState, ClientUpdated, JobTypeDefined
from msp_kernel.business_time import Calendar
from msp_kernel.ids import new_id
from msp_kit import ids
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from msp_kit.revisions import refuse_stale

Row = Mapping[str, Any]


class ClientCodeTaken(Exception):
    """Another client has this code; codes are the prefix of ticket refs and unique."""


class ClientExists(Exception):
    """A client with this id is registered already, with other particulars."""


class JobTypeCodeTaken(Exception):
    """The catalogue has a job type with this code."""


class CurrencyOfCardChanges(Exception):
    """A new version of a rate card is in another currency than the card."""


async def register(tx: Transaction, particulars: Mapping[str, Any]) -> Row:
    """Register a client. With an ``id`` it can be repeated: the same code and id again change nothing.

    Raises:
        ClientCodeTaken: another client has the code.
        ClientExists: the id belongs to a client with another code.
    """
    client_id = particulars.get("id") or new_id()
    known = await store.client(tx, client_id)
    if known is not None:
        if known["code"] != particulars["code"]:
            raise ClientExists(f"{ids.shown('client', client_id)} is client {known['code']}")
        return known
    row = {**particulars, "client_id": client_id, "is_active": True, "revision": 1, "created_at": tx.now}
    row.pop("id", None)
    client = await store.insert_client(tx, row)
    if client is None:
        raise ClientCodeTaken(f"{particulars['code']} is taken; choose two to five other capital letters")
    await record(tx, ClientRegistered(**_state(tx, client)))
    return client


async def change(
    tx: Transaction, client_id: UUID, changes: Mapping[str, Any], *, if_revision: int | None = None
) -> Row:
    """Change a client.

    Raises:
        NotFound: there is no such client.
        Conflict: somebody changed it since ``if_revision``.
    """
    known = await store.client(tx, client_id, is_locked=True)
    if known is None:
        raise NotFound
    refuse_stale("the client", revision=known["revision"], read=if_revision)
    differing = {name: value for name, value in changes.items() if known[name] != value}
    if not differing:
        return known
    client = await store.update_client(tx, client_id, differing)
    await record(tx, ClientUpdated(**_state(tx, client)))
    return client


async def add_contact(tx: Transaction, *, client_id: UUID, name: str, email: str, phone: str | None) -> Row:
    """Add a person at a client.

    Raises:
        NotFound: there is no such client.
    """
    if await store.client(tx, client_id) is None:
        raise NotFound
    row = {
        "id": new_id(),
        "client_id": client_id,
        "name": name,
        "email": email,
        "phone": phone,
        "created_at": tx.now,
    }
    return await store.insert_contact(tx, row)


async def change_contact(tx: Transaction, contact_id: UUID, changes: Mapping[str, Any]) -> Row:
    """Change a person at a client.

    Raises:
        NotFound: there is no such person.
    """
    contact = await store.update_contact(tx, contact_id, changes) if changes else await store.contact(tx, contact_id)
    if contact is None:
        raise NotFound
    return contact


async def add_calendar(tx: Transaction, *, name: str, document: Mapping[str, Any]) -> Row:
    """Save a calendar.

    Raises:
        CalendarWithoutHours, UnknownTimezone, BadWindow, BadDay: the calendar cannot be reckoned with.
    """
    row = {"id": new_id(), "name": name, "calendar": _readable(document), "revision": 1, "created_at": tx.now}
    return await store.insert_calendar(tx, row)


async def change_calendar(
    tx: Transaction, calendar_id: UUID, *, name: str, document: Mapping[str, Any], if_revision: int | None = None
) -> Row:
    """Change a calendar; contracts keep what it said when they were drafted or amended (an amendment adopts it).

    Raises:
        NotFound: there is no such calendar.
        Conflict: somebody changed it since ``if_revision``.
        CalendarWithoutHours, UnknownTimezone, BadWindow, BadDay: the calendar cannot be reckoned with.
    """
    known = await store.calendar(tx, calendar_id, is_locked=True)
    if known is None:
        raise NotFound
    refuse_stale("the calendar", revision=known["revision"], read=if_revision)
    return await store.update_calendar(tx, calendar_id, {"name": name, "calendar": _readable(document)})


def _readable(document: Mapping[str, Any]) -> dict[str, Any]:
    calendar = Calendar.from_json(document)
    calendar.refuse_overlaps()
    return calendar.to_json()


async def define_job_type(tx: Transaction, *, code: str, name: str, is_billable: bool) -> Row:
    """Add a job type to the catalogue.

    Raises:
        JobTypeCodeTaken: the code is in use.
    """
    row = {"id": new_id(), "code": code, "name": name, "is_billable": is_billable, "revision": 1}
    job_type = await store.insert_job_type(tx, row)
    if job_type is None:
        raise JobTypeCodeTaken(f"{code} is defined already")
    return await _said(tx, job_type)


async def change_job_type(
    tx: Transaction, job_type_id: UUID, changes: Mapping[str, Any], *, if_revision: int | None = None
) -> Row:
    """Change the name of a job type, or whether new contracts charge it; contracts keep what they say of it.

    Raises:
        NotFound: there is no such job type.
        Conflict: somebody changed it since ``if_revision``.
    """
    known = await store.job_type(tx, job_type_id)
    if known is None:
        raise NotFound
    refuse_stale("the job type", revision=known["revision"], read=if_revision)
    differing = {name: value for name, value in changes.items() if known[name] != value}
    return await _said(tx, await store.update_job_type(tx, job_type_id, differing)) if differing else known


async def _said(tx: Transaction, job_type: Row) -> Row:
    names = ("revision", "code", "name", "is_billable")
    state = {name: job_type[name] for name in names}
    await record(tx, JobTypeDefined(occurred_at=tx.now, job_type_id=job_type["id"], **state))
    return job_type


async def add_rate_card(tx: Transaction, card: Mapping[str, Any], *, rate_card_id: UUID | None = None) -> Row:
    """Save a rate card, or a new version of one; contracts keep the version they were activated with.

    Raises:
        NotFound: there is no card with this id.
        CurrencyOfCardChanges: a card keeps its currency through all versions.
        AmbiguousRates: two rates are equally specific.
    """
    version = 1
    if rate_card_id is not None:
        known = await store.rate_card(tx, rate_card_id)
        if known is None:
            raise NotFound
        if known["currency"] != card["currency"]:
            raise CurrencyOfCardChanges(f"the card is in {known['currency']}; make another card for {card['currency']}")
        version = known["version"] + 1
    rates = [_with_rule_id(one, prefix="rate") for one in card["rates"]]
    overage_rates = [_with_rule_id(one, prefix="overage") for one in card["overage_rates"]]
    refuse_ambiguous_rates(rates)
    refuse_ambiguous_rates(overage_rates)
    row = {
        "id": rate_card_id or new_id(),
        "version": version,
        "name": card["name"],
        "currency": card["currency"],
        "rates": rates,
        "overage_rates": overage_rates,
        "created_at": tx.now,
    }
    return await store.insert_rate_card(tx, row)


def _with_rule_id(rate: Mapping[str, Any], *, prefix: str) -> dict[str, Any]:
    keys = [str(rate[key]) for key in ("job_type", "level", "condition") if rate[key] is not None]
    return {**rate, "rule_id": rate["rule_id"] or f"{prefix}.{'.'.join(keys) or 'any'}"}


def _state(tx: Transaction, client: Row) -> dict[str, Any]:
    return {"occurred_at": tx.now, **{name: client[name] for name in ClientState.model_fields if name in client}}
