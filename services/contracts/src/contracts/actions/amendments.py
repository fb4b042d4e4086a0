"""Amending contracts: new versions from a day on, which leave everything before as it was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from contracts.actions import hours
from contracts.actions.contracts import BucketDoesNotFit, insert_version, locked, rates_of, state
from contracts.actions.terms import completed, linted, refuse_failing, tried
from contracts.domain.cases import Outcome
from contracts.domain.contract import (
    FROZEN_AT_ACTIVATION,
    AmendedMeanwhile,
    AmendmentTooEarly,
    ContractNotActive,
    TermsFrozen,
    TermsRefused,
    refuse_overlap_and_gap,
)
from contracts.domain.difference import Difference, differences
from contracts.domain.lint import Finding, refusals
from contracts.store import books, clients, contracts as store
from msp_events.contracts import ContractAmended
from msp_kernel.periods import midnight
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound

Row = Mapping[str, Any]
OF_HEAD = ("name", "priority")
OF_GRANT = ("grant_minutes", "grant_price_minor")


@dataclass(frozen=True, slots=True)
class Proposal:
    """An amendment that was thought through and not made: what it would change, and what speaks against it."""

    head: Row
    version: Row
    """Number, first day and whole terms of the version it would add."""
    changes: list[Difference]
    findings: list[Finding]
    outcomes: list[Outcome]
    """Of the contract's tests; none while the linter refuses the terms."""


async def proposed(
    tx: Transaction,
    contract_id: UUID,
    changes: Mapping[str, Any],
    terms: Row,
    *,
    effective_from: date,
    effective_to: date | None = None,
    after_version: int | None = None,
) -> Proposal:
    """Think an amendment through without making it. The arguments are those of ``amend``.

    Raises:
        NotFound: there is no such contract, calendar or version of its rate card.
        ContractNotActive: the contract is a draft or over.
        AmendedMeanwhile: another version than ``after_version`` is the newest one.
        TermsFrozen: the change would touch what is frozen at activation.
        AmendmentTooEarly, VersionsOverlap, VersionsLeaveGap: the days do not fit.
        BucketDoesNotFit: only a retainer has hours each month.
        UnknownJobTypes, AmbiguousTargets: what is wrong with the terms.
    """
    head = await locked(tx, contract_id)
    if head["status"] != "active":
        raise ContractNotActive(f"{head['ref']} is {head['status']}")
    if after_version not in (None, head["version"]):
        raise AmendedMeanwhile(
            f"version {head['version']} is the newest one, the change was decided on {after_version}"
        )
    _refuse_thawing(head, changes)
    known = (await store.versions(tx, [contract_id]))[contract_id]
    refuse_overlap_and_gap(
        [one["effective_from"] for one in known],
        effective_from=effective_from,
        effective_to=effective_to,
        ends_on=head["ends_on"],
    )
    newest = known[-1]["terms"]
    whole = {**newest, **await completed(tx, terms, since=newest), **await _priced(tx, head, changes)}
    effective_at = midnight(effective_from, whole["calendar"]["timezone"])
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    if book.closed_until is not None and effective_at < book.closed_until:
        raise AmendmentTooEarly(f"the period up to {book.closed_until:%Y-%m-%d} is closed")
    own = {**head, **{name: changes[name] for name in OF_HEAD if name in changes}}
    findings = await linted(tx, own, whole, effective_from=effective_from, lot_count=len(book.lots))
    version = {"version": head["version"] + 1, "effective_from": effective_from, "terms": whole}
    before = {**newest, **{name: head[name] for name in OF_HEAD}}
    after = {**whole, **{name: own[name] for name in OF_HEAD}}
    return Proposal(
        head=head,
        version=version,
        changes=differences(before, after, currency=head["currency"]),
        findings=findings,
        outcomes=[] if refusals(findings) else await tried(tx, head, version),
    )


async def amend(
    tx: Transaction,
    contract_id: UUID,
    changes: Mapping[str, Any],
    terms: Row,
    *,
    effective_from: date,
    effective_to: date | None = None,
    after_version: int | None = None,
) -> None:
    """Add a version that changes some terms from a day on; work of the open period since then is stamped anew.

    ``changes`` are those of the head (name, priority), of the monthly hours of a retainer, and the version of the rate
    card; what is frozen may be named as it is. ``after_version`` is the newest version known to whoever decided.

    Raises:
        TermsRefused: the linter refuses the terms.
        ContractTestsFailed: the contract's own tests do not hold any more.
        Exception: what ``proposed`` raises.
    """
    proposal = await proposed(
        tx,
        contract_id,
        changes,
        terms,
        effective_from=effective_from,
        effective_to=effective_to,
        after_version=after_version,
    )
    head, version = proposal.head, proposal.version
    if refused := refusals(proposal.findings):
        raise TermsRefused(f"{head['ref']}: {refused}")
    refuse_failing(head, proposal.outcomes)
    await insert_version(tx, head, **version)
    own = {name: changes[name] for name in OF_HEAD if name in changes}
    await store.update_contract(tx, contract_id, version=version["version"], **own)
    await books.set_contract_revision(tx, contract_id, head["revision"] + 1)
    book = (await books.open_books(tx, [contract_id]))[contract_id]
    effective_at = midnight(effective_from, version["terms"]["calendar"]["timezone"])
    entries = await books.open_from(tx, book.contract, effective_at)
    beside = await books.beside(tx, book.contract, entries)
    book.reallocate(entries, source=f"contract:{contract_id}:{version['version']}", restamp=True, beside=beside)
    await hours.save(tx, [book])
    await record(tx, ContractAmended(occurred_at=tx.now, **await state(tx, contract_id)))


async def _priced(tx: Transaction, head: Row, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the terms that follow from a newer version of the rate card and from other hours each month."""
    found: dict[str, Any] = {name: changes[name] for name in OF_GRANT if name in changes}
    if found and head["kind"] != "retainer":
        raise BucketDoesNotFit(f"{head['ref']} is no retainer: fund its bucket with another lot")
    if "rate_card_version" in changes:
        card = await clients.rate_card(tx, head["rate_card_id"], version=changes["rate_card_version"])
        if card is None:
            raise NotFound
        found |= rates_of(card)
    return found


def _refuse_thawing(head: Row, changes: Mapping[str, Any]) -> None:
    thawed = [name for name in FROZEN_AT_ACTIVATION if name in changes and changes[name] != head[name]]
    if thawed:
        listed = ", ".join(f"{name} is {head[name]}" for name in thawed)
        raise TermsFrozen(f"{head['ref']} is active: {listed} for good; a new contract can have another")
