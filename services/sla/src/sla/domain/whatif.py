"""Clocks replayed under another calendar, other targets or flags: what would have become of the promises.

Facts stay as they were: when tickets were raised, paused, answered and resolved. What is promised changes. A replayed clock
is derived by the function that also proves stored clocks (``clock.recomputed``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from msp_kernel.business_time import Calendar
from sla.domain.clock import Clock, Promise, recomputed
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A clock as it was and as it would have been. ``after`` is ``None`` where nothing would have been promised."""

    before: Clock
    after: Clock | None
    outcome_before: Outcome | None
    outcome_after: Outcome | None

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
    previous: Clock | None = None
    for clock in clocks:
        continues = previous if previous is not None and previous.metric == clock.metric != "next_response" else None
        after = _replayed(clock, change, terms, continues)
        yield Replayed(
            before=clock,
            after=after,
            outcome_before=outcome(clock, now=now),
            outcome_after=None if after is None else outcome(after, now=now),
        )
        previous = after


def _replayed(
    clock: Clock, change: Change, terms: Mapping[tuple[UUID, int], Terms], continues: Clock | None
) -> Clock | None:
    promises = []
    for number, made in enumerate(clock.promises):
        promise = change.promise(clock, number, terms[made.contract_id, made.contract_version])
        if promise is None:
            return None
        promises.append(promise)
    is_carried = continues is not None and continues.breached_at is not None
    verdict = clock.verdict
    if clock.status == "stopped":
        # Were it not broken: a miss comes from what is derived.
        verdict = "met" if clock.stop_reason in VERDICT_REASONS else "excluded"
    return recomputed(
        replace(
            clock,
            promises=tuple(promises),
            carried_seconds=0 if continues is None else continues.settled_seconds,
            is_breach_carried=is_carried,
            breached_at=continues.breached_at if continues is not None else None,
            breach_reason=continues.breach_reason if continues is not None else "",
            verdict=verdict,
        )
    )
