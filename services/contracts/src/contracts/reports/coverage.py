"""What the one resolver of coverage answers: before work starts, and about an entry that is in the ledger."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from contracts.domain.allocation import Fact, Split, allocate, in_order_of_consumption, payers
from contracts.domain.book import DECLINED, EXHAUSTED
from contracts.domain.contract import Contract
from contracts.domain.coverage import Check, Coverage, Work, answer, choose_contract, resolve
from contracts.domain.entry import NOTHING
from contracts.domain.pricing import priced
from contracts.store import contracts as store
from contracts.store.book_rows import hours_from, lot_of
from contracts.store.states import span
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

_NOBODY = UUID(int=2**128 - 1)
"""Sorts after every entry: what is only asked about comes last."""


async def preview(tx: Transaction, *, contract_id: UUID | None, client_id: UUID | None, work: Work) -> dict[str, Any]:
    """Return what would become of work if it were logged now, after everything that is logged already.

    Without a contract, the one of the client's that goes first among those that cover the work.

    Raises:
        NotFound: there is no such contract, it is not the caller's, or the client has none.
        AmbiguousContract: several contracts would go first.
    """
    if contract_id is not None:
        contract = await store.contract(tx, contract_id)
    else:
        of_client = [] if client_id is None else await store.of_client(tx, client_id, at=work.worked_from)
        contract = choose_contract(of_client, work) if of_client else None
    if contract is None:
        raise NotFound
    coverage = resolve(contract, work)
    rows = await tx.fetch("SELECT * FROM lots WHERE contract_id = $1 AND is_granted AND NOT is_closed", contract.id)
    lots = in_order_of_consumption(lot_of(row).lot for row in rows)
    terms = coverage.terms
    before = sum(lot.left_minutes for lot in payers(lots, at=work.worked_from, policy=terms.policy))
    split: Split = NOTHING
    checks = coverage.checks
    if coverage.refusal is None:
        fact = Fact(_NOBODY, work.worked_from, coverage.demands, terms.policy)
        split = allocate(lots, [fact]).splits[_NOBODY]
        checks = (*checks, EXHAUSTED) if split.is_refused else checks
    told = _told(contract, work, coverage, split, checks)
    return {
        **told,
        "available_before_minutes": before,
        "available_after_minutes": before - split.bucket_minutes,
    }


async def of_entry(tx: Transaction, time_entry_id: UUID) -> dict[str, Any]:
    """Return what the resolver says of an entry of the ledger, with what its bucket really paid.

    Raises:
        NotFound: it is not known here, or not the caller's.
    """
    row = await tx.fetchrow("SELECT * FROM hours WHERE time_entry_id = $1", time_entry_id)
    contract = None if row is None else await store.contract(tx, row["contract_id"])
    if row is None or contract is None:
        raise NotFound
    found = hours_from(row)
    work = found.entry.work
    coverage = resolve(contract, work)
    checks = coverage.checks
    if found.refusal is not None and found.refusal.rule in (DECLINED.rule, EXHAUSTED.rule):
        checks = (*checks, found.refusal)
    split = found.split if found.is_active else NOTHING
    told = _told(contract, work, coverage, split, checks)
    is_agreed = told["answer"] == "needs_approval" and not found.awaits_consent
    return {
        **told,
        "answer": "not_covered" if found.status == "refused" else "overage" if is_agreed else told["answer"],
        "available_before_minutes": None,
        "available_after_minutes": None,
    }


def _told(
    contract: Contract, work: Work, coverage: Coverage, split: Split, checks: Sequence[Check]
) -> Mapping[str, Any]:
    prices = priced(split.parts, coverage.terms, job_type=work.job_type, level=work.level)
    return {
        "contract_id": contract.id,
        "contract_ref": contract.ref,
        "contract_version": coverage.terms.version,
        "answer": answer(coverage, split),
        "policy": coverage.terms.policy,
        "checks": [{"rule": check.rule, "is_passed": check.is_passed, "text": check.text} for check in checks],
        "worked_minutes": work.worked_minutes,
        "billed_minutes": split.billed_minutes or coverage.billed_minutes,
        "bucket_minutes": split.bucket_minutes,
        "excluded_minutes": split.excluded_minutes,
        "time_and_materials_minutes": split.time_and_materials_minutes,
        "spans": [span(part).model_dump() for part in split.parts],
        "overage_minutes": split.overage_minutes,
        "overage_price_minor": prices.overage_minor,
        "price_minor": prices.total_minor,
        "currency": contract.currency,
    }
