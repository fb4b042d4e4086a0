"""Drafting, activating, amending and ending contracts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from contracts.actions import hours
from contracts.actions.terms import completed, linted, refuse_failing, tried
from contracts.domain.contract import (
    PRIORITY,
    AmendmentTooEarly,
    ContractEndsTooEarly,
    ContractNotActive,
    ContractNotDraft,
    ContractNotReady,
)
from contracts.domain.lint import refusals
from contracts.store import books, clients, contracts as store, lots, states
from contracts.store.book_rows import lot_of
from msp_events.contracts import (
    BillingTerms,
    ContractActivated,
    ContractAmended,
    ContractEnded,
    RoundingTerms,
)
from msp_kernel.ids import new_id
from msp_kernel.periods import day_of, midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from msp_kit.revisions import refuse_stale

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
    "rollover": None,
    "bucket_thresholds_percent": [75, 90, 100],
}


class ContractRefTaken(Exception):
    """Another contract has this ref."""


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
    _refuse_other_currency(card, head["currency"])
    if head.get("ref") and await store.ref_is_taken(tx, head["ref"]):
        raise ContractRefTaken(f"{head['ref']} is taken")
    if bucket is not None and head["kind"] == "time_and_materials":
        raise BucketDoesNotFit("time and materials have no bucket")
    whole = {**DEFAULTS, **await completed(tx, terms, since=None)}
    whole |= rates_of(card) | _grant_of(head["kind"], bucket)
    contract = {
        **head,
        "id": contract_id,
        "ref": head.get("ref") or await store.next_ref(tx),
        "status": "draft",
        "version": 1,
        "revision": 1,
        "priority": head.get("priority") or PRIORITY,
        "created_at": tx.now,
    }
    await store.insert_contract(tx, contract)
    await insert_version(tx, contract, version=1, effective_from=head["starts_on"], terms=whole)
    if bucket is not None and head["kind"] == "bucket":
        timezone = whole["calendar"]["timezone"]
        await lots.insert_lot(tx, contract=contract, timezone=timezone, origin="purchase", is_granted=False, **bucket)
    return contract_id


async def redraft(
    tx: Transaction,
    contract_id: UUID,
    changes: Mapping[str, Any],
    terms: Mapping[str, Any],
    *,
    if_revision: int | None = None,
) -> None:
    """Change a draft: name, end, priority, rate card and terms.

    Raises:
        NotFound: there is no such contract, calendar or rate card.
        Conflict: somebody changed it since ``if_revision``.
        ContractNotDraft: it is in force or over; amend it instead.
        ContractEndsTooEarly: it would end before it starts.
        CurrenciesDiffer, UnknownJobTypes, AmbiguousTargets: what is wrong.
    """
    head = await locked(tx, contract_id)
    if head["status"] != "draft":
        raise ContractNotDraft(f"{head['ref']} is {head['status']}: amend it instead")
    refuse_stale(head["ref"], revision=head["revision"], read=if_revision)
    ends_on = changes.get("ends_on")
    if ends_on is not None and ends_on <= head["starts_on"]:
        raise ContractEndsTooEarly(f"{head['ref']} starts on {head['starts_on']}")
    (version,) = (await store.versions(tx, [contract_id]))[contract_id]
    whole = {**version["terms"], **await completed(tx, terms, since=version["terms"])}
    if "rate_card_id" in changes:
        card = await clients.rate_card(tx, changes["rate_card_id"])
        if card is None:
            raise NotFound
        _refuse_other_currency(card, head["currency"])
        whole |= rates_of(card)
    await store.update_draft_terms(tx, contract_id, whole)
    await store.move_draft_lots(tx, contract_id, timezone=whole["calendar"]["timezone"])
    await store.update_contract(tx, contract_id, **changes)


async def activate(tx: Transaction, contract_id: UUID) -> None:
    """Bring a draft into force: freeze type, currency and rate card, fund the bucket, say so.

    Raises:
        NotFound: there is no such contract.
        ContractNotDraft: it is in force or over already.
        ContractNotReady: something is missing or wrong; the message lists all of it.
        ContractTestsFailed: its own tests do not hold.
    """
    head = await locked(tx, contract_id)
    if head["status"] != "draft":
        raise ContractNotDraft(f"{head['ref']} is {head['status']}")
    (version,) = (await store.versions(tx, [contract_id]))[contract_id]
    card = await clients.rate_card(tx, head["rate_card_id"])
    assert card is not None, "a draft names a rate card that exists"
    terms = {**version["terms"], **rates_of(card)}
    of_contract = (await lots.of_contracts(tx, [contract_id]))[contract_id]
    starts_on, lot_count = head["starts_on"], len(of_contract)
    findings = await linted(tx, head, terms, effective_from=starts_on, lot_count=lot_count)
    if refused := refusals(findings):
        raise ContractNotReady(f"{head['ref']}: {refused}")
    refuse_failing(head, await tried(tx, head, {**version, "terms": terms}))
    await store.update_draft_terms(tx, contract_id, terms)
    await store.update_contract(tx, contract_id, status="active")
    await books.insert_bucket(
        tx, contract_id=contract_id, client_id=head["client_id"], contract_revision=head["revision"] + 1
    )
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    for row in of_contract:
        book.grant(lot_of(row))
    if head["kind"] == "retainer":
        await grant_months(tx, book, head, [{**version, "terms": terms}])
    await hours.save(tx, [book])
    await record(tx, ContractActivated(occurred_at=tx.now, **await state(tx, contract_id)))


async def end(tx: Transaction, contract_id: UUID, *, ends_on: date) -> None:
    """End an active contract; an end in the future may be moved.

    Raises:
        NotFound: there is no such contract.
        ContractNotActive: it was never in force.
        ContractEndsTooEarly: it has work on or after that day, or starts later.
    """
    head = await locked(tx, contract_id)
    if head["status"] != "active":
        raise ContractNotActive(f"{head['ref']} is {head['status']}")
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
        head = await locked(tx, contract_id)
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
    head = await locked(tx, contract_id)
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
    behind = await books.payable_from(tx, book.contract, row["starts_at"])
    book.reallocate(behind, source=f"lot:{row['id']}")
    book.rearm()
    await hours.save(tx, [book])
    await record(tx, ContractAmended(occurred_at=tx.now, **await state(tx, contract_id)))


async def grant_months(tx: Transaction, book: Any, head: Row, versions: Sequence[Row]) -> None:
    """Grant a retainer the lot of every month that has begun and has none yet; each lapses when its month ends.

    ``versions`` are those of the contract, oldest first: a month has the hours of the one in force on its first day.
    """
    timezone = versions[-1]["terms"]["calendar"]["timezone"]
    today = day_of(tx.now, timezone)
    known = {row["valid_from"] for row in (await lots.of_contracts(tx, [head["id"]]))[head["id"]]}
    starts_on: date = head["starts_on"]
    while starts_on <= today and (head["ends_on"] is None or starts_on < head["ends_on"]):
        ends_on = _next_month(starts_on)
        if starts_on not in known:
            terms = next((one for one in reversed(versions) if one["effective_from"] <= starts_on), versions[0])[
                "terms"
            ]
            row = await lots.insert_lot(
                tx,
                contract=head,
                timezone=timezone,
                origin="retainer",
                minutes=terms["grant_minutes"],
                price_minor=terms["grant_price_minor"],
                valid_from=starts_on,
                expires_on=ends_on,
                is_granted=True,
            )
            book.grant(lot_of(row))
            book.rearm()
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


def rates_of(card: Row) -> dict[str, Any]:
    """Return the terms a rate card gives to a version."""
    return {
        "rates": card["rates"],
        "overage_rates": card["overage_rates"],
        "rate_card_version": card["version"],
    }


def _grant_of(kind: str, bucket: Row | None) -> dict[str, Any]:
    if kind != "retainer" or bucket is None:
        return {"grant_minutes": 0, "grant_price_minor": 0}
    return {"grant_minutes": bucket["minutes"], "grant_price_minor": bucket["price_minor"]}


def _refuse_other_currency(card: Row, currency: str) -> None:
    if card["currency"] != currency:
        raise CurrenciesDiffer(f"the rate card is in {card['currency']}, the contract in {currency}")


async def locked(tx: Transaction, contract_id: UUID) -> Row:
    """Lock the head of a contract and return it.

    Raises:
        NotFound: there is no such contract.
    """
    head = await store.head(tx, contract_id, is_locked=True)
    if head is None:
        raise NotFound
    return head


async def insert_version(tx: Transaction, contract: Row, *, version: int, effective_from: date, terms: Row) -> None:
    """Save a version of a contract, with who made it and when."""
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
