"""Builders for tests: values with working defaults, told in words a person would say."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from msp_events.base import Event
from msp_events.contracts import ContractActivated, EscalationStepTerms, TargetTerms
from msp_events.tickets import (
    MessagePosted,
    TicketRaised,
    TicketReopened,
    TicketResolved,
    TicketState,
    TicketUpdated,
)
from msp_kernel.business_time import Calendar
from msp_kernel.ids import new_id
from sla.domain.clock import Clock, Promise, started
from sla.domain.targets import Flags, Key, Metric, Rule, Terms

StateT = TypeVar("StateT", bound=TicketState)
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
MONDAY = datetime(2026, 11, 2, tzinfo=UTC)
NAMESPACE = UUID("018f0000-0000-7000-8000-000000000000")
CLIENT = uuid5(NAMESPACE, "client")
CONTRACT = uuid5(NAMESPACE, "contract")
TICKET = uuid5(NAMESPACE, "ticket")


def at(text: str, *, week: int = 0, zone: str = "UTC") -> datetime:
    """Return an instant of the example week (or a later one): ``at("Tue 10:00")``."""
    day, clock = text.split()
    index = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun").index(day)
    hours, minutes = map(int, clock.split(":"))
    local = MONDAY.replace(tzinfo=ZoneInfo(zone)) + timedelta(days=index + 7 * week, hours=hours, minutes=minutes)
    return local.astimezone(UTC)


def hours(text: str = "09-17", *, days: Sequence[str] = WEEKDAYS, zone: str = "UTC") -> dict[str, Any]:
    """Return a calendar document: ``hours("08-18")``, or ``hours("24x7")``."""
    if text == "24x7":
        opens, closes, days = "00", "24", (*WEEKDAYS, "sat", "sun")
    else:
        opens, closes = text.split("-")
    return {"timezone": zone, "weekly": {day: [[f"{opens}:00", f"{closes}:00"]] for day in days}}


def budget(text: str) -> int:
    """Return minutes: ``budget("4h")``, ``budget("90m")``."""
    return int(text[:-1]) * (60 if text.endswith("h") else 1)


def a_promise(promises: str = "4h", *, since: str | datetime, in_hours: str = "09-17", zone: str = "UTC") -> Promise:
    """Return a promise made at an instant."""
    return Promise(
        since=at(since, zone=zone) if isinstance(since, str) else since,
        contract_id=CONTRACT,
        contract_version=1,
        rule_id="r1",
        budget_minutes=budget(promises),
        calendar=Calendar.from_json(hours(in_hours, zone=zone)),
    )


def a_clock(
    *, promises: str = "4h", since: str | datetime = "Mon 09:00", in_hours: str = "09-17", zone: str = "UTC"
) -> Clock:
    """Return a running resolution clock."""
    return started(
        ticket_id=TICKET,
        client_id=CLIENT,
        metric="resolution",
        promise=a_promise(promises, since=since, in_hours=in_hours, zone=zone),
        key=Key("high", "L1", "network"),
    )


def a_rule(metric: Metric = "resolution", *, promises: str | None = "4h", **more: Any) -> Rule:
    """Return a rule; without keys it matches every ticket."""
    minutes = None if promises is None else budget(promises)
    return Rule(**{"rule_id": f"{metric}-default", "metric": metric, "budget_minutes": minutes, **more})


def some_terms(*rules: Rule, in_hours: str = "09-17", version: int = 1, **more: Any) -> Terms:
    """Return terms; by default one hour to the first response and four to the resolution."""
    calendar = Calendar.from_json(hours(in_hours))
    default = (a_rule("first_response", promises="1h"), a_rule(promises="4h"))
    return Terms(
        contract_id=CONTRACT, version=version, client_id=CLIENT, calendar=calendar, rules=rules or default, **more
    )


def a_contract(
    *,
    contract_id: UUID = CONTRACT,
    client_id: UUID = CLIENT,
    version: int = 1,
    calendar: Mapping[str, Any] | None = None,
    targets: Mapping[str, str | None] | None = None,
    escalation: Sequence[EscalationStepTerms] = (),
    **more: Any,
) -> ContractActivated:
    """Return the event that makes terms known; ``targets`` maps ``metric`` or ``metric priority`` to a budget."""
    wanted = {"first_response": "1h", "resolution": "4h"} if targets is None else targets
    rules = []
    for name, promises in wanted.items():
        metric, _, priority = name.partition(" ")
        minutes = None if promises is None else budget(promises)
        rules.append(
            TargetTerms.model_validate(
                {"rule_id": name, "metric": metric, "priority": priority or None, "budget_minutes": minutes}
            )
        )
    return ContractActivated.model_validate(
        {
            "occurred_at": MONDAY,
            "contract_id": contract_id,
            "client_id": client_id,
            "revision": version,
            "ref": "C-0001",
            "name": "Care",
            "kind": "bucket",
            "status": "active",
            "version": version,
            "effective_from": MONDAY.date(),
            "starts_on": MONDAY.date(),
            "currency": "GBP",
            "job_types": ("network",),
            "levels": ("L1", "L2"),
            "calendar": dict(calendar or hours("24x7")),
            "targets": rules,
            "escalation": escalation,
            "rate_card_id": NAMESPACE,
            "rate_card_version": 1,
            "rates": (),
            **more,
        }
    )


@dataclass
class ATicket:
    """A ticket that tells its story as events, in the words of the tickets service."""

    client_id: UUID = field(default_factory=new_id)
    contract_id: UUID = field(default_factory=new_id)
    ticket_id: UUID = field(default_factory=new_id)
    raised_at: datetime = MONDAY + timedelta(hours=9)
    state: dict[str, Any] = field(default_factory=dict)
    revision: int = 0

    def contract(self, **more: Any) -> ContractActivated:
        """Return the event that makes the ticket's contract known."""
        return a_contract(contract_id=self.contract_id, client_id=self.client_id, **more)

    def raised(self, **more: Any) -> TicketRaised:
        """Return the first event."""
        self.state |= {"status": "new", **more}
        return self._event(TicketRaised, self.raised_at)

    def moved(self, when: str | datetime, **changes: Any) -> TicketUpdated:
        """Return an update: ``moved("Mon 10:00", status="waiting_on_client")``."""
        self.state |= changes
        return self._event(TicketUpdated, when)

    def resolved(self, when: str | datetime) -> TicketResolved:
        """Return the resolution."""
        self.state |= {"status": "resolved", "resolved_at": self._instant(when)}
        return self._event(TicketResolved, when)

    def reopened(self, when: str | datetime) -> TicketReopened:
        """Return the next cycle."""
        self.state |= {"status": "open", "resolved_at": None, "cycle": self.state.get("cycle", 1) + 1}
        return self._event(TicketReopened, when)

    def message(self, when: str | datetime, author: str = "agent", **more: Any) -> MessagePosted:
        """Return a message; public unless told otherwise."""
        changes = {name: more.pop(name) for name in ("status",) if name in more}
        self.state |= changes
        said = {"message_id": new_id(), "author_kind": author, "author_id": author, "is_public": True, **more}
        return self._event(MessagePosted, when, **said)

    def _instant(self, when: str | datetime) -> datetime:
        return at(when) if isinstance(when, str) else when

    def _event(self, kind: type[StateT], when: str | datetime, **more: Any) -> StateT:
        self.revision += 1
        return kind.model_validate(
            {
                "occurred_at": self._instant(when),
                "ticket_id": self.ticket_id,
                "client_id": self.client_id,
                "revision": self.revision,
                "ref": "HLO-1",
                "contract_id": self.contract_id,
                "contract_version": 1,
                "title": "VPN drops",
                "job_type": "network",
                "priority": "high",
                "level": "L1",
                "handling_level": "L1",
                "queue": "service-desk",
                "raised_at": self.raised_at,
                "actor": "tom",
                **self.state,
                **more,
            }
        )


