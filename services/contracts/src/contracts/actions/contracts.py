"""Drafting, activating, amending and ending contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from contracts.actions import hours
from contracts.domain.contract import (
    AmendmentTooEarly,
    ContractEndsTooEarly,
    ContractNotActive,
    ContractNotDraft,
    ContractNotReady,
    duplicates,
    missing_for_activation,
    refuse_ambiguous_targets,
)
from contracts.domain.sla_terms import named_credits, refuse_endless_quiet
from contracts.store import books, clients, contracts as store, lots, states
from contracts.store.book_rows import lot_of
from msp_events.base import LEVELS
from msp_events.contracts import (
    BillingTerms,
    ContractActivated,
    ContractAmended,
    ContractEnded,
    RoundingTerms,
)
from msp_kernel.ids import new_id
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound

Row = Mapping[str, Any]

BATCH_SIZE = 50

DEFAULTS: dict[str, Any] = {
    "job_types": [],
    "levels": [],
    "targets": [],
    "thresholds_percent": [50, 75, 90],
    "escalation": [],
    "pausing_statuses": ["waiting_on_client"],
    "first_response_pauses": False,
    "quiet_hours": {},
    "sla_credits": [],
    "rounding": RoundingTerms().model_dump(),
    "weights": [],
    "exhaustion_policy": "overage",
    "multiplier_applies_to_overage": False,
    "fixed_items": [],
    "billing": BillingTerms().model_dump(),
}


class ContractRefTaken(Exception):
    """Another contract has this ref."""


class UnknownJobTypes(Exception):
    """The terms name job types that are not in the catalogue."""


class CurrenciesDiffer(Exception):
    """The rate card is in another currency than the contract."""


class BucketDoesNotFit(Exception):
    """A time and materials contract has no bucket; a retainer's lots follow its months."""


async def draft(tx: Transaction, head: Mapping[str, Any], terms: Mapping[str, Any], bucket: Row | None) -> UUID:
    """Save a draft with its first lot and return its id. With an ``id`` it can be repeated: the known draft stays.

    Raises:
        NotFound: client, calendar or rate card do not exist.
        ContractRefTaken, UnknownJobTypes, CurrenciesDiffer, BucketDoesNotFit, AmbiguousTargets: what is wrong.
    """
    contract_id: UUID = head.get("id") or new_id()
    if await store.head(tx, contract_id) is not None:
        return contract_id
    code = await store.client_code(tx, head["client_id"])
    card = await clients.rate_card(tx, head["rate_card_id"])
    if code is None or card is None:
        raise NotFound
    if card["currency"] != head["currency"]:
        raise CurrenciesDiffer(f"the rate card is in {card['currency']}, the contract in {head['currency']}")
    if head.get("ref") and await store.ref_is_taken(tx, head["ref"]):
        raise ContractRefTaken(f"{head['ref']} is taken")
    if bucket is not None and head["kind"] == "time_and_materials":
        raise BucketDoesNotFit("time and materials have no bucket")
    whole = {**DEFAULTS, **await _checked(tx, terms, since=None)}
    whole |= _rates_of(card) | _grant_of(head["kind"], bucket)
    contract = {
        **head,
        "id": contract_id,
        "ref": head.get("ref") or await store.next_ref(tx),
        "status": "draft",
        "version": 1,
        "revision": 1,
        "created_at": tx.now,
    }
    await store.insert_contract(tx, contract)
    await _insert_version(tx, contract, version=1, effective_from=head["starts_on"], terms=whole)
    if bucket is not None and head["kind"] == "bucket":
        timezone = whole["calendar"]["timezone"]
        await lots.insert_lot(tx, contract=contract, timezone=timezone, origin="purchase", is_granted=False, **bucket)
    return contract_id


