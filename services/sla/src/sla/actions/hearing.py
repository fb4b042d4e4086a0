"""What is heard of clients, contracts and tickets: keep it, and move the clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from msp_events.contracts import ClientState, ContractState
from msp_events.tickets import MessagePosted, TicketState
from msp_kit import telemetry
from msp_kit.database import Transaction
from msp_kit.outbox import record
from sla import store
from sla.actions.credits import open_month
from sla.actions.saying import event_of, timed
from sla.domain import escalation, life
from sla.domain.escalation import Step
from sla.domain.life import Fact, Happening, Ticket
from sla.domain.targets import TARGET_MINUTES_MAX, Key, ties
from sla.store import Firing, TermsKey, TicketRow

log = telemetry.logger(__name__)

TERMS_FIELDS = {
    "calendar",
    "targets",
    "thresholds_percent",
    "escalation",
    "pausing_statuses",
    "first_response_pauses",
    "quiet_hours",
    "sla_credits",
}
AHEAD_MAX = timedelta(seconds=60)
"""How far another clock may run ahead of ours before its instants are cut to our now."""
HISTORIC_AFTER = timedelta(minutes=10)
IMPORT_HOLD = timedelta(seconds=30)
"""An imported ticket keeps still this long after each fact of its past: the rest of its story is on the way."""

_BREACH_STEP = Step(100, 1, escalation.BREACH, "breach")


class TermsNotKnownYet(Exception):
    """A ticket names a contract version that has not been heard of."""


class ForeignContract(Exception):
    """A ticket names a contract of another client."""


class TargetOutOfRange(Exception):
    """A contract version promises something within no time at all, or within more than a year around the clock."""


class TermsChanged(Exception):
    """A contract version was said again with other SLA terms; clocks pin versions, so a version never changes."""


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
        TargetOutOfRange: a target is none a clock should count towards.
        CalendarWithoutHours, UnknownTimezone, BadWindow, BadDay: the calendar cannot be used.
    """
    document = event.model_dump(mode="json", include=TERMS_FIELDS)
    terms = store.terms_from(event.contract_id, event.version, client_id=event.client_id, document=document)
    for rule in terms.rules:
        if rule.budget_minutes is not None and not 0 < rule.budget_minutes <= TARGET_MINUTES_MAX:
            said = f"target {rule.rule_id} of {event.ref} promises {rule.budget_minutes} minutes"
            raise TargetOutOfRange(f"{said}; 1 to {TARGET_MINUTES_MAX} are accepted")
    if tied := ties(terms.rules):
        log.warning("contract has tied SLA rules", contract_id=str(event.contract_id), pairs=len(tied))
    kept = await store.save_terms(tx, terms, ref=event.ref, effective_from=event.effective_from, document=document)
    # Terms that were kept before a field was known have its default: they are compared by what they mean.
    if different := store.terms_from(
        event.contract_id, event.version, client_id=terms.client_id, document=kept
    ).differences(terms):
        raise TermsChanged(f"version {event.version} of {event.ref} was known with other {', '.join(different)}")
    await store.save_contract(
        tx,
        contract_id=event.contract_id,
        client_id=event.client_id,
        currency=event.currency,
        ends_on=event.ends_on,
        revision=event.revision,
    )
    if terms.credits:
        await open_month(tx, contract_id=event.contract_id, client_id=event.client_id, on=event.effective_from)


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
    refs = await _survivors(tx, said)
    happenings: list[Happening] = []
    for event in said:
        known[event.ticket_id], news = life.heard(
            known.get(event.ticket_id),
            fact_of(event, now=tx.now, refs=refs),
            ticket_id=event.ticket_id,
            client_id=event.client_id,
            terms_of=lambda contract_id, version: terms[contract_id, version],
        )
        happenings += news
    last = {event.ticket_id: event for event in said}
    await store.save_tickets(tx, [_row(known[ticket_id], event) for ticket_id, event in last.items()])
    changed = [
        timed(clock, terms, not_before=_hold(last[clock.ticket_id], now=tx.now))
        for ticket in known.values()
        for clock in ticket.clocks
        if before.get(clock.id) is not clock
    ]
    await store.save_clocks(tx, changed)
    breaches = [_breach_firing(one) for one in happenings if one.kind == "breached"]
    fresh = await store.save_firings(tx, breaches)
    await store.void_firings(tx, [(one.clock, one.reason) for one in happenings if one.kind == "voided"])
    told = [one for one in happenings if one.kind != "breached" or _breach_firing(one).key in fresh]
    await record(tx, *(event_of(one, terms) for one in told))


def fact_of(event: TicketState, *, now: datetime, refs: Mapping[UUID, str]) -> Fact:
    """Return what an event about a ticket says to its clocks; an instant of the future is cut to ``now``.

    ``refs`` name the tickets that took over others.
    """
    into = event.merged_into_id
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
        merged_into="" if into is None else refs.get(into, str(into)),
        actor=event.actor,
        reason=reason,
    )


async def _survivors(tx: Transaction, said: Sequence[TicketState]) -> Mapping[UUID, str]:
    """Return the references of the tickets that took over others, as far as they are known."""
    wanted = {(event.merged_into_id, event.client_id) for event in said if event.merged_into_id is not None}
    just_said = {(event.ticket_id, event.client_id): event.ref for event in said}
    known = await store.refs_of(tx, wanted)
    return known | {pair[0]: just_said[pair] for pair in wanted & just_said.keys()}


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
