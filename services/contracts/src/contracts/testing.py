"""Builders for tests: a contract, a lot, a time entry in the words a person would say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from contracts.actions import clients, contracts
from contracts.domain.allocation import Demand, Fact, Level, Lot, Policy
from contracts.domain.book import Book
from contracts.domain.contract import Contract, Kind, Terms
from contracts.domain.coverage import Work
from contracts.domain.entry import BookLot, Change, Decision, Hours, TimeEntry
from contracts.domain.ledger import Balances
from msp_events.tickets import TimeApproved, TimeEntryState, TimeLogged, TimeRejected, TimeVoided
from msp_kernel.business_time import Calendar
from msp_kernel.ids import new_id
from msp_kit.database import Database, Transaction
from msp_kit.testing import SYSTEM

OFFICE_HOURS: dict[str, Any] = {
    "timezone": "UTC",
    "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": [],
    "overrides": {},
}
START = datetime(2026, 11, 2, tzinfo=UTC)
"""A Monday."""
CLOCK = datetime(2026, 11, 23, 12, tzinfo=UTC)
_DAYS = {"Mon": 0, "Tue": 1, "Wed": 2, "Thu": 3, "Fri": 4, "Sat": 5, "Sun": 6}
_EVENTS: dict[Decision, type[TimeEntryState]] = {
    "submitted": TimeLogged,
    "approved": TimeApproved,
    "rejected": TimeRejected,
    "voided": TimeVoided,
}


def at(text: str) -> datetime:
    """Return an instant of the first week, ``at("Tue 09:30")``, in UTC."""
    day, _, clock = text.partition(" ")
    hours, minutes = clock.split(":")
    return START + timedelta(days=_DAYS[day], hours=int(hours), minutes=int(minutes))


def a_lot(
    *,
    minutes: int,
    left: int | None = None,
    starts: datetime = START,
    ends: datetime | None = None,
    sequence: int = 1,
    priority: int = 0,
) -> Lot:
    """Return a lot, untouched unless ``left`` says otherwise."""
    return Lot(
        id=new_id(),
        sequence=sequence,
        minutes=minutes,
        left_minutes=minutes if left is None else left,
        starts_at=starts,
        ends_at=ends,
        priority=priority,
    )


def a_fact(
    minutes: int,
    worked: str | datetime = "Mon 09:00",
    *,
    weight: int = 100,
    policy: Policy = "overage",
    entry_id: UUID | None = None,
) -> Fact:
    """Return what allocation knows of an entry in one span."""
    worked_from = at(worked) if isinstance(worked, str) else worked
    demand = Demand("regular", worked_from, minutes, minutes, weight, "bucket")
    return Fact(entry_id or new_id(), worked_from, (demand,), policy)


def some_terms(**changes: Any) -> Terms:
    """Return terms that allow network and server work at L1 and L2."""
    defaults: dict[str, Any] = {
        "version": 1,
        "effective_at": START,
        "job_types": frozenset({"network", "server"}),
        "levels": frozenset({"L1", "L2"}),
        "calendar": Calendar.from_json(OFFICE_HOURS),
    }
    return Terms(**{**defaults, **changes})


def a_contract(
    *, kind: Kind = "bucket", ends: datetime | None = None, versions: Sequence[Terms] = (), **terms: Any
) -> Contract:
    """Return an active contract from the first Monday on."""
    return Contract(
        id=new_id(),
        client_id=new_id(),
        ref="C-0001",
        kind=kind,
        status="active",
        currency="EUR",
        starts_at=START,
        ends_at=ends,
        versions=tuple(versions) or (some_terms(**terms),),
    )


def a_book(*lots: Lot, contract: Contract | None = None) -> Book:
    """Return the book of a contract with some lots granted."""
    book = Book(contract=contract or a_contract(), balances=Balances(), lots={}, now=CLOCK, actor="system")
    for lot in lots:
        book.grant(BookLot(lot))
    return book


def an_entry(
    minutes: int,
    worked: str | datetime = "Mon 09:00",
    *,
    decision: Decision = "submitted",
    revision: int = 1,
    entry_id: UUID | None = None,
    job_type: str = "network",
    level: Level = "L1",
    ticket_id: UUID | None = None,
) -> TimeEntry:
    """Return a time entry of network work at L1, submitted."""
    worked_from = at(worked) if isinstance(worked, str) else worked
    work = Work(job_type, level, worked_from, minutes)
    return TimeEntry(entry_id or new_id(), revision, decision, work, agent_id=new_id(), ticket_id=ticket_id)


def a_target(budget_minutes: int | None, **keys: Any) -> dict[str, Any]:
    """Return stored terms of a target for every ticket, resolution unless told otherwise."""
    nothing = dict.fromkeys(("rule_id", "priority", "level", "job_type"))
    flags = dict.fromkeys(("after_hours", "weekends", "holidays"), False)
    return {**nothing, **flags, "metric": "resolution", "budget_minutes": budget_minutes, **keys}


def stored_terms(**changes: Any) -> dict[str, Any]:
    """Return the whole terms of a version as they are stored: network and server work at L1 and L2, 90.00 an hour."""
    rate = {"rule_id": "rate.any", "job_type": None, "level": None, "condition": None, "rate_minor": 9000}
    return {
        **contracts.DEFAULTS,
        "job_types": ["network", "server"],
        "levels": ["L1", "L2"],
        "calendar": OFFICE_HOURS,
        "targets": [a_target(480, rule_id="any")],
        "non_billable_job_types": [],
        "rates": [rate],
        "overage_rates": [],
        "rate_card_version": 1,
        "grant_minutes": 0,
        "grant_price_minor": 0,
        **changes,
    }


class Desk:
    """Tells a book about time entries, one transaction after another, as the service does."""

    def __init__(self, book: Book) -> None:
        self.book = book
        self.hours: dict[UUID, Hours] = {}
        self.tails_loaded = 0

    def tell(self, *entries: TimeEntry) -> None:
        """Settle entries in one transaction; older and repeated tellings change nothing."""
        newest: dict[UUID, TimeEntry] = {}
        for entry in entries:
            known = self.hours.get(entry.id)
            if known is not None and known.entry.revision >= entry.revision:
                continue
            if entry.id not in newest or newest[entry.id].revision < entry.revision:
                newest[entry.id] = entry
        if not newest:
            return
        changes = [Change(entry, self.hours.get(entry.id)) for entry in newest.values()]
        plan = self.book.plan(changes, [one for one in self.hours.values() if one.is_active])
        tail: list[Hours] = []
        if plan.tail_from is not None:
            self.tails_loaded += 1
            tail = [
                one
                for one in self.hours.values()
                if one.is_active and one.period_close_id is None and one.entry.position >= plan.tail_from
            ]
        self.book.settle(plan, tail)
        self.hours |= self.book.changed
        self.book.changed.clear()
        self.book.changed_lots.clear()


# ---- with a database ----------------------------------------------------------------------------------------------


async def a_client(tx: Transaction, *, code: str = "HLO", name: str = "Harlow Dental") -> UUID:
    """Register a client and return its id."""
    row = await clients.register(
        tx,
        {
            "code": code,
            "name": name,
            "timezone": "UTC",
            "currency": "EUR",
            "billing_address": {"lines": [], "city": "", "postcode": "", "country": "GB"},
            "tax_id": None,
            "purchase_order": None,
        },
    )
    client_id: UUID = row["client_id"]
    return client_id


async def an_active_contract(tx: Transaction, client_id: UUID, **more: Any) -> UUID:
    """Draft and activate a contract that covers network and server work at L1 and L2, and return its id."""
    contract_id = await a_draft(tx, client_id, **more)
    await contracts.activate(tx, contract_id)
    return contract_id


async def a_draft(
    tx: Transaction,
    client_id: UUID,
    *,
    minutes: int = 3000,
    kind: Kind = "bucket",
    starts_on: date | None = None,
    ends_on: date | None = None,
    expires_on: date | None = None,
    priority: int | None = None,
    rate_minor: int = 9000,
    contract_id: UUID | None = None,
    **terms: Any,
) -> UUID:
    """Draft a contract that covers network and server work at L1 and L2 in office hours, and return its id."""
    for code in ("network", "server"):
        try:
            async with tx.savepoint():
                await clients.define_job_type(tx, code=code, name=code.title(), is_billable=True)
        except clients.JobTypeCodeTaken:
            pass
    calendar = await clients.add_calendar(tx, name="Office hours", document=OFFICE_HOURS)
    rate = {"rule_id": None, "job_type": None, "level": None, "condition": None, "rate_minor": rate_minor}
    card = await clients.add_rate_card(
        tx, {"name": "Standard", "currency": "EUR", "rates": [rate], "overage_rates": []}
    )
    head = {
        "id": contract_id,
        "client_id": client_id,
        "name": "Managed support",
        "kind": kind,
        "starts_on": starts_on or START.date(),
        "ends_on": ends_on,
        "currency": "EUR",
        "rate_card_id": card["id"],
        "priority": priority,
    }
    whole = {
        "calendar_id": str(calendar["id"]),
        "job_types": ["network", "server"],
        "levels": ["L1", "L2"],
        "targets": [a_target(480)],
        **terms,
    }
    bucket = {
        "minutes": minutes,
        "price_minor": 100_000,
        "valid_from": starts_on or START.date(),
        "expires_on": expires_on,
    }
    return await contracts.draft(tx, head, whole, None if kind == "time_and_materials" else bucket)


async def a_client_with_contract(database: Database, **more: Any) -> tuple[UUID, UUID]:
    """Register a client with an active contract and return both ids."""
    code = more.pop("code", "HLO")
    async with database.transaction(SYSTEM) as tx:
        client_id = await a_client(tx, code=code)
        return client_id, await an_active_contract(tx, client_id, **more)


def time_told(entry: TimeEntry, *, client_id: UUID, contract_id: UUID) -> TimeEntryState:
    """Return the event tickets says about a time entry."""
    return _EVENTS[entry.decision](
        occurred_at=CLOCK,
        time_entry_id=entry.id,
        client_id=client_id,
        contract_id=contract_id,
        revision=entry.revision,
        agent_id=entry.agent_id,
        agent_name=entry.agent_name,
        worked_from=entry.work.worked_from,
        worked_minutes=entry.work.worked_minutes,
        job_type=entry.work.job_type,
        level=entry.work.level,
        ticket_id=entry.ticket_id,
        ref=entry.ref,
        note=entry.note,
        status=entry.decision,
    )
