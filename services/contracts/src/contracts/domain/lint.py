"""The contract linter: what would surprise somebody once these terms are in force.

A refusal keeps a draft from being activated and an amendment from being made; a warning is shown. Each finding names
the rule of the linter, and the rules of the contract it is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from itertools import product
from typing import Any, Literal

from contracts.domain.contract import AmbiguousRates, refuse_ambiguous_rates
from contracts.domain.pricing import CONDITIONS
from contracts.domain.promises import rules_of
from msp_kernel.business_time import BadDay, BadWindow, Calendar, CalendarWithoutHours, OutOfRange, UnknownTimezone
from msp_kernel.targets import METRICS, Key, Rule, choose, ties

Severity = Literal["refusal", "warning"]
PRIORITIES = ("critical", "high", "medium", "low")
TARGET_MINUTES_MAX = 366 * 24 * 60
"""A promise for more than a year of working time is a slip of the pen."""
_RULES_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing the linter says. ``rule`` is its slug, ``names`` the rules or words of the contract it is about."""

    rule: str
    severity: Severity
    text: str
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claim:
    """What a contract claims of its client's work, to be compared with its other contracts."""

    ref: str
    priority: int
    job_types: frozenset[str]
    levels: frozenset[str]
    starts_on: date
    ends_on: date | None

    def meets(self, other: Claim) -> bool:
        """Return whether both claim the same work on some day, and neither goes first."""
        in_time = (self.ends_on is None or other.starts_on < self.ends_on) and (
            other.ends_on is None or self.starts_on < other.ends_on
        )
        is_shared = bool(self.job_types & other.job_types and self.levels & other.levels)
        return self.priority == other.priority and in_time and is_shared


def lint(
    terms: Mapping[str, Any],
    *,
    kind: str,
    lot_count: int,
    known_job_types: Collection[str],
    effective_from: date,
    own: Claim | None = None,
    others: Sequence[Claim] = (),
) -> list[Finding]:
    """Return everything there is to say about terms, refusals first."""
    found = [
        *_missing(terms, kind=kind, lot_count=lot_count),
        *_same_work(own, others),
        *_unknown_job_types(terms, known_job_types),
        *_calendar(terms["calendar"], effective_from),
        *_budgets(terms["targets"]),
        *_ties(terms["targets"]),
        *_promises(terms),
        *_escalation(terms),
        *_weights(terms),
        *_rates(terms, kind=kind),
    ]
    return sorted(found, key=lambda one: one.severity != "refusal")


def refusals(findings: Sequence[Finding]) -> str:
    """Return the refusals among findings in one line, ``rule: text; rule: text``; empty when there are none."""
    return "; ".join(f"{one.rule}: {one.text}" for one in findings if one.severity == "refusal")


def _refused(rule: str, text: str, *names: str) -> Finding:
    return Finding(rule, "refusal", text, names)


def _warned(rule: str, text: str, *names: str) -> Finding:
    return Finding(rule, "warning", text, names)


def _missing(terms: Mapping[str, Any], *, kind: str, lot_count: int) -> Iterator[Finding]:
    if not terms["job_types"]:
        yield _refused("scope-without-job-types", "at least one job type must be in scope")
    if not terms["levels"]:
        yield _refused("scope-without-levels", "at least one support level must be in scope")
    if not terms["targets"]:
        text = "at least one SLA target is needed (a target without a budget says 'no target')"
        yield _refused("contract-without-targets", text)
    if kind == "bucket" and lot_count == 0:
        yield _refused("bucket-without-minutes", "a bucket needs a lot with minutes")
    if kind == "retainer" and not terms["grant_minutes"]:
        yield _refused("retainer-without-minutes", "a retainer needs the minutes of its month")


def _same_work(own: Claim | None, others: Sequence[Claim]) -> Iterator[Finding]:
    for other in others:
        if own is not None and own.meets(other):
            text = (
                f"{own.ref} and {other.ref} both claim {_listed(own.job_types & other.job_types)} at"
                f" {_listed(own.levels & other.levels)} with priority {own.priority}; the smaller priority goes first"
            )
            yield _refused("two-contracts-claim-the-same-work", text, own.ref, other.ref)


def _unknown_job_types(terms: Mapping[str, Any], known: Collection[str]) -> Iterator[Finding]:
    for place in ("job_types", "non_billable_job_types"):
        for code in terms[place]:
            if code not in known:
                yield _refused("unknown-job-type", f"{place}: the catalogue has no job type {code}", code)
    for place, severity in (("targets", "refusal"), ("weights", "refusal"), ("rates", "warning")):
        for one in terms[place]:
            code = one["job_type"]
            if code is not None and code not in known:
                name = one.get("rule_id") or code
                text = f"{place}: {name} names {code}, which the catalogue does not have"
                yield Finding("unknown-job-type", "refusal" if severity == "refusal" else "warning", text, (name,))


def _calendar(document: Mapping[str, Any], effective_from: date) -> Iterator[Finding]:
    try:
        calendar = Calendar.from_json(document)
        calendar.next_open(datetime.combine(effective_from, time(), UTC))
    except CalendarWithoutHours:
        yield _refused("calendar-without-hours", "the calendar has no hours: no clock would ever run")
    except OutOfRange:
        text = f"the calendar has no hours from {effective_from} on: no clock would ever run"
        yield _refused("calendar-without-hours", text)
    except (UnknownTimezone, BadWindow, BadDay) as error:
        yield _refused("calendar-not-readable", f"the calendar cannot be reckoned with: {error}")
    else:
        if not any(calendar.weekly):
            yield _warned("calendar-without-hours", "the calendar has no weekly hours, only single days")