async def activate(tx: Transaction, contract_id: UUID) -> None:
    """Bring a draft into force: freeze type, currency and rate card, fund the bucket, say so.

    Raises:
        NotFound: there is no such contract.
        ContractNotDraft: it is in force or over already.
        ContractNotReady: something is missing; the message lists all of it.
    """
    head = await _locked(tx, contract_id)
    if head["status"] != "draft":
        raise ContractNotDraft(f"{head['ref']} is {head['status']}")
    (version,) = (await store.versions(tx, [contract_id]))[contract_id]
    card = await clients.rate_card(tx, head["rate_card_id"])
    assert card is not None, "a draft names a rate card that exists"
    terms = {**version["terms"], **_rates_of(card)}
    of_contract = (await lots.of_contracts(tx, [contract_id]))[contract_id]
    missing = missing_for_activation(terms, kind=head["kind"], lot_count=len(of_contract))
    if missing:
        raise ContractNotReady(f"{head['ref']} needs " + "; ".join(missing))
    await store.update_draft_terms(tx, contract_id, terms)
    await store.update_contract(tx, contract_id, status="active")
    await books.insert_bucket(
        tx, contract_id=contract_id, client_id=head["client_id"], contract_revision=head["revision"] + 1
    )
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    for row in of_contract:
        book.grant(lot_of(row))
    if head["kind"] == "retainer":
        await grant_months(tx, book, head, terms)
    await hours.save(tx, [book])
    await record(tx, ContractActivated(occurred_at=tx.now, **await state(tx, contract_id)))


async def amend(tx: Transaction, contract_id: UUID, *, effective_from: date, name: str | None, terms: Row) -> None:
    """Add a version that changes some terms from a day on; work of the open period since then is stamped anew.

    Raises:
        NotFound: there is no such contract, or no such calendar.
        ContractNotActive: the contract is a draft or over.
        AmendmentTooEarly: the day lies before the contract, before its newest version, or in a closed period.
        UnknownJobTypes, AmbiguousTargets: what is wrong with the terms.
    """
    head = await _locked(tx, contract_id)
    if head["status"] != "active":
        raise ContractNotActive(f"{head['ref']} is {head['status']}")
    newest = (await store.versions(tx, [contract_id]))[contract_id][-1]
    if effective_from < newest["effective_from"]:
        raise AmendmentTooEarly(f"version {newest['version']} is in force from {newest['effective_from']} on")
    whole = {**newest["terms"], **await _checked(tx, terms, since=newest["terms"])}
    effective_at = midnight(effective_from, whole["calendar"]["timezone"])
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    if book.closed_until is not None and effective_at < book.closed_until:
        raise AmendmentTooEarly(f"the period up to {book.closed_until:%Y-%m-%d} is closed")
    version = head["version"] + 1
    await _insert_version(tx, head, version=version, effective_from=effective_from, terms=whole)
    changes = {"version": version} | ({} if name is None else {"name": name})
    await store.update_contract(tx, contract_id, **changes)
    await books.set_contract_revision(tx, contract_id, head["revision"] + 1)
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    entries = await books.open_from(tx, book.contract, effective_at)
    book.reallocate(entries, source=f"contract:{contract_id}:{version}", restamp=True)
    await hours.save(tx, [book])
    await record(tx, ContractAmended(occurred_at=tx.now, **await state(tx, contract_id)))


async def end(tx: Transaction, contract_id: UUID, *, ends_on: date) -> None:
    """End an active contract; an end in the future may be moved.

    Raises:
        NotFound: there is no such contract.
        ContractNotActive: it was never in force.
        ContractEndsTooEarly: it has work on or after that day, or starts later.
    """
    head = await _locked(tx, contract_id)
    if head["status"] == "draft":
        raise ContractNotActive(f"{head['ref']} is a draft")
    newest = (await store.versions(tx, [contract_id]))[contract_id][-1]
    ends_at = midnight(ends_on, newest["terms"]["calendar"]["timezone"])
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    behind = [one for one in await books.open_from(tx, book.contract, ends_at) if one.is_active]
    if ends_on <= head["starts_on"] or behind:
        detail = f"{len(behind)} time entries lie on or after {ends_on}" if behind else f"starts {head['starts_on']}"
        raise ContractEndsTooEarly(f"{head['ref']}: {detail}")
    status = "ended" if ends_at <= tx.now else "active"
    await store.update_contract(tx, contract_id, ends_on=ends_on, status=status)
    await books.set_contract_revision(tx, contract_id, head["revision"] + 1)
    await record(tx, ContractEnded(occurred_at=tx.now, **await state(tx, contract_id)))


