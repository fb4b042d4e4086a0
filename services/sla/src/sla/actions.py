"""The verbs: hear a ticket, hear terms, fire what is due, acknowledge. Load, decide, save, say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msp_events import sla as events
from msp_events.contracts import ClientState, ContractState
from msp_events.tickets import MessagePosted, TicketState
from msp_kit import telemetry
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from sla import store
from sla.domain import escalation, life
from sla.domain.clock import Clock
from sla.domain.escalation import Step
from sla.domain.life import Fact, Happening, Ticket
from sla.domain.targets import Key, Terms, ties
from sla.store import Firing, TermsKey, TicketRow, TimedClock

log = telemetry.logger(__name__)

TERMS_FIELDS = {
    "calendar",
    "targets",
    "thresholds_percent",
    "escalation",
    "pausing_statuses",
    "first_response_pauses",
}
FIRED_AT_ONCE_MAX = 200
FOLDED_AT_ONCE_MAX = 2000
AHEAD_MAX = timedelta(seconds=60)
"""How far another clock may run ahead of ours before its instants are cut to our now."""
HISTORIC_AFTER = timedelta(minutes=10)
IMPORT_HOLD = timedelta(seconds=30)
"""An imported ticket keeps still this long after each fact of its past: the rest of its story is on the way."""

_SAID: dict[str, type[events.ClockState]] = {
    "started": events.ClockStarted,
    "paused": events.ClockPaused,
    "resumed": events.ClockResumed,
    "retargeted": events.ClockRetargeted,
    "met": events.SlaMet,
    "missed": events.SlaMissed,
    "excluded": events.ClockExcluded,
    "breached": events.SlaBreached,
    "voided": events.SlaBreachVoided,
}
_BREACH_STEP = Step(100, 1, escalation.BREACH, "breach")


class TermsNotKnownYet(Exception):
    """A ticket names a contract version that has not been heard of."""


class ForeignContract(Exception):
    """A ticket names a contract of another client."""


class TermsChanged(Exception):
    """A contract version was said again with other SLA terms; clocks pin versions, so a version never changes."""


# ---- hearing ------------------------------------------------------------------------------------------------------


async def hear_client(tx: Transaction, event: ClientState) -> None:
    """Keep a client's name and zone for reports."""
    await store.save_client(
        tx,
        client_id=event.client_id,
        code=event.code,
        name=event.name,
        timezone=event.timezone,
        revision=event.revision,
    )


async def hear_contract(tx: Transaction, event: ContractState) -> None:
    """Keep the SLA part of a contract version.

    Raises:
        TermsChanged: the version is known with other terms.
        CalendarWithoutHours, UnknownTimezone, BadWindow, BadDay: the calendar cannot be used.
    """
    document = event.model_dump(mode="json", include=TERMS_FIELDS)
    terms = store.terms_from(event.contract_id, event.version, client_id=event.client_id, document=document)
    if tied := ties(terms.rules):
        log.warning("contract has tied SLA rules", contract_id=str(event.contract_id), pairs=len(tied))
    kept = await store.save_terms(
        tx,
        contract_id=event.contract_id,
        version=event.version,
        client_id=event.client_id,
        ref=event.ref,
        document=document,
    )
    if kept != document:
        different = sorted(name for name in TERMS_FIELDS if kept.get(name) != document[name])
        raise TermsChanged(f"version {event.version} of {event.ref} was known with other {', '.join(different)}")