def _budgets(targets: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for one in targets:
        minutes, name = one["budget_minutes"], one["rule_id"]
        if minutes is not None and minutes <= 0:
            yield _refused(
                "target-of-zero", f"{name} promises {minutes} minutes; leave it out to say 'no target'", name
            )
        elif minutes is not None and minutes > TARGET_MINUTES_MAX:
            years = minutes // TARGET_MINUTES_MAX
            text = f"{name} promises {minutes} minutes, {years} years around the clock; at most {TARGET_MINUTES_MAX}"
            yield _refused("target-too-long", text, name)


def _ties(targets: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    for one, other in ties(rules_of(targets)):
        text = f"{one.rule_id} and {other.rule_id} are equally specific for {one.metric} and match the same tickets"
        yield _refused("equally-specific-rules", text, one.rule_id, other.rule_id)


def _promises(terms: Mapping[str, Any]) -> Iterator[Finding]:
    """Say which rules never win, and which priorities nobody promises anything."""
    rules = rules_of(terms["targets"])
    for metric in METRICS:
        of_metric = [rule for rule in rules if rule.metric == metric]
        if not of_metric:
            if metric == "resolution" and rules:
                yield _warned("metric-without-target", "no rule promises when tickets are resolved", metric)
            continue
        chosen: set[str] = set()
        silent: Counter[str] = Counter()
        for key in _keys(terms, of_metric):
            rule = choose(of_metric, metric=metric, key=key)
            if rule is None:
                silent[key.priority] += 1
            else:
                chosen.add(rule.rule_id)
        for rule in of_metric:
            if rule.rule_id not in chosen:
                yield _warned("unreachable-rule", f"{rule.rule_id} never applies: {_why(rule, terms)}", rule.rule_id)
        for priority in silent:
            text = f"no {metric} target for some or all {priority} tickets; say 'no target' if that is meant"
            yield _warned("priority-without-target", text, priority, metric)


def _keys(terms: Mapping[str, Any], rules: Sequence[Rule]) -> Iterator[Key]:
    """Give every ticket that differs to the rules; job types no rule names are all alike, so one stands for them."""
    named = {rule.job_type for rule in rules}
    job_types = [code for code in terms["job_types"] if code in named]
    job_types += [code for code in terms["job_types"] if code not in named][:1]
    for priority, level, job_type in product(PRIORITIES, terms["levels"], job_types):
        yield Key(priority, level, job_type)


def _why(rule: Rule, terms: Mapping[str, Any]) -> str:
    if rule.job_type is not None and rule.job_type not in terms["job_types"]:
        return f"{rule.job_type} is not in scope"
    if rule.level is not None and rule.level not in terms["levels"]:
        return f"{rule.level} is not in scope"
    return "more specific rules match everything it speaks of"


def _escalation(terms: Mapping[str, Any]) -> Iterator[Finding]:
    promised = {one["metric"] for one in terms["targets"] if one["budget_minutes"] is not None}
    for one in terms["escalation"]:
        if one["metric"] not in promised:
            text = f"step {one['step']} waits for {one['metric']}, which has no target"
            yield _warned("unreachable-rule", text, f"escalation.{one['step']}")


def _weights(terms: Mapping[str, Any]) -> Iterator[Finding]:
    for one in terms["weights"]:
        keys = [one[key] for key in ("level", "job_type", "condition") if one[key] is not None]
        name = f"weight.{'.'.join(keys) or 'any'}.{one['percent']}"
        if one["percent"] <= 0:
            yield _refused("weight-of-zero", f"{name} would let work cost the bucket nothing", name)
        if one["level"] not in (None, *terms["levels"]) or one["job_type"] not in (None, *terms["job_types"]):
            yield _warned("unreachable-rule", f"{name} never applies: it speaks of work that is not in scope", name)


def _rates(terms: Mapping[str, Any], *, kind: str) -> Iterator[Finding]:
    for place in ("rates", "overage_rates"):
        try:
            refuse_ambiguous_rates(terms[place])
        except AmbiguousRates as error:
            yield _refused("equally-specific-rules", f"{place}: {error}")
        for one in terms[place]:
            if one["rate_minor"] == 0:
                yield _warned("rate-of-zero", f"{one['rule_id']} is free of charge", one["rule_id"])
    rates = [*terms["rates"], *(terms["overage_rates"] if kind != "time_and_materials" else ())]
    billable = [one for one in terms["job_types"] if one not in terms["non_billable_job_types"]]
    missing = [
        (job_type, level, unpriced)
        for job_type, level in product(billable, terms["levels"])
        if (unpriced := _unpriced(rates, job_type=job_type, level=level))
    ]
    for job_type, level, unpriced in missing:
        when = "" if len(unpriced) == len(CONDITIONS) else f" in {_listed(unpriced)}"
        yield _refused("rate-missing", f"the rate card has no rate for {job_type} at {level}{when}", job_type, level)


def _unpriced(rates: Sequence[Mapping[str, Any]], *, job_type: str, level: str) -> list[str]:
    """Return the rate conditions in which work has no price."""
    priced = {
        one["condition"] for one in rates if one["job_type"] in (None, job_type) and one["level"] in (None, level)
    }
    return [] if None in priced else [one for one in CONDITIONS if one not in priced]


def _listed(words: Collection[str]) -> str:
    shown = sorted(words)
    more = len(shown) - _RULES_SHOWN_MAX
    return ", ".join(shown[:_RULES_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
