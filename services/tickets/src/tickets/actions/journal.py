"""One ticket being changed: collects its new states, what is said about them, messages and activities, and saves all."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from msp_events.base import Event
from msp_events.tickets import (
    MessagePosted,
    TicketAssigned,
    TicketClosed,
    TicketRaised,
    TicketReopened,
    TicketResolved,
    TicketUpdated,
)
from msp_kit.database import Transaction
from tickets.domain.mention import may_mention, mentioned
from tickets.domain.ticket import Ticket
from tickets.store import organisation, tickets as store
from tickets.store.tickets import Activity, Message

_HIDDEN = ("description", "contact_name")


class Actor:
    """Who changes a ticket: an opaque id and a name for the history."""

    __slots__ = ("id", "kind", "name")

    def __init__(self, *, id: str, name: str, kind: str) -> None:  # noqa: A002 - the plain word for it
        self.id = id
        self.name = name
        self.kind = kind


SYSTEM_ACTOR = Actor(id="system", name="Effigate", kind="system")


class Journal:
    """The changes of one ticket in one transaction."""

    def __init__(self, ticket: Ticket, *, actor: Actor, is_new: bool = False) -> None:
        self.ticket = ticket
        self.actor = actor
        self.is_new = is_new
        self.events: list[Event] = []
        self.messages: list[Message] = []
        self.activities: list[Activity] = []

    def raised(self, *, at: datetime, reason: str = "") -> None:
        """Note that the ticket was raised; ``reason`` says how its priority came about."""
        self._say(TicketRaised, at=at, changed=("raised",))
        self.note("raised", f"raised by {self.actor.name}", at=at, reason=reason)

    def change(
        self, after: Ticket, *, at: datetime, reason: str = "", rule_id: str | None = None, text: str = ""
    ) -> None:
        """Move to another state and say what changed; nothing is said when nothing did."""
        before = self.ticket
        changed = tuple(name for name in Ticket.__dataclass_fields__ if getattr(before, name) != getattr(after, name))
        if not changed:
            return
        self.ticket = replace(after, revision=before.revision + 1)
        self._say(_kind(before, after), at=at, changed=changed, reason=reason)
        sentence = text or _sentence(before, after, changed)
        self.note(_activity(changed), sentence, at=at, reason=reason, rule_id=rule_id, changed=changed)

    def post(self, message: Message, after: Ticket) -> None:
        """Add a message; ``after`` is the ticket after it. What the message did to the status is said on its own."""
        self.messages.append(message)
        answered = replace(self.ticket, first_responded_at=after.first_responded_at, revision=self.ticket.revision + 1)
        self.ticket = answered
        self._say(
            MessagePosted,
            at=message.posted_at,
            changed=("messages",),
            message_id=message.id,
            author_kind=message.author_kind,
            author_id=message.author_id,
            is_public=message.is_public,
            is_automatic=message.is_automatic,
        )
        self.change(replace(after, revision=answered.revision), at=message.posted_at, reason="message")

    def note(
        self,
        kind: str,
        text: str,
        *,
        at: datetime,
        reason: str = "",
        rule_id: str | None = None,
        by: Actor | None = None,
        changed: tuple[str, ...] = (),
    ) -> None:
        """Add a line to the history; ``by`` is somebody else than the one who changes the ticket."""
        actor = by or self.actor
        self.activities.append(
            Activity(
                client_id=self.ticket.client_id,
                ticket_id=self.ticket.id,
                at=at,
                actor_id=actor.id,
                actor_name=actor.name,
                kind=kind,
                text=text[:1000],
                reason=reason[:1000],
                rule_id=rule_id,
                revision=self.ticket.revision,
                changed=changed,
            )
        )

    async def save(
        self, tx: Transaction, *, awaits_assignment: bool = False, updated_at: datetime | None = None
    ) -> None:
        """Save the ticket with its messages and history; the events are recorded by the caller, last."""
        await self._name_people(tx)
        at = updated_at or tx.now
        if self.is_new:
            await store.add_ticket(tx, self.ticket, awaits_assignment=awaits_assignment, updated_at=at)
        else:
            await store.save_ticket(tx, self.ticket, updated_at=at)
        if self.messages:
            await store.add_messages(tx, self.messages)
        if self.activities:
            await store.add_activities(tx, self.activities)

    async def _name_people(self, tx: Transaction) -> None:
        """Add to what is said whom it concerns: the person who is the assignee, and those named in internal notes."""
        if self.ticket.is_imported or not self.events:
            return
        assignees = {one: None for event in self.events if (one := getattr(event, "assignee_id", None)) is not None}
        persons = await organisation.persons_of_agents(tx, list(assignees)) if assignees else {}
        notes = {one.id: one.body for one in self.messages if not one.is_public and may_mention(one.body)}
        desk = await organisation.staff_names(tx) if notes else {}
        for at, event in enumerate(self.events):
            more: dict[str, Any] = {"assignee_person_id": persons.get(getattr(event, "assignee_id", None))}
            if isinstance(event, MessagePosted) and event.message_id in notes:
                more["mentioned_person_ids"] = mentioned(notes[event.message_id], desk)
            self.events[at] = event.model_copy(update=more)

    def _say(self, kind: Any, *, at: datetime, changed: tuple[str, ...], reason: str = "", **more: Any) -> None:
        self.events.append(
            kind(
                **state(self.ticket), occurred_at=at, changed=changed, actor=self.actor.id, reason=reason[:200], **more
            )
        )


def state(ticket: Ticket) -> dict[str, Any]:
    """Return the public state of a ticket, as events carry it."""
    values = asdict(ticket)
    values["ticket_id"] = values.pop("id")
    for name in _HIDDEN:
        values.pop(name)
    return values


def _kind(before: Ticket, after: Ticket) -> type[Event]:
    if before.is_over and not after.is_over:
        return TicketReopened
    if after.status == "closed" != before.status:
        return TicketClosed
    if after.status == "resolved" != before.status:
        return TicketResolved
    if before.status == after.status and before.assignee_id != after.assignee_id:
        return TicketAssigned
    return TicketUpdated


def _activity(changed: tuple[str, ...]) -> str:
    for name, kind in (
        ("merged_into_id", "merge"),
        ("satisfaction", "rating"),
        ("status", "status"),
        ("assignee_id", "assignment"),
        ("queue", "routing"),
    ):
        if name in changed:
            return kind
    return "change"


_SHOWN = ("status", "priority", "level", "handling_level", "job_type", "queue", "assignee_name", "title")
_SETS = ("tags",)


def _sentence(before: Ticket, after: Ticket, changed: tuple[str, ...]) -> str:
    parts = [
        f"{name.removesuffix('_name').replace('_', ' ')}: {getattr(before, name) or 'nobody'}"
        f" to {getattr(after, name) or 'nobody'}"
        for name in _SHOWN
        if name in changed
    ]
    for name in _SETS:
        if name in changed:
            old, new = set(getattr(before, name)), set(getattr(after, name))
            parts.append(
                f"{name}: {', '.join([*(f'+{one}' for one in sorted(new - old)), *(f'−{one}' for one in sorted(old - new))])}"
            )
    return "; ".join(parts) or ", ".join(changed)
