"""Who is told what when something happened: a pure function of the event, the ticket as known, and the people.

Nothing here ever holds what somebody wrote in a thread: a notice says that something happened, and where to look.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from msp_events.base import Event
from msp_events.billing import BillingRunReady, BillingRunState, InvoiceIssued, InvoiceReminderDue, InvoiceSentAgain
from msp_events.contracts import ApprovalRequested, BucketShortfallForecast, BucketThresholdCrossed
from msp_events.sla import ClockState, SlaAtRisk, SlaBreached
from msp_events.tickets import ImportFinished, MessagePosted, TicketRaised, TicketState, TimeUnsubmitted, TimeWaiting
from portal_gateway.person import Person

Side = Literal["staff", "client"]
KINDS: Mapping[str, tuple[str, ...]] = {
    "staff": (
        "assigned",
        "mentioned",
        "client-replied",
        "sla-risk",
        "sla-breach",
        "bucket-low",
        "bucket-forecast",
        "approval-waiting",
        "time-waiting",
        "time-unsubmitted",
        "run-ready",
        "run-finished",
        "import-finished",
    ),
    "client": (
        "answer-needed",
        "answered",
        "ticket-status",
        "bucket-used",
        "invoice-issued",
        "invoice-overdue",
        "approval-needed",
    ),
}
"""What people of each side can be told."""
NEWS = timedelta(days=2)
"""What is older is history: an import, a replay or a restored database tells nobody."""
LOW_PERCENT = 20
RISK_PERCENTS = (75, 90)
NO_CLIENT = UUID(int=0)
"""Whose affair it is when it is the house's own."""
TOGETHER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class KnownTicket:
    """What the gateway remembers of a ticket."""

    ticket_id: UUID
    client_id: UUID
    revision: int
    ref: str
    title: str
    priority: str
    assignee_person_id: UUID | None
    raised_by: UUID | None

    @classmethod
    def of(cls, event: TicketState) -> KnownTicket:
        """Return what an event says of its ticket."""
        is_raised = isinstance(event, TicketRaised)
        return cls(
            ticket_id=event.ticket_id,
            client_id=event.client_id,
            revision=event.revision,
            ref=event.ref,
            title=event.title,
            priority=event.priority,
            assignee_person_id=event.assignee_person_id,
            raised_by=person_of(event.actor) if is_raised else None,
        )

    def newest(self, other: KnownTicket | None) -> KnownTicket:
        """Return the newer of two, with who raised the ticket, whichever of them knows."""
        if other is None:
            return self
        newer = self if self.revision >= other.revision else other
        return replace(newer, raised_by=self.raised_by or other.raised_by)


