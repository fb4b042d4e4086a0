"""The clocks of one ticket through its life: every fact about the ticket, in order, applied to all of them.

A fact is the ticket's whole state after a change, so one rule serves live events, imports, and a ticket first seen
half-way: compare what should be with what is, and start, retarget, pause, resume or stop accordingly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Literal
from uuid import UUID

from sla.domain import clock as clocks, escalation
from sla.domain.clock import Clock, Promise, whole_second
from sla.domain.targets import METRICS, Key, Metric, Terms, choose

DONE_STATUSES = frozenset({"resolved", "closed"})

HappeningKind = Literal["started", "paused", "resumed", "retargeted", "met", "missed", "excluded", "breached", "voided"]
TermsOf = Callable[[UUID, int], Terms]
"""Returns the terms of a contract version."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What became true of a ticket at ``at``: its whole state, and whether a message came with it."""

    at: datetime
    status: str
    key: Key
    contract_id: UUID
    contract_version: int
    cycle: int = 1
    queue: str = ""
    assignee_id: UUID | None = None
    raised_at: datetime
    resolved_at: datetime | None = None
    is_answer: bool = False
    """A public message of a human agent."""
    is_question: bool = False
    """A public message of the client."""
    was_answered: bool = False
    """The state says that a first response was given; believed only of tickets first seen half-way."""
    merged_into: str = ""
    """The ticket that took over, by its reference or else its id."""
    actor: str = ""
    reason: str = ""

    @property
    def is_done(self) -> bool:
        """Return whether the ticket waits for nothing any more."""
        return self.status in DONE_STATUSES


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What the clocks need to remember of a ticket, and its clocks, oldest first."""

    id: UUID
    client_id: UUID
    status: str
    cycle: int = 1
    is_answered: bool = False
    clocks: tuple[Clock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """Something that happened to a clock at ``at``, to be told; ``clock`` is its state right after."""

    kind: HappeningKind
    at: datetime
    clock: Clock
    reason: str = ""


@dataclass(slots=True)
class _Work:
    """A ticket under a fact: collects what happens to its clocks."""

    fact: Fact
    terms: Terms
    terms_of: TermsOf
    ticket_id: UUID
    client_id: UUID
    clocks: list[Clock]
    happenings: list[Happening] = field(default_factory=list)

    def put(self, before: Clock | None, after: Clock, kind: HappeningKind, reason: str = "") -> None:
        """Note what happened between two states of a clock, a breach that came to light or went away first."""
        at = after.intervals[-1].ends_at or after.intervals[-1].starts_at
        if before is None:
            after = self._tell(kind, at, after, reason)
            if after.is_breached and not after.is_breach_carried:
                after = self._note_breach(None, after, at, reason)
            self.clocks.append(after)
            return
        if before.breached_at != after.breached_at:
            after = self._note_breach(before, after, at, reason)
        after = self._tell(kind, at, after, reason)
        self.clocks[[clock.id for clock in self.clocks].index(after.id)] = after

    def _note_breach(self, before: Clock | None, after: Clock, at: datetime, reason: str) -> Clock:
        if before is not None and before.is_breached:
            after = escalation.rearmed(after, self.steps(after))
            because = f"{reason} at {at.isoformat()}, known only after the breach of {before.breached_at} had fired"
            after = self._tell("voided", at, after, because)
        breached_at = after.breached_at
        if breached_at is not None:
            after = replace(after, fired=after.fired | {escalation.BREACH})
            after = self._tell("breached", breached_at, after, after.breach_reason)
        return after

    def _tell(self, kind: HappeningKind, at: datetime, clock: Clock, reason: str) -> Clock:
        clock = replace(clock, revision=clock.revision + 1)
        self.happenings.append(Happening(kind=kind, at=at, clock=clock, reason=reason))
        return clock

    def steps(self, clock: Clock) -> tuple[escalation.Step, ...]:
        return escalation.steps_of(
            self.terms_of(clock.promise.contract_id, clock.promise.contract_version), clock.metric
        )

    def open_clock(self, metric: Metric) -> Clock | None:
        return next((clock for clock in self.clocks if clock.metric == metric and clock.status != "stopped"), None)

    def last_clock(self, metric: Metric) -> Clock | None:
        return next((clock for clock in reversed(self.clocks) if clock.metric == metric), None)

    def promise(self, metric: Metric, *, since: datetime) -> Promise | None:
        """Return the target the terms give the ticket now; ``None`` when they give none."""
        rule = choose(self.terms.rules, metric=metric, key=self.fact.key)
        if rule is None or rule.budget_minutes is None:
            return None
        return Promise(
            since=since,
            contract_id=self.terms.contract_id,
            contract_version=self.terms.version,
            rule_id=rule.rule_id,
            budget_minutes=rule.budget_minutes,
            flags=rule.flags,
            calendar=self.terms.hours(rule.flags),
        )


def heard(
    ticket: Ticket | None, fact: Fact, *, ticket_id: UUID, client_id: UUID, terms_of: TermsOf
) -> tuple[Ticket, list[Happening]]:
    """Apply a fact to a ticket (``None``: not seen before) and return it with what happened to its clocks, in order."""
    fact = replace(fact, at=whole_second(fact.at), raised_at=whole_second(fact.raised_at))
    is_new = ticket is None
    if ticket is None:
        ticket = Ticket(
            id=ticket_id,
            client_id=client_id,
            status=fact.status,
            cycle=fact.cycle,
            is_answered=fact.was_answered and not fact.is_answer,
        )
    work = _Work(
        fact=fact,
        terms=terms_of(fact.contract_id, fact.contract_version),
        terms_of=terms_of,
        ticket_id=ticket_id,
        client_id=client_id,
        clocks=list(ticket.clocks),
    )
    _place(work)
    is_answered = ticket.is_answered
    if is_new:
        # Raised, whoever says so and however late: the promise counts from then.
        _start_wanted(work, at=fact.raised_at, cycle=fact.cycle, is_answered=is_answered, is_question=False)
    if fact.is_answer:
        is_answered = True
        _stop(work, ("first_response", "next_response"), at=fact.at, reason="answered")
    if fact.is_done:
        _finish(work)
    else:
        was_done = ticket.status in DONE_STATUSES and not is_new
        cycle = max(fact.cycle, ticket.cycle + 1 if was_done and fact.cycle <= ticket.cycle else ticket.cycle)
        _retarget(work)
        _start_wanted(work, at=fact.at, cycle=cycle, is_answered=is_answered, is_question=fact.is_question)
        _pause_or_resume(work)
        ticket = replace(ticket, cycle=cycle)
    told = replace(ticket, status=fact.status, is_answered=is_answered, clocks=tuple(work.clocks))
    return told, work.happenings


def _place(work: _Work) -> None:
    """Note who has the ticket now: reports count a clock with those who had it when it stopped."""
    for number, clock in enumerate(work.clocks):
        if clock.status != "stopped" and (clock.queue, clock.assignee_id) != (work.fact.queue, work.fact.assignee_id):
            work.clocks[number] = replace(clock, queue=work.fact.queue, assignee_id=work.fact.assignee_id)


def _stop(work: _Work, metrics: Sequence[Metric], *, at: datetime, reason: str) -> None:
    for metric in metrics:
        clock = work.open_clock(metric)
        if clock is not None:
            stopped = clock.stopped(at, reason=reason)
            work.put(clock, stopped, "met" if stopped.verdict == "met" else "missed", reason)


def _exclude(work: _Work, metric: Metric, *, at: datetime, reason: str) -> None:
    clock = work.open_clock(metric)
    if clock is not None:
        closed = clock.excluded(at, reason=reason)
        work.put(clock, closed, "missed" if closed.verdict == "missed" else "excluded", reason)


def _finish(work: _Work) -> None:
    """Stop what still runs: a resolution is a verdict, an answer that never came is none, nor is a merge."""
    fact = work.fact
    if fact.merged_into:
        for metric in METRICS:
            _exclude(work, metric, at=fact.at, reason=f"merged into {fact.merged_into}")
        return
    if fact.status == "resolved" or fact.resolved_at is not None:
        at = fact.at if fact.status == "resolved" or fact.resolved_at is None else min(fact.at, fact.resolved_at)
        _stop(work, ("resolution",), at=at, reason="resolved")
    else:
        _exclude(work, "resolution", at=fact.at, reason="closed without being resolved")
    for metric in ("first_response", "next_response"):
        _exclude(work, metric, at=fact.at, reason=f"{fact.status} without an answer")


def _retarget(work: _Work) -> None:
    fact = work.fact
    for metric in METRICS:
        clock = work.open_clock(metric)
        if clock is None:
            continue
        promise = work.promise(metric, since=fact.at)
        if promise is None:
            _exclude(work, metric, at=fact.at, reason="no target any more")
        elif not promise.is_same_target(clock.promise):
            reason = _what_changed(clock, promise, fact.key)
            work.put(
                clock, clock.retargeted(promise, key=fact.key, reason=reason, actor=fact.actor), "retargeted", reason
            )
        elif clock.key != fact.key:
            # The same rule speaks of both: nothing to tell, but reports count by the key of the ticket.
            work.clocks[work.clocks.index(clock)] = replace(clock, key=fact.key)


def _what_changed(clock: Clock, promise: Promise, key: Key) -> str:
    names = ("priority", "level", "job type")
    changes = [f"{name} {old} to {new}" for name, old, new in zip(names, clock.key, key, strict=True) if old != new]
    old_promise = clock.promise
    if old_promise.contract_id != promise.contract_id:
        changes.append("another contract")
    elif old_promise.contract_version != promise.contract_version:
        changes.append(f"contract version {old_promise.contract_version} to {promise.contract_version}")
    return ", ".join(changes)


def _start_wanted(work: _Work, *, at: datetime, cycle: int, is_answered: bool, is_question: bool) -> None:
    """Start the clocks the ticket should have and has not."""
    for metric in METRICS:
        last = work.last_clock(metric)
        if last is not None and last.status != "stopped":
            continue
        if metric == "resolution":
            is_wanted = True
        elif metric == "first_response":
            is_wanted = not is_answered and (last is None or last.verdict == "excluded")
        else:
            is_wanted = is_question and is_answered
        promise = work.promise(metric, since=at) if is_wanted else None
        if promise is not None:
            _start(work, metric, promise, cycle=cycle, last=last)


def _start(work: _Work, metric: Metric, promise: Promise, *, cycle: int, last: Clock | None) -> None:
    round_number = last.round + 1 if last is not None and last.cycle == cycle else 1
    clock = clocks.started(
        ticket_id=work.ticket_id,
        client_id=work.client_id,
        metric=metric,
        promise=promise,
        key=work.fact.key,
        cycle=cycle,
        round_number=round_number,
        actor=work.fact.actor,
        reason=_start_reason(metric, last),
        continues=None if metric == "next_response" else last,
    )
    clock = replace(clock, queue=work.fact.queue, assignee_id=work.fact.assignee_id)
    work.put(None, escalation.without_past(clock, work.steps(clock)), "started")


def _start_reason(metric: Metric, last: Clock | None) -> str:
    if metric == "next_response":
        return "the client wrote"
    if last is None:
        return "raised"
    return "reopened" if last.stop_reason in ("resolved", "answered") else "continued"


def _pause_or_resume(work: _Work) -> None:
    fact = work.fact
    for clock in list(work.clocks):
        if clock.status == "stopped":
            continue
        should_pause = work.terms.pauses(clock.metric, status=fact.status)
        if should_pause == (clock.status == "paused"):
            continue
        note = _clamped_note(clock, fact)
        if should_pause:
            paused = clock.paused(fact.at, reason=fact.status, actor=fact.actor, note=note)
            work.put(clock, paused, "paused", fact.status)
        else:
            resumed = clock.resumed(fact.at, reason=fact.status, actor=fact.actor, note=note)
            work.put(clock, resumed, "resumed", fact.status)


def _clamped_note(clock: Clock, fact: Fact) -> str:
    last_at = clock.intervals[-1].starts_at
    if fact.at >= last_at:
        return fact.reason
    said = f"said for {fact.at.isoformat()}, counted from {last_at.isoformat()}"
    return f"{fact.reason}; {said}" if fact.reason else said
