"""Contract tests: what the MSP wants to be true of a contract, computed by the functions that run production.

A case says what is given, what happens, and what is expected of it: "a critical ticket on Sunday is due in 1 h",
"90 min after exhaustion cost 138.00". It is tried on the version it is run for, whatever the day, so that the cases of
a contract hold for every version to come.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any, Literal
from uuid import UUID

from contracts.domain.allocation import Fact, Level, Lot, Split, allocate
from contracts.domain.contract import Contract, Terms
from contracts.domain.coverage import Work, answer, resolve
from contracts.domain.entry import NOTHING
from contracts.domain.pricing import priced
from msp_kernel.money import Money
from msp_kernel.periods import day_of
from msp_kernel.targets import Key, Metric, choose
from msp_kernel.zones import instant_of, zone_of

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAY_TIME = re.compile(rf"({'|'.join(DAYS)}) ([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_NOBODY = UUID(int=0)
_MINUTE = timedelta(minutes=1)
_WEEK_DAYS = 7


class ContractTestsFailed(Exception):
    """Contract tests fail under the terms that would come into force: each with what was expected and what was found."""


class BadCase(ValueError):
    """A contract test cannot be read: the message says what would be."""


@dataclass(frozen=True, slots=True)
class Raised:
    """A ticket is raised."""

    priority: str
    level: str
    job_type: str
    at: str
    metric: Metric = "resolution"


@dataclass(frozen=True, slots=True)
class Worked:
    """Time is logged."""

    job_type: str
    level: Level
    at: str
    minutes: int


@dataclass(frozen=True, slots=True)
class Case:
    """One contract test. ``available_minutes`` is what the bucket has left."""

    name: str
    when: Raised | Worked
    expect: Mapping[str, Any]
    available_minutes: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """One expectation and what was found."""

    what: str
    expected: Any
    found: Any

    @property
    def is_met(self) -> bool:
        """Return whether the expectation holds."""
        return bool(self.expected == self.found)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a case."""

    name: str
    comparisons: tuple[Comparison, ...]

    @property
    def is_passed(self) -> bool:
        """Return whether every expectation holds."""
        return all(one.is_met for one in self.comparisons)

    @property
    def text(self) -> str:
        """Return the outcome in one sentence, with expected and found where they differ."""
        differing = [
            f"{one.what}: expected {one.expected}, found {one.found}" for one in self.comparisons if not one.is_met
        ]
        return f"{self.name}: {'; '.join(differing) or 'holds'}"


def case_of(document: Mapping[str, Any]) -> Case:
    """Return the case a stored document describes."""
    when = dict(document["when"])
    kind: Literal["ticket", "work"] = when.pop("event")
    return Case(
        name=document["name"],
        when=Raised(**when) if kind == "ticket" else Worked(**when),
        expect={what: value for what, value in document["expect"].items() if value is not None},
        available_minutes=document["given"]["available_minutes"],
    )


def instant(text: str, *, since: datetime, timezone: str) -> datetime:
    """Return the instant a case means: ``Sun 10:00`` is the first one at or after ``since``, in the contract's zone.

    Raises:
        BadCase: the text is neither a weekday with a time nor an ISO 8601 instant with its offset.
    """
    match = WEEKDAY_TIME.fullmatch(text)
    if match is None:
        try:
            found = datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or found.tzinfo is None:
            raise BadCase(f"{text!r} is no instant: write 'Sun 10:00', or '2026-11-29T10:00:00+01:00' with its offset")
        return found
    weekday, clock = DAYS.index(match[1]), time(int(match[2]), int(match[3]))
    on = day_of(since, timezone)
    on += timedelta(days=(weekday - on.weekday()) % _WEEK_DAYS)
    at = instant_of(on, clock, zone_of(timezone))
    return at if at >= since else instant_of(on + timedelta(days=_WEEK_DAYS), clock, zone_of(timezone))


def outcome(case: Case, contract: Contract, terms: Terms) -> Outcome:
    """Try a case on one version of a contract."""
    found = (
        _of_ticket(case.when, case, terms)
        if isinstance(case.when, Raised)
        else _of_work(case.when, case, contract, terms)
    )
    return Outcome(case.name, tuple(Comparison(what, value, found[what]) for what, value in case.expect.items()))


def _of_ticket(raised: Raised, case: Case, terms: Terms) -> dict[str, Any]:
    timezone = terms.calendar.timezone
    at = instant(raised.at, since=terms.effective_at, timezone=timezone)
    rule = choose(terms.targets, metric=raised.metric, key=Key(raised.priority, raised.level, raised.job_type))
    due = None if rule is None else rule.due_at(terms.calendar, started_at=at)
    wanted = case.expect.get("due_at")
    is_met = wanted is not None and due is not None and instant(wanted, since=at, timezone=timezone) == due
    return {
        "has_target": due is not None,
        "rule_id": None if rule is None else rule.rule_id,
        "budget_minutes": None if rule is None else rule.budget_minutes,
        "due_in_minutes": None if due is None else (due - at) // _MINUTE,
        # In the words of the expectation when it is met: "Mon 11:00" and its instant are one thing.
        "due_at": wanted if is_met else None if due is None else due.astimezone(zone_of(timezone)).isoformat(),
    }


def _of_work(worked: Worked, case: Case, contract: Contract, terms: Terms) -> dict[str, Any]:
    at = instant(worked.at, since=terms.effective_at, timezone=terms.calendar.timezone)
    work = Work(worked.job_type, worked.level, at, worked.minutes)
    coverage = resolve(_only(contract, terms), work)
    split: Split = NOTHING
    if coverage.refusal is None:
        lots = (
            [] if case.available_minutes == 0 else [Lot(_NOBODY, 1, case.available_minutes, case.available_minutes, at)]
        )
        fact = Fact(_NOBODY, at, coverage.demands, terms.policy)
        split = allocate(lots, [fact]).splits[_NOBODY]
    prices = priced(split.parts, terms, job_type=worked.job_type, level=worked.level)
    return {
        "answer": answer(coverage, split),
        "refusal": None if coverage.refusal is None else coverage.refusal.rule,
        "billed_minutes": split.billed_minutes,
        "bucket_minutes": split.bucket_minutes,
        "overage_minutes": split.overage_minutes,
        "time_and_materials_minutes": split.time_and_materials_minutes,
        "excluded_minutes": split.excluded_minutes,
        "price": _amount(prices.total_minor, contract.currency, wanted=case.expect.get("price")),
        "overage_price": _amount(prices.overage_minor, contract.currency, wanted=case.expect.get("overage_price")),
        "conditions": [part.demand.condition for part in split.parts],
    }


def _amount(minor: int | None, currency: str, *, wanted: str | None) -> str | None:
    """Return an amount, in the words of the expectation when it is met: 138 and 138.00 are one amount."""
    if minor is None:
        return None
    text = str(Money(minor, currency))
    return wanted if wanted is not None and Decimal(wanted) == Decimal(text) else text


def _only(contract: Contract, terms: Terms) -> Contract:
    """Return a contract in force with these terms alone, for as long as anybody asks."""
    return Contract(
        id=contract.id,
        client_id=contract.client_id,
        ref=contract.ref,
        kind=contract.kind,
        status="active",
        currency=contract.currency,
        starts_at=contract.starts_at,
        ends_at=None,
        versions=(terms,),
    )
