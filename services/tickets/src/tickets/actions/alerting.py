"""Alerts as tickets: one ticket for what goes on, however often and in whatever order it is told."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.outbox import record
from msp_kit.problems import NotFound
from tickets.actions import raising
from tickets.actions.journal import Actor, Journal
from tickets.actions.raising import Wish
from tickets.domain.alert import PRIORITY_OF, Known, State, Step, is_worse, next_step
from tickets.domain.text import NothingToSee, one_line
from tickets.domain.ticket import PRIORITIES, Ticket
from tickets.store import alerts as store, organisation, tickets as ticket_store
from tickets.store.tickets import Message

TITLE_CHARACTERS_MAX = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """An alert as it was told; ``at`` is when it fired or was over."""

    client_id: UUID
    system: str
    dedup_key: str
    state: State
    severity: str
    title: str
    description: str
    job_type: str
    level: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Heard:
    """What was done, and the ticket."""

    step: Step
    ticket_id: UUID | None
    ref: str | None


async def report(tx: Transaction, alert: Alert) -> Heard:
    """Open, tell, open again or resolve the ticket of an alert.

    Raises:
        NotFound: no such client.
        NoActiveContract, JobTypeOutsideContract, LevelOutsideContract, AmbiguousContract: no contract takes the ticket.
    """
    if await organisation.timezone_of(tx, client_id=alert.client_id) is None:
        raise NotFound
    await store.hold(tx, client_id=alert.client_id, system=alert.system, dedup_key=alert.dedup_key)
    row = await store.alert(tx, client_id=alert.client_id, system=alert.system, dedup_key=alert.dedup_key)
    ticket = None if row is None else await _ticket(tx, row["ticket_id"])
    known = None
    if row is not None:
        known = Known(
            state=row["state"],
            severity=row["severity"],
            title=row["title"],
            last_at=row["last_at"],
            ticket_status=None if ticket is None else ticket.status,
        )
        if alert.at < known.last_at:
            await store.count(tx, client_id=alert.client_id, system=alert.system, dedup_key=alert.dedup_key)
            return Heard("nothing", row["ticket_id"], ticket.ref if ticket else None)
    step = next_step(known, state=alert.state, severity=alert.severity, title=alert.title, at=alert.at)
    actor = Actor(id=f"monitoring:{alert.system}", name=alert.system, kind="system")
    if step == "open":
        journal = await _opened(tx, alert, actor)
    elif ticket is not None and step != "nothing":
        journal = await _moved(
            tx, ticket, alert, step, actor, worse=known is not None and is_worse(alert.severity, known.severity)
        )
    else:
        journal = None
    ticket = journal.ticket if journal is not None else ticket
    await store.save(
        tx,
        client_id=alert.client_id,
        system=alert.system,
        dedup_key=alert.dedup_key,
        ticket_id=ticket.id if ticket else None,
        state=alert.state,
        severity=alert.severity,
        title=alert.title,
        at=alert.at,
    )
    if journal is not None:
        await record(tx, *journal.events)
    return Heard(step, ticket.id if ticket else None, ticket.ref if ticket else None)


async def _ticket(tx: Transaction, ticket_id: UUID | None) -> Ticket | None:
    """Return the ticket of an alert, locked; of a merged one the ticket that took it over."""
    ticket = None if ticket_id is None else await ticket_store.lock_ticket(tx, ticket_id=ticket_id)
    while ticket is not None and ticket.merged_into_id is not None:
        ticket = await ticket_store.lock_ticket(tx, ticket_id=ticket.merged_into_id)
    return ticket


async def _opened(tx: Transaction, alert: Alert, actor: Actor) -> Journal:
    try:
        title = one_line(alert.title)[:TITLE_CHARACTERS_MAX]
    except NothingToSee:
        title = f"Alert of {alert.system}"
    wish = Wish(
        client_id=alert.client_id,
        contact_name=alert.system,
        title=title,
        description=alert.description,
        job_type=alert.job_type,
        level=alert.level,
        priority=PRIORITY_OF[alert.severity],
        tags=("alert",),
        source="alert",
    )
    journal = await raising.begin(tx, wish, by=actor)
    journal.note("alert", f"{alert.system}: {alert.dedup_key}", at=tx.now)
    await journal.save(tx, awaits_assignment=True)
    return journal


async def _moved(tx: Transaction, ticket: Ticket, alert: Alert, step: Step, actor: Actor, *, worse: bool) -> Journal:
    """Note what the alert says on its ticket, and move it; a worse alert raises the priority, a better one leaves it."""
    journal = Journal(ticket, actor=actor)
    after = ticket
    if step == "reopen":
        after = after.with_status("open", at=tx.now)
    elif step == "resolve":
        after = after.with_status("resolved", at=tx.now)
    priority = PRIORITY_OF[alert.severity]
    if worse and PRIORITIES.index(priority) < PRIORITIES.index(after.priority):
        after = replace(after, priority=priority)
    verb = {"tell": "again", "reopen": "fires again", "resolve": "is over"}.get(step, step)
    journal.change(after, at=tx.now, reason=f"alert {alert.dedup_key} {verb}")
    await ticket_store.add_messages(
        tx,
        [
            Message(
                id=new_id(),
                client_id=ticket.client_id,
                ticket_id=ticket.id,
                posted_at=tx.now,
                author_kind="system",
                author_id=actor.id,
                author_name=actor.name,
                is_public=False,
                is_automatic=True,
                is_first_response=False,
                body=f"{alert.severity}: {alert.title} ({verb})\n\n{alert.description}".strip()[:20_000],
            )
        ],
    )
    await journal.save(tx)
    return journal


async def client_of_code(tx: Transaction, *, code: str) -> UUID:
    """Return the client with a code.

    Raises:
        NotFound: there is none.
    """
    found = await organisation.client_of_code(tx, code=code)
    if found is None:
        raise NotFound
    return found