async def hear_tickets(tx: Transaction, said: Sequence[TicketState]) -> None:
    """Apply facts about any number of tickets, in the order given, to their clocks.

    Raises:
        TermsNotKnownYet: a contract version has not been heard of; nothing was changed.
        ForeignContract: a contract is another client's.
        OutOfRange: an instant lies outside the years a calendar answers for.
    """
    keys = {(event.contract_id, event.contract_version) for event in said}
    known = await store.lock_tickets(tx, (event.ticket_id for event in said))
    terms = dict(await store.terms_of(tx, keys | _pinned(known.values())))
    if missing := keys - terms.keys():
        contract_id, version = min(missing)
        raise TermsNotKnownYet(f"version {version} of contract {contract_id}")
    for event in said:
        if terms[event.contract_id, event.contract_version].client_id != event.client_id:
            raise ForeignContract(f"contract {event.contract_id} of ticket {event.ticket_id} is another client's")
    before = {clock.id: clock for ticket in known.values() for clock in ticket.clocks}
    happenings: list[Happening] = []
    for event in said:
        known[event.ticket_id], news = life.heard(
            known.get(event.ticket_id),
            fact_of(event, now=tx.now),
            ticket_id=event.ticket_id,
            client_id=event.client_id,
            terms_of=lambda contract_id, version: terms[contract_id, version],
        )
        happenings += news
    last = {event.ticket_id: event for event in said}
    await store.save_tickets(tx, [_row(known[ticket_id], event) for ticket_id, event in last.items()])
    changed = [
        _timed(clock, terms, not_before=_hold(last[clock.ticket_id], now=tx.now))
        for ticket in known.values()
        for clock in ticket.clocks
        if before.get(clock.id) is not clock
    ]
    await store.save_clocks(tx, changed)
    breaches = [_breach_firing(one) for one in happenings if one.kind == "breached"]
    fresh = await store.save_firings(tx, breaches)
    await store.void_firings(tx, [(one.clock, one.reason) for one in happenings if one.kind == "voided"])
    told = [one for one in happenings if one.kind != "breached" or _breach_firing(one).key in fresh]
    await record(tx, *(_event(one, terms) for one in told))


def fact_of(event: TicketState, *, now: datetime) -> Fact:
    """Return what an event about a ticket says to its clocks; an instant of the future is cut to ``now``."""
    is_message = isinstance(event, MessagePosted) and event.is_public and not event.is_automatic
    author = event.author_kind if isinstance(event, MessagePosted) else ""
    is_ahead = event.occurred_at > now + AHEAD_MAX
    reason = event.reason
    if is_ahead:
        said = f"said for {event.occurred_at.isoformat()}, in the future"
        reason = f"{reason}; {said}" if reason else said
    return Fact(
        at=now if is_ahead else event.occurred_at,
        status=event.status,
        key=Key(event.priority, event.level, event.job_type),
        contract_id=event.contract_id,
        contract_version=event.contract_version,
        cycle=event.cycle,
        queue=event.queue,
        assignee_id=event.assignee_id,
        raised_at=min(event.raised_at, now + AHEAD_MAX),
        resolved_at=event.resolved_at,
        is_answer=is_message and author == "agent",
        is_question=is_message and author == "client",
        was_answered=event.first_responded_at is not None,
        actor=event.actor,
        reason=reason,
    )


def _pinned(tickets: Any) -> set[TermsKey]:
    return {
        (promise.contract_id, promise.contract_version)
        for ticket in tickets
        for clock in ticket.clocks
        for promise in clock.promises
    }


def _row(ticket: Ticket, event: TicketState) -> TicketRow:
    return TicketRow(
        ticket=ticket,
        ref=event.ref,
        queue=event.queue,
        assignee_id=event.assignee_id,
        raised_at=event.raised_at,
        is_imported=event.is_imported,
    )


def _breach_firing(happening: Happening) -> Firing:
    return Firing(clock=happening.clock, step=_BREACH_STEP, due_at=happening.at)


def _hold(event: TicketState, *, now: datetime) -> datetime | None:
    """Return until when timers leave a ticket alone whose past is just being told."""
    return now + IMPORT_HOLD if event.is_imported and now - event.occurred_at > HISTORIC_AFTER else None


# ---- firing -------------------------------------------------------------------------------------------------------


