"""Clocks replayed under another calendar, other targets or flags: what would have become of the promises.

Facts stay as they were: when tickets were raised, paused, answered and resolved. What is promised changes. A replayed clock
is derived by the function that also proves stored clocks (``clock.derived``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from msp_kernel.business_time import Calendar
from sla.domain.clock import BreachReason, Clock, Derived, Promise, derived
from sla.domain.compliance import Outcome, outcome
from sla.domain.targets import Flags, Key, Metric, Rule, Terms, choose

VERDICT_REASONS = ("answered", "resolved")
"""Why a clock stops with a verdict; any other stop excludes a clock that was not breached."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What would be promised instead; ``None`` leaves it as it was. ``flags`` replace those of every target."""

    calendar: Calendar | None = None
    rules: tuple[Rule, ...] | None = None
    flags: Flags | None = None
    _chosen: dict[tuple[Metric, Key], Rule | None] = field(default_factory=dict, init=False, repr=False, compare=False)
    _hours: dict[tuple[Calendar, Flags], Calendar] = field(default_factory=dict, init=False, repr=False, compare=False)

    def promise(self, clock: Clock, number: int, terms: Terms) -> Promise | None:
        """Return promise ``number`` of a clock as it would have been; ``None``: no target.

        Of a clock that was retargeted only the newest key is known: an earlier promise is looked up by the id of its rule,
        and by the newest key where the other targets have no such rule.
        """
        made = clock.promises[number]
        budget_minutes, flags, rule_id = made.budget_minutes, made.flags, made.rule_id
        if self.rules is not None:
            is_newest = number == len(clock.promises) - 1
            rule = None if is_newest else next((one for one in self.rules if one.rule_id == rule_id), None)
            rule = rule or self._rule(clock.metric, clock.key)
            if rule is None or rule.budget_minutes is None:
                return None
            budget_minutes, flags, rule_id = rule.budget_minutes, rule.flags, rule.rule_id
        flags = flags if self.flags is None else self.flags
        calendar = self._widened(self.calendar or terms.calendar, flags)
        return Promise(
            since=made.since,
            contract_id=made.contract_id,
            contract_version=made.contract_version,
            rule_id=rule_id,
            budget_minutes=budget_minutes,
            flags=flags,
            calendar=calendar,
        )

    def _rule(self, metric: Metric, key: Key) -> Rule | None:
        if (metric, key) not in self._chosen:
            self._chosen[metric, key] = choose(self.rules or (), metric=metric, key=key)
        return self._chosen[metric, key]

    def _widened(self, calendar: Calendar, flags: Flags) -> Calendar:
        if (calendar, flags) not in self._hours:
            self._hours[calendar, flags] = calendar.widened(**flags._asdict())
        return self._hours[calendar, flags]


class After(NamedTuple):
    """What would have become of a clock, as far as it counts or is carried on."""

    budget_minutes: int
    settled_seconds: int
    breached_at: datetime | None
    breach_reason: BreachReason
    outcome: Outcome | None


class Replayed(NamedTuple):
    """A clock as it was and as it would have been. ``after`` is ``None`` where nothing would have been promised."""

    before: Clock
    after: After | None
    outcome_before: Outcome | None

    @property
    def outcome_after(self) -> Outcome | None:
        """Return how the clock would count."""
        return None if self.after is None else self.after.outcome

    @property
    def is_changed(self) -> bool:
        """Return whether the clock would count otherwise."""
        return self.outcome_before != self.outcome_after


def replayed(
    clocks: Iterable[Clock], change: Change, *, terms: Mapping[tuple[UUID, int], Terms], now: datetime
) -> Iterator[Replayed]:
    """Replay the clocks of one ticket, given in order of metric, cycle and round; yields them in that order.

    ``terms`` are those of contract id and version.
    """
    metric: Metric | None = None
    previous: After | None = None
    for clock in clocks:
        continues = previous if metric == clock.metric != "next_response" else None
        after = _replayed(clock, change, terms, continues, now)
        yield Replayed(clock, after, outcome(clock, now=now))
        metric, previous = clock.metric, after


def _replayed(
    clock: Clock,
    change: Change,
    terms: Mapping[tuple[UUID, int], Terms],
    continues: After | None,
    now: datetime,
) -> After | None:
    promises = []
    for number, made in enumerate(clock.promises):
        promise = change.promise(clock, number, terms[made.contract_id, made.contract_version])
        if promise is None:
            return None
        promises.append(promise)
    carried_seconds = 0 if continues is None else continues.settled_seconds
    carried: tuple[datetime | None, BreachReason] = (None, "")
    if continues is not None:
        carried = (continues.breached_at, continues.breach_reason)
    verdict = clock.verdict
    if clock.status == "stopped":
        # Were it not broken: a miss comes from what is derived.
        verdict = "met" if clock.stop_reason in VERDICT_REASONS else "excluded"
    found = derived(clock, promises=promises, carried_seconds=carried_seconds, carried_breach=carried, verdict=verdict)
    settled_seconds = carried_seconds + sum(found.seconds)
    counts: Outcome | None
    if carried[0] is not None or found.verdict == "excluded":
        counts = None
    elif found.verdict is not None:
        counts = found.verdict
    else:
        counts = outcome(_open(clock, tuple(promises), carried_seconds, found), now=now)
    return After(promises[-1].budget_minutes, settled_seconds, found.breached_at, found.breach_reason, counts)


def _open(clock: Clock, promises: tuple[Promise, ...], carried_seconds: int, found: Derived) -> Clock:
    """Return an open clock under other promises: whether its budget has ended by now is for it to say."""
    return replace(
        clock,
        promises=promises,
        intervals=tuple(
            replace(interval, seconds=seconds) for interval, seconds in zip(clock.intervals, found.seconds, strict=True)
        ),
        carried_seconds=carried_seconds,
        is_breach_carried=False,
        breached_at=found.breached_at,
        breach_reason=found.breach_reason,
    )
