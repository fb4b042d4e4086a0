"""The terms of a version: completed from the catalogue, linted, and tried on the contract's own tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from contracts.domain.cases import ContractTestsFailed, Outcome, case_of, outcome
from contracts.domain.contract import duplicates
from contracts.domain.lint import Claim, Finding, lint
from contracts.domain.promises import refuse_ambiguous_targets
from contracts.domain.sla_terms import named_credits, refuse_endless_quiet
from contracts.store import cases, clients, contracts as store, lots
from msp_events.base import LEVELS
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

Row = Mapping[str, Any]
SCOPES = ("job_types", "non_billable_job_types")


class UnknownJobTypes(Exception):
    """The terms name job types that are not in the catalogue."""


async def completed(tx: Transaction, terms: Row, *, since: Row | None) -> dict[str, Any]:
    """Return given terms, completed with what follows from the catalogue; ``since`` are the terms before.

    Raises:
        NotFound: there is no such calendar.
        UnknownJobTypes: names every job type that is not in the catalogue.
        AmbiguousTargets: two targets are equally specific.
    """
    complete = dict(terms)
    if "calendar_id" in complete:
        calendar = await clients.calendar(tx, UUID(complete["calendar_id"]))
        if calendar is None:
            raise NotFound
        complete["calendar"] = calendar["calendar"]
    named = _job_types_of(complete, ("targets", "weights"))
    known = await clients.job_types_of(tx, sorted(named))
    if unknown := sorted(named - set(known)):
        raise UnknownJobTypes(f"not in the catalogue: {', '.join(unknown)}")
    if "job_types" in complete and "non_billable_job_types" not in complete:
        kept = [] if since is None else since["non_billable_job_types"]
        free = {code for code in complete["job_types"] if not known[code]["is_billable"]}
        complete["non_billable_job_types"] = sorted(free | set(kept))
    complete.setdefault("non_billable_job_types", [] if since is None else since["non_billable_job_types"])
    if "levels" in complete:
        complete["levels"] = [level for level in LEVELS if level in complete["levels"]]
    if "targets" in complete:
        complete["targets"] = _with_rule_ids(complete["targets"])
        refuse_ambiguous_targets(complete["targets"])
    if quiet := complete.get("quiet_hours", {} if since is None else since.get("quiet_hours", {})):
        timezone = (complete.get("calendar") or (since or {})["calendar"])["timezone"]
        refuse_endless_quiet(quiet, timezone=timezone)
    if "sla_credits" in complete:
        complete["sla_credits"] = named_credits(complete["sla_credits"])
    if "fixed_items" in complete:
        complete["fixed_items"] = [
            {**one, "item_id": one["item_id"] or f"item.{n}"} for n, one in enumerate(complete["fixed_items"], start=1)
        ]
    return complete


async def linted(tx: Transaction, head: Row, terms: Row, *, effective_from: date, lot_count: int) -> list[Finding]:
    """Return what the linter says about terms, with the catalogue and the client's other contracts before it."""
    named = _job_types_of(terms, ("targets", "weights", "rates", "overage_rates"))
    known = await clients.job_types_of(tx, sorted(named))
    return lint(
        terms,
        kind=head["kind"],
        lot_count=lot_count,
        known_job_types=set(known),
        effective_from=effective_from,
        own=_claim({**head, "terms": terms}),
        others=[_claim(one) for one in await store.other_claims(tx, head)],
    )


async def tried(tx: Transaction, head: Row, version: Row) -> list[Outcome]:
    """Return the outcome of every test of a contract under one version, in force or still to come."""
    contract = store.contract_of(head, [version])
    return [
        outcome(case_of(row["document"]), contract, contract.versions[0])
        for row in await cases.of_contract(tx, head["id"])
    ]


def refuse_failing(head: Row, outcomes: Sequence[Outcome]) -> None:
    """Let terms through under which all tests of their contract pass.

    Raises:
        ContractTestsFailed: says of each failing test what was expected and what was found.
    """
    failing = [one.text for one in outcomes if not one.is_passed]
    if failing:
        raise ContractTestsFailed(f"{head['ref']}: {'; '.join(failing)}")


def _claim(contract: Row) -> Claim:
    return Claim(
        ref=contract["ref"],
        priority=contract["priority"],
        job_types=frozenset(contract["terms"]["job_types"]),
        levels=frozenset(contract["terms"]["levels"]),
        starts_on=contract["starts_on"],
        ends_on=contract["ends_on"],
    )


def _job_types_of(terms: Row, places: Sequence[str]) -> set[str]:
    scoped = {code for scope in SCOPES for code in terms.get(scope, ())}
    return scoped | {one["job_type"] for place in places for one in terms.get(place, ()) if one["job_type"] is not None}


def _with_rule_ids(targets: Sequence[Row]) -> list[dict[str, Any]]:
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


async def examined(tx: Transaction, contract_id: UUID) -> tuple[int, list[Finding]]:
    """Return the number of a contract's newest version and what the linter says about it.

    Raises:
        NotFound: there is no such contract.
    """
    head, rows = await _loaded(tx, contract_id)
    newest = rows[-1]
    lot_count = len((await lots.of_contracts(tx, [contract_id]))[contract_id])
    found = await linted(tx, head, newest["terms"], effective_from=newest["effective_from"], lot_count=lot_count)
    return newest["version"], found


async def tried_on(tx: Transaction, contract_id: UUID, *, version: int | None) -> tuple[int, list[Outcome]]:
    """Return the outcome of a contract's tests under one of its versions, the newest unless one is named.

    Raises:
        NotFound: there is no such contract or version.
    """
    head, rows = await _loaded(tx, contract_id)
    wanted = [row for row in rows if version in (None, row["version"])]
    if not wanted:
        raise NotFound
    return wanted[-1]["version"], await tried(tx, head, wanted[-1])


async def _loaded(tx: Transaction, contract_id: UUID) -> tuple[Row, Sequence[Row]]:
    head = await store.head(tx, contract_id)
    if head is None:
        raise NotFound
    return head, (await store.versions(tx, [contract_id]))[contract_id]
