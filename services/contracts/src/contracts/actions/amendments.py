"""Amending contracts: new versions from a day on, which leave everything before as it was."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from contracts.actions import hours
from contracts.actions.contracts import insert_version, locked, rates_of, state
from contracts.actions.terms import completed, linted, refuse_failing
from contracts.domain.contract import (
    FROZEN_AT_ACTIVATION,
    AmendmentTooEarly,
    ContractNotActive,
    TermsFrozen,
    TermsRefused,
    refuse_overlap_and_gap,
)
from contracts.domain.lint import refusals
from contracts.store import books, clients, contracts as store
from msp_events.contracts import ContractAmended
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound

Row = Mapping[str, Any]


async def amend(
    tx: Transaction,
    contract_id: UUID,
    changes: Mapping[str, Any],
    terms: Row,
    *,
    effective_from: date,
    effective_to: date | None = None,
) -> None:
    """Add a version that changes some terms from a day on; work of the open period since then is stamped anew.

    ``changes`` are those of the head (name, priority, version of the rate card); what is frozen may be named as it is.

    Raises:
        NotFound: there is no such contract, calendar or version of its rate card.
        ContractNotActive: the contract is a draft or over.
        TermsFrozen: the change would touch what is frozen at activation.
        AmendmentTooEarly, VersionsOverlap, VersionsLeaveGap: the days do not fit.
        UnknownJobTypes, AmbiguousTargets, TermsRefused: what is wrong with the terms.
        ContractTestsFailed: the contract's own tests do not hold any more.
    """
    head = await locked(tx, contract_id)
    if head["status"] != "active":
        raise ContractNotActive(f"{head['ref']} is {head['status']}")
    _refuse_thawing(head, changes)
    known = (await store.versions(tx, [contract_id]))[contract_id]
    refuse_overlap_and_gap(
        [one["effective_from"] for one in known],
        effective_from=effective_from,
        effective_to=effective_to,
        ends_on=head["ends_on"],
    )
    newest = known[-1]
    whole = {**newest["terms"], **await completed(tx, terms, since=newest["terms"])}
    if "rate_card_version" in changes:
        card = await clients.rate_card(tx, head["rate_card_id"], version=changes["rate_card_version"])
        if card is None:
            raise NotFound
        whole |= rates_of(card)
    effective_at = midnight(effective_from, whole["calendar"]["timezone"])
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    if book.closed_until is not None and effective_at < book.closed_until:
        raise AmendmentTooEarly(f"the period up to {book.closed_until:%Y-%m-%d} is closed")
    version = head["version"] + 1
    own = {name: changes[name] for name in ("name", "priority") if name in changes}
    findings = await linted(tx, {**head, **own}, whole, effective_from=effective_from, lot_count=len(book.lots))
    if refused := refusals(findings):
        raise TermsRefused(f"{head['ref']}: {refused}")
    await refuse_failing(tx, head, {"version": version, "effective_from": effective_from, "terms": whole})
    await insert_version(tx, head, version=version, effective_from=effective_from, terms=whole)
    await store.update_contract(tx, contract_id, version=version, **own)
    await books.set_contract_revision(tx, contract_id, head["revision"] + 1)
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    entries = await books.open_from(tx, book.contract, effective_at)
    beside = await books.beside(tx, book.contract, entries)
    book.reallocate(entries, source=f"contract:{contract_id}:{version}", restamp=True, beside=beside)
    await hours.save(tx, [book])
    await record(tx, ContractAmended(occurred_at=tx.now, **await state(tx, contract_id)))


def _refuse_thawing(head: Row, changes: Mapping[str, Any]) -> None:
    thawed = [name for name in FROZEN_AT_ACTIVATION if name in changes and changes[name] != head[name]]
    if thawed:
        listed = ", ".join(f"{name} is {head[name]}" for name in thawed)
        raise TermsFrozen(f"{head['ref']} is active: {listed} for good; a new contract can have another")