def a_busy_fortnight(*, tickets: int = 60, seed: int = 7) -> Iterator[list[Event]]:
    """Yield what is said, in order, of some tickets of three clients: met, missed, reopened, handed over, still open."""
    made = random.Random(seed)
    agents = [uuid5(NAMESPACE, "tom"), uuid5(NAMESPACE, "mei"), None]
    owners = [ATicket() for _ in range(3)]
    for owner in owners:
        yield [owner.contract(calendar=hours("09-17"), targets={"first_response": "2h", "resolution": "8h"})]
    for number in range(tickets):
        owner = owners[number % 3]
        ticket = ATicket(
            client_id=owner.client_id,
            contract_id=owner.contract_id,
            raised_at=MONDAY + timedelta(hours=9, minutes=made.randrange(5 * 24 * 60)),
            state={
                "priority": made.choice(["critical", "high", "low"]),
                "level": made.choice(["L1", "L2"]),
                "queue": made.choice(["desk", "network"]),
                "assignee_id": made.choice(agents),
            },
        )
        moment = ticket.raised_at
        said: list[Event] = [ticket.raised()]
        for step in made.sample(["answer", "hand over", "wait", "resolve", "reopen", "resolve again"], k=6):
            moment += timedelta(minutes=made.randrange(10, 1500))
            if step == "answer":
                said.append(ticket.message(moment))
            elif step == "hand over":
                said.append(
                    ticket.moved(moment, assignee_id=made.choice(agents), queue=made.choice(["desk", "network"]))
                )
            elif step == "wait":
                said.append(ticket.moved(moment, status="waiting_on_client"))
            elif step.startswith("resolve"):
                said.append(ticket.resolved(moment))
            elif ticket.state["status"] == "resolved":
                said.append(ticket.reopened(moment))
        yield said


__all__ = ["Flags", "Key"]