async def end_overdue(tx: Transaction) -> bool:
    """End contracts whose last day is over; return whether more may be due."""
    due = await store.overdue(tx, limit=BATCH_SIZE)
    known = await store.versions(tx, due)
    for contract_id in due:
        head = await _locked(tx, contract_id)
        timezone = known[contract_id][-1]["terms"]["calendar"]["timezone"]
        if midnight(head["ends_on"], timezone) > tx.now:
            continue
        await books.open_books(tx, [contract_id])
        await store.update_contract(tx, contract_id, status="ended")
        await books.set_contract_revision(tx, contract_id, head["revision"] + 1)
        await record(tx, ContractEnded(occurred_at=tx.now, **await state(tx, contract_id)))
    return False


async def top_up(tx: Transaction, contract_id: UUID, lot: Row) -> None:
    """Fund an active bucket with another lot; overage of the open period that it can pay for becomes bucket work.

    Raises:
        NotFound: there is no such contract.
        ContractNotActive: it is a draft or over.
        BucketDoesNotFit: time and materials have no bucket.
        AmendmentTooEarly: the lot would start in a closed period.
    """
    head = await _locked(tx, contract_id)
    if head["status"] != "active":
        raise ContractNotActive(f"{head['ref']} is {head['status']}")
    if head["kind"] == "time_and_materials":
        raise BucketDoesNotFit("time and materials have no bucket")
    newest = (await store.versions(tx, [contract_id]))[contract_id][-1]
    timezone = newest["terms"]["calendar"]["timezone"]
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    if book.closed_until is not None and midnight(lot["valid_from"], timezone) < book.closed_until:
        raise AmendmentTooEarly(f"the period up to {book.closed_until:%Y-%m-%d} is closed")
    row = await lots.insert_lot(tx, contract=head, timezone=timezone, origin="top_up", is_granted=True, **lot)
    await store.update_contract(tx, contract_id)
    await books.set_contract_revision(tx, contract_id, head["revision"] + 1)
    book.grant(lot_of(row))
    book.is_exhausted = False
    entries = [one for one in await books.open_from(tx, book.contract, row["starts_at"]) if one.is_active]
    book.reallocate(entries, source=f"lot:{row['id']}")
    await hours.save(tx, [book])
    await record(tx, ContractAmended(occurred_at=tx.now, **await state(tx, contract_id)))


async def grant_months(tx: Transaction, book: Any, head: Row, terms: Row) -> None:
    """Grant a retainer the lot of every month that has begun and has none yet; each lapses when its month ends."""
    today = tx.now.date()
    known = {row["valid_from"] for row in (await lots.of_contracts(tx, [head["id"]]))[head["id"]]}
    starts_on: date = head["starts_on"]
    while starts_on <= today and (head["ends_on"] is None or starts_on < head["ends_on"]):
        ends_on = _next_month(starts_on)
        if starts_on not in known:
            row = await lots.insert_lot(
                tx,
                contract=head,
                timezone=terms["calendar"]["timezone"],
                origin="retainer",
                minutes=terms["grant_minutes"],
                price_minor=terms["grant_price_minor"],
                valid_from=starts_on,
                expires_on=ends_on,
                is_granted=True,
            )
            book.grant(lot_of(row))
            book.is_exhausted = False
        starts_on = ends_on


async def state(tx: Transaction, contract_id: UUID) -> dict[str, Any]:
    """Return the members of a contract event: head, newest version, and lots with a price as one-off items."""
    head = await store.head(tx, contract_id)
    assert head is not None, "the contract was just changed"
    newest = (await store.versions(tx, [contract_id]))[contract_id][-1]
    of_contract = (await lots.of_contracts(tx, [contract_id]))[contract_id]
    return states.contract_state(head, newest, of_contract)