async def fire_due(tx: Transaction) -> bool:
    """Fire every step that has fallen due, each once; return whether more may be due at once."""
    clocks = await store.lock_due_clocks(tx, limit=FIRED_AT_ONCE_MAX)
    if not clocks:
        return False
    terms = await store.terms_of(tx, {_terms_key(clock) for clock in clocks})
    firings: list[Firing] = []
    timed: list[TimedClock] = []
    for found in clocks:
        clock = found
        steps = escalation.steps_of(terms[_terms_key(clock)], clock.metric)
        for due_at, step in escalation.due(found, steps, now=tx.now):
            clock = escalation.fired(clock, step, now=tx.now)
            firings.append(Firing(clock=clock, step=step, due_at=due_at))
        timed.append(_timed(clock, terms))
    await store.save_clocks(tx, timed)
    fresh = await store.save_firings(tx, firings)
    await record(tx, *(_fired_event(one, terms) for one in firings if one.key in fresh))
    return len(clocks) == FIRED_AT_ONCE_MAX


async def acknowledge(tx: Transaction, clock_id: UUID, *, actor: str) -> Clock:
    """Stop the escalation chain of a clock; once is enough.

    Raises:
        NotFound: there is no such clock.
        ClockStopped: the clock has its verdict.
    """
    clock = await store.lock_clock(tx, clock_id)
    if clock is None:
        raise NotFound
    acknowledged = clock.acknowledged(tx.now, actor=actor)
    if acknowledged is not clock:
        terms = await store.terms_of(tx, {_terms_key(clock)})
        await store.save_clocks(tx, [_timed(acknowledged, terms)])
    return acknowledged


async def fold_rollups(tx: Transaction) -> bool:
    """Fold what changed into the sums of compliance; return whether more waits."""
    return await store.fold_changes(tx, limit=FOLDED_AT_ONCE_MAX) == FOLDED_AT_ONCE_MAX


def _terms_key(clock: Clock) -> TermsKey:
    return clock.promise.contract_id, clock.promise.contract_version


def _timed(clock: Clock, terms: Mapping[TermsKey, Terms], *, not_before: datetime | None = None) -> TimedClock:
    mine = terms[_terms_key(clock)]
    pending = escalation.pending(clock, escalation.steps_of(mine, clock.metric))
    next_step_at = pending[0][0] if pending else None
    if next_step_at is not None and not_before is not None:
        next_step_at = max(next_step_at, not_before)
    return TimedClock(clock=clock, next_step_at=next_step_at, at_risk_at=escalation.at_risk_at(clock, mine))


# ---- saying -------------------------------------------------------------------------------------------------------


def _event(happening: Happening, terms: Mapping[TermsKey, Terms]) -> events.ClockState:
    kind = _SAID[happening.kind]
    state = _state(happening.clock, happening.at, terms)
    if kind is events.ClockPaused:
        return events.ClockPaused(**state, reason=happening.reason)
    if kind is events.SlaBreachVoided:
        return events.SlaBreachVoided(**state, because=happening.reason)
    return kind(**state)


def _fired_event(firing: Firing, terms: Mapping[TermsKey, Terms]) -> events.ClockState:
    state = _state(firing.clock, firing.due_at, terms)
    step = firing.step
    if step.kind == "at_risk":
        return events.SlaAtRisk(**state, threshold_percent=step.percent)
    if step.kind == "breach":
        return events.SlaBreached(**state)
    return events.EscalationRequested(**state, step=step.step, to_level=step.to_level, notify=step.notify)


def _state(clock: Clock, at: datetime, terms: Mapping[TermsKey, Terms]) -> dict[str, Any]:
    consumed_seconds = clock.consumed_seconds(at)
    return {
        "occurred_at": at,
        "clock_id": clock.id,
        "ticket_id": clock.ticket_id,
        "client_id": clock.client_id,
        "contract_id": clock.promise.contract_id,
        "revision": clock.revision,
        "metric": clock.metric,
        "cycle": clock.cycle,
        "rule_id": clock.promise.rule_id,
        "status": clock.status,
        "budget_minutes": clock.promise.budget_minutes,
        "consumed_seconds": consumed_seconds,
        "remaining_seconds": clock.promise.budget_seconds - consumed_seconds,
        "due_at": clock.due_at,
        "at_risk_at": escalation.at_risk_at(clock, terms[_terms_key(clock)]),
        "is_breached": clock.is_breached,
        "breached_at": clock.breached_at,
        "breach_reason": clock.breach_reason,
        "verdict": clock.verdict,
        "stopped_at": clock.stopped_at,
    }