@dataclass(frozen=True, slots=True)
class Wish:
    """Something to tell: to those people of the side, to those roles, or to others when none of them is there."""

    kind: str
    side: Side
    client_id: UUID
    fact: str
    """Names the fact: nobody is told it twice."""
    about: str
    link: str
    words: Mapping[str, Any]
    persons: frozenset[UUID] = frozenset()
    roles: frozenset[str] = frozenset()
    roles_instead: frozenset[str] = frozenset()
    but: UUID | None = None
    """Who did it knows."""
    is_critical: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing to tell one person."""

    person_id: UUID
    wish: Wish = field(hash=False)


def person_of(actor: str) -> UUID | None:
    """Return the person behind a change; programs and the platform are none."""
    try:
        return UUID(actor)
    except ValueError:
        return None


def wishes(event: Event, ticket: KnownTicket | None, *, now: datetime) -> list[Wish]:
    """Return what an event gives to tell; ``ticket`` is the one it concerns, as far as it is known."""
    if now - event.occurred_at > NEWS:
        return []
    match event:
        case TicketState() if not event.is_imported and event.merged_into_id is None:
            return _of_ticket(event, ticket or KnownTicket.of(event))
        case SlaAtRisk() | SlaBreached():
            return _of_clock(event, ticket)
        case BucketThresholdCrossed():
            return _of_bucket(event)
        case BucketShortfallForecast():
            return [_forecast(event)]
        case InvoiceIssued() | InvoiceSentAgain() | InvoiceReminderDue():
            return [_of_invoice(event)]
        case ApprovalRequested():
            return _of_approval(event)
        case BillingRunState():
            return [_of_run(event)]
        case ImportFinished() | TimeWaiting() | TimeUnsubmitted():
            return [_of_work(event)]
        case _:
            return []


def told(wish: Wish, people: Iterable[Person]) -> list[Notice]:
    """Return whom of the people a wish reaches: active ones of its side only, never who did it."""
    there = [one for one in people if one.is_active and _is_of_side(one, wish)]
    named = [one for one in there if one.id in wish.persons or wish.roles.intersection(one.roles)]
    if not named and wish.roles_instead:
        named = [one for one in there if wish.roles_instead.intersection(one.roles)]
    return [Notice(one.id, wish) for one in sorted(named, key=lambda one: one.id) if one.id != wish.but]


def grouped(rows: Sequence[Any]) -> list[list[Any]]:
    """Return rows, newest first, in groups: those about one thing that follow each other within five minutes."""
    groups: list[list[Any]] = []
    open_groups: dict[str, list[Any]] = {}
    for row in rows:
        group = open_groups.get(row["about"])
        if group is not None and group[-1]["at"] - row["at"] <= TOGETHER:
            group.append(row)
        else:
            open_groups[row["about"]] = [row]
            groups.append(open_groups[row["about"]])
    return groups


def _is_of_side(person: Person, wish: Wish) -> bool:
    if wish.side == "staff":
        return person.kind == "staff"
    return person.kind == "client" and person.of_client_id == wish.client_id


def _of_ticket(event: TicketState, ticket: KnownTicket) -> list[Wish]:
    assignee = frozenset({event.assignee_person_id} - {None})
    actor = person_of(event.actor)
    raisers = frozenset({ticket.raised_by} - {None})

    def wish(kind: str, side: Side, persons: frozenset[UUID | None], **words: Any) -> Wish:
        return Wish(
            kind=kind,
            side=side,
            client_id=event.client_id,
            fact=f"ticket:{event.ticket_id}:{event.revision}:{kind}",
            about=f"ticket:{event.ticket_id}",
            link=f"/{'desk' if side == 'staff' else 'portal'}/tickets/{event.ref}",
            words={"ref": event.ref, "title": event.title, **words},
            persons=frozenset(one for one in persons if one is not None),
            # What nobody of the client raised concerns its administrators.
            roles_instead=frozenset({"admin"}) if side == "client" else frozenset(),
            but=actor,
            is_critical=event.priority == "critical",
        )

    if isinstance(event, MessagePosted):
        if not event.is_public:
            return [wish("mentioned", "staff", frozenset(event.mentioned_person_ids))]
        if event.is_automatic or event.author_kind == "system":
            return []
        if event.author_kind == "client":
            return [wish("client-replied", "staff", assignee)]
        return [wish("answered", "client", raisers)]
    found: list[Wish] = []
    if "assignee_id" in event.changed:
        found.append(wish("assigned", "staff", assignee))
    if "status" in event.changed and event.status != "new":
        kind = "answer-needed" if event.status == "waiting_on_client" else "ticket-status"
        found.append(wish(kind, "client", raisers, status=event.status))
    return found


def _of_clock(event: ClockState, ticket: KnownTicket | None) -> list[Wish]:
    is_breach = isinstance(event, SlaBreached)
    percent = event.threshold_percent if isinstance(event, SlaAtRisk) else 100
    if not is_breach and percent not in RISK_PERCENTS:
        return []
    ref = ticket.ref if ticket else ""
    kind = "sla-breach" if is_breach else "sla-risk"
    assignee = ticket.assignee_person_id if ticket else None
    return [
        Wish(
            kind=kind,
            side="staff",
            client_id=event.client_id,
            fact=f"clock:{event.clock_id}:{event.cycle}:{event.revision}:{kind}:{percent}",
            about=f"ticket:{event.ticket_id}",
            link=f"/desk/tickets/{ref or event.ticket_id}",
            words={"ref": ref, "title": ticket.title if ticket else "", "metric": event.metric, "percent": percent},
            persons=frozenset() if assignee is None else frozenset({assignee}),
            roles=frozenset({"manager"}) if is_breach else frozenset(),
            is_critical=ticket is not None and ticket.priority == "critical",
        )
    ]


def _of_bucket(event: BucketThresholdCrossed) -> list[Wish]:
    percent = event.threshold_percent
    words = {"percent": percent, "left": max(event.available_minutes, 0), "granted": event.granted_minutes}
    found = [
        Wish(
            kind="bucket-used",
            side="client",
            client_id=event.client_id,
            fact=f"bucket:{event.contract_id}:{event.revision}:{percent}",
            about=f"bucket:{event.contract_id}",
            link="/portal/hours",
            words=words,
            roles=frozenset({"approver", "billing", "admin"}),
        )
    ]
    if event.available_minutes * 100 < event.granted_minutes * LOW_PERCENT:
        staff = replace(
            found[0],
            kind="bucket-low",
            side="staff",
            link="/desk/buckets",
            roles=frozenset({"manager"}),
        )
        found.append(staff)
    return found


def _forecast(event: BucketShortfallForecast) -> Wish:
    return Wish(
        kind="bucket-forecast",
        side="staff",
        client_id=event.client_id,
        # Once per period: the day it runs out moves with every entry.
        fact=f"bucket:{event.contract_id}:forecast:{event.period_ends_on}",
        about=f"bucket:{event.contract_id}",
        link="/desk/buckets",
        words={"day": event.exhausts_on.isoformat(), "ends": event.period_ends_on.isoformat()},
        roles=frozenset({"manager"}),
    )


def _of_invoice(event: InvoiceIssued | InvoiceSentAgain | InvoiceReminderDue) -> Wish:
    words: dict[str, Any] = {
        "number": event.number or "",
        "currency": event.currency,
        "day": None if event.due_on is None else event.due_on.isoformat(),
    }
    if isinstance(event, InvoiceReminderDue):
        kind, fact = "invoice-overdue", f"invoice:{event.invoice_id}:overdue:{event.step}"
        words |= {"minor": event.open_minor, "days": event.days_overdue}
    else:
        again = f":{event.occurred_at.isoformat()}" if isinstance(event, InvoiceSentAgain) else ""
        kind, fact = "invoice-issued", f"invoice:{event.invoice_id}:issued{again}"
        words |= {"minor": event.gross_minor}
    return Wish(
        kind=kind,
        side="client",
        client_id=event.client_id,
        fact=fact,
        about=f"invoice:{event.invoice_id}",
        link=f"/portal/invoices/{event.number}" if event.number else "/portal/invoices",
        words=words,
        roles=frozenset({"billing", "admin"}),
    )


def _of_approval(event: ApprovalRequested) -> list[Wish]:
    client = Wish(
        kind="approval-needed",
        side="client",
        client_id=event.client_id,
        fact=f"approval:{event.time_entry_id}:{event.entry_revision}:{event.overage_minutes}",
        about="approvals",
        link="/portal/approvals",
        words={"minutes": event.overage_minutes, "minor": event.price_minor, "currency": event.currency},
        roles=frozenset({"approver", "admin"}),
    )
    staff = replace(client, kind="approval-waiting", side="staff", link="/desk/approvals", roles=frozenset({"manager"}))
    return [client, staff]


def _of_run(event: BillingRunState) -> Wish:
    is_ready = isinstance(event, BillingRunReady)
    return Wish(
        kind="run-ready" if is_ready else "run-finished",
        side="staff",
        client_id=NO_CLIENT,
        # A run that was mended waits for review anew.
        fact=f"run:{event.run_id}:{'ready' if is_ready else 'finished'}:{event.occurred_at.isoformat()}",
        about=f"run:{event.run_id}",
        link=f"/desk/billing/runs/{event.run_id}",
        words={
            "day": event.starts_on.isoformat(),
            "ends": (event.ends_on - timedelta(days=1)).isoformat(),
            "drafted": event.drafted_count,
            "blocked": event.blocked_count,
            "issued": event.issued_count,
        },
        roles=frozenset({"manager", "finance"}),
    )


def _of_work(event: ImportFinished | TimeWaiting | TimeUnsubmitted) -> Wish:
    def wish(kind: str, fact: object, link: str, roles: Iterable[str], person: UUID | None, **words: Any) -> Wish:
        return Wish(
            kind=kind,
            side="staff",
            client_id=NO_CLIENT,
            fact=f"{kind}:{fact}",
            about=f"{kind}:{fact}",
            link=link,
            words=words,
            roles=frozenset(roles),
            persons=frozenset() if person is None else frozenset({person}),
        )

    if isinstance(event, ImportFinished):
        counts = {"taken": event.taken_count, "refused": event.refused_count}
        doer = person_of(event.actor)
        return wish(
            "import-finished", event.import_id, "/desk/admin/imports", ["manager"], doer, what=event.kind, **counts
        )
    # Said of a month by its last day.
    ends = (event.period_ends_on - timedelta(days=1)).isoformat()
    if isinstance(event, TimeWaiting):
        minutes = event.worked_minutes
        return wish("time-waiting", event.reminder_id, "/desk/approvals", ["manager"], None, minutes=minutes, ends=ends)
    minutes = event.open_minutes
    return wish("time-unsubmitted", event.reminder_id, "/desk/time", [], event.person_id, minutes=minutes, ends=ends)