def _next_month(on: date) -> date:
    return date(on.year + on.month // 12, on.month % 12 + 1, 1)


def _rates_of(card: Row) -> dict[str, Any]:
    return {
        "rates": card["rates"],
        "overage_rates": card["overage_rates"],
        "rate_card_version": card["version"],
    }


def _grant_of(kind: str, bucket: Row | None) -> dict[str, Any]:
    if kind != "retainer" or bucket is None:
        return {"grant_minutes": 0, "grant_price_minor": 0}
    return {"grant_minutes": bucket["minutes"], "grant_price_minor": bucket["price_minor"]}


async def _locked(tx: Transaction, contract_id: UUID) -> Row:
    head = await store.head(tx, contract_id, is_locked=True)
    if head is None:
        raise NotFound
    return head


async def _insert_version(tx: Transaction, contract: Row, *, version: int, effective_from: date, terms: Row) -> None:
    await store.insert_version(
        tx,
        {
            "client_id": contract["client_id"],
            "contract_id": contract["id"],
            "version": version,
            "effective_from": effective_from,
            "terms": terms,
            "recorded_at": tx.now,
            "actor": tx.scope.actor,
        },
    )


async def _checked(tx: Transaction, terms: Row, *, since: Row | None) -> dict[str, Any]:
    """Return given terms, completed with what follows from the catalogue."""
    checked = dict(terms)
    if "calendar_id" in checked:
        calendar = await clients.calendar(tx, UUID(checked["calendar_id"]))
        if calendar is None:
            raise NotFound
        checked["calendar"] = calendar["calendar"]
    if "job_types" in checked or "non_billable_job_types" in checked:
        named = [*checked.get("job_types", ()), *checked.get("non_billable_job_types", ())]
        known = await clients.job_types_of(tx, named)
        unknown = sorted(set(named) - set(known))
        if unknown:
            raise UnknownJobTypes(f"not in the catalogue: {', '.join(unknown)}")
        if "non_billable_job_types" not in checked:
            kept = [] if since is None else since["non_billable_job_types"]
            free = {code for code, row in known.items() if not row["is_billable"]}
            checked["non_billable_job_types"] = sorted(free | set(kept))
    checked.setdefault("non_billable_job_types", [] if since is None else since["non_billable_job_types"])
    if "levels" in checked:
        checked["levels"] = [level for level in LEVELS if level in checked["levels"]]
    if "targets" in checked:
        checked["targets"] = _named(checked["targets"])
        refuse_ambiguous_targets(checked["targets"])
    if quiet := checked.get("quiet_hours", {} if since is None else since.get("quiet_hours", {})):
        timezone = (checked.get("calendar") or (since or {})["calendar"])["timezone"]
        refuse_endless_quiet(quiet, timezone=timezone)
    if "sla_credits" in checked:
        checked["sla_credits"] = named_credits(checked["sla_credits"])
    if "fixed_items" in checked:
        checked["fixed_items"] = [
            {**one, "item_id": one["item_id"] or f"item.{n}"} for n, one in enumerate(checked["fixed_items"], start=1)
        ]
    return checked


def _named(targets: Sequence[Row]) -> list[dict[str, Any]]:
    """Return targets with a rule id each, all different."""
    named = []
    for target in targets:
        keys = [target[key] for key in ("priority", "level", "job_type") if target[key] is not None]
        rule_id = target["rule_id"] or f"target.{target['metric']}.{'.'.join(keys) or 'any'}"
        named.append({**target, "rule_id": rule_id})
    repeated = duplicates([one["rule_id"] for one in named])
    return [
        {**one, "rule_id": f"{one['rule_id']}.{n}"} if one["rule_id"] in repeated else one
        for n, one in enumerate(named, start=1)
    ]
