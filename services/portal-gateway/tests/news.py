"""Events as the services say them, and somebody who delivers them to the gateway, for tests."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from door import Door

from msp_events.billing import BillingRunFinished, BillingRunReady, InvoiceIssued, InvoiceReminderDue, InvoiceSentAgain
from msp_events.contracts import ApprovalRequested, BucketShortfallForecast, BucketThresholdCrossed
from msp_events.sla import SlaAtRisk, SlaBreached
from msp_events.tickets import (
    ImportFinished,
    MessagePosted,
    TicketAssigned,
    TicketRaised,
    TicketUpdated,
    TimeUnsubmitted,
    TimeWaiting,
)
from msp_kernel.ids import new_id
from msp_kit.inbox import Inbox
from msp_kit.testing import Speaker
from portal_gateway.consumers import consumers

TICKET, CONTRACT = UUID(int=7), UUID(int=8)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def speaker(door: Door) -> Speaker:
    return Speaker(Inbox(door.database, consumers))


async def now(door: Door) -> datetime:
    found: datetime = await door.sql("SELECT clock_timestamp()")
    return found


def _ticket(client_id: UUID, **given: Any) -> dict[str, Any]:
    return {
        "occurred_at": MONDAY,
        "ticket_id": TICKET,
        "client_id": client_id,
        "revision": 1,
        "ref": "HLO-7",
        "contract_id": CONTRACT,
        "contract_version": 1,
        "title": "VPN drops",
        "job_type": "network",
        "priority": "high",
        "level": "L1",
        "handling_level": "L1",
        "status": "open",
        "queue": "desk",
        "raised_at": MONDAY,
        **given,
    }


def raised(client_id: UUID, by: UUID | str, **given: Any) -> TicketRaised:
    return TicketRaised(**_ticket(client_id, actor=str(by), status="new", changed=("raised",), **given))


def assigned(client_id: UUID, to: UUID | None, **given: Any) -> TicketAssigned:
    more = {"revision": 2, "assignee_id": None if to is None else new_id(), "assignee_person_id": to, **given}
    return TicketAssigned(**_ticket(client_id, changed=("assignee_id",), **more))


def updated(client_id: UUID, status: str, **given: Any) -> TicketUpdated:
    return TicketUpdated(**_ticket(client_id, **{"revision": 3, "status": status, "changed": ("status",), **given}))


def posted(client_id: UUID, author_kind: str, *, by: UUID | str = "system", **given: Any) -> MessagePosted:
    more = {"revision": 4, "is_public": True, "message_id": new_id(), "changed": ("messages",), **given}
    return MessagePosted(**_ticket(client_id, actor=str(by), author_id=str(by), author_kind=author_kind, **more))


def _clock(client_id: UUID, **given: Any) -> dict[str, Any]:
    return {
        "occurred_at": MONDAY,
        "clock_id": UUID(int=9),
        "ticket_id": TICKET,
        "client_id": client_id,
        "contract_id": CONTRACT,
        "revision": 5,
        "metric": "resolution",
        "rule_id": "r",
        "status": "running",
        "budget_minutes": 60,
        "consumed_seconds": 0,
        "remaining_seconds": 0,
        **given,
    }


def at_risk(client_id: UUID, percent: int, **given: Any) -> SlaAtRisk:
    return SlaAtRisk(**_clock(client_id, threshold_percent=percent, **given))


def breached(client_id: UUID, **given: Any) -> SlaBreached:
    return SlaBreached(**_clock(client_id, is_breached=True, **given))


def _bucket(client_id: UUID, available: int, **given: Any) -> dict[str, Any]:
    numbers = {"granted_minutes": 1000, "held_minutes": 0, "consumed_minutes": 0, "overage_minutes": 0}
    return {
        "occurred_at": MONDAY,
        "contract_id": CONTRACT,
        "client_id": client_id,
        "revision": 6,
        "available_minutes": available,
        **numbers,
        **given,
    }


def crossed(client_id: UUID, percent: int, **given: Any) -> BucketThresholdCrossed:
    return BucketThresholdCrossed(**_bucket(client_id, 1000 - 10 * percent, threshold_percent=percent, **given))


def runs_out(client_id: UUID, **given: Any) -> BucketShortfallForecast:
    days = {"exhausts_on": date(2026, 3, 20), "earliest_on": date(2026, 3, 18), "period_ends_on": date(2026, 4, 1)}
    return BucketShortfallForecast(**_bucket(client_id, 400, **days, **given))


def issued(client_id: UUID, **given: Any) -> InvoiceIssued:
    return InvoiceIssued(
        **{
            "occurred_at": MONDAY,
            "invoice_id": UUID(int=10),
            "client_id": client_id,
            "revision": 2,
            "status": "issued",
            "number": "2026-0007",
            "currency": "GBP",
            "starts_on": date(2026, 2, 1),
            "ends_on": date(2026, 3, 1),
            "net_minor": 10_000,
            "tax_minor": 2_000,
            "gross_minor": 12_000,
            "due_on": date(2026, 4, 1),
            "worked_minutes": 60,
            **given,
        }
    )


def overdue(client_id: UUID, **given: Any) -> InvoiceReminderDue:
    return InvoiceReminderDue(
        **{
            "occurred_at": MONDAY,
            "invoice_id": UUID(int=10),
            "client_id": client_id,
            "number": "2026-0007",
            "currency": "GBP",
            "gross_minor": 12_000,
            "open_minor": 4_000,
            "due_on": date(2026, 4, 1),
            "step": 1,
            "days_overdue": 3,
            **given,
        }
    )


def sent_again(client_id: UUID, **given: Any) -> InvoiceSentAgain:
    state = overdue(client_id).model_dump(exclude={"step", "days_overdue"})
    return InvoiceSentAgain.model_validate({**state, **given})


def asked(client_id: UUID, **given: Any) -> ApprovalRequested:
    return ApprovalRequested(
        **{
            "occurred_at": MONDAY,
            "time_entry_id": UUID(int=11),
            "client_id": client_id,
            "contract_id": CONTRACT,
            "entry_revision": 1,
            "worked_from": MONDAY - timedelta(hours=1),
            "worked_minutes": 60,
            "overage_minutes": 45,
            "currency": "GBP",
            "job_type": "network",
            "level": "L1",
            **given,
        }
    )


def _run(**given: Any) -> dict[str, Any]:
    days = {"starts_on": date(2026, 2, 1), "ends_on": date(2026, 3, 1)}
    counts = {"drafted_count": 8, "blocked_count": 1, "issued_count": 0, "nothing_count": 2}
    return {"occurred_at": MONDAY, "run_id": UUID(int=11), **days, **counts, **given}


def run_ready(**given: Any) -> BillingRunReady:
    return BillingRunReady(**_run(**given))


def run_finished(**given: Any) -> BillingRunFinished:
    return BillingRunFinished(**_run(**{"drafted_count": 0, "blocked_count": 0, "issued_count": 9, **given}))


def imported(by: UUID | str, **given: Any) -> ImportFinished:
    counts = {"taken_count": 40, "refused_count": 2}
    return ImportFinished(
        **{"occurred_at": MONDAY, "import_id": UUID(int=12), "kind": "tickets", "actor": str(by), **counts, **given}
    )


def time_waits(**given: Any) -> TimeWaiting:
    work = {"entry_count": 3, "worked_minutes": 95, "period_ends_on": date(2026, 4, 1)}
    return TimeWaiting(**{"occurred_at": MONDAY, "reminder_id": UUID(int=13), **work, **given})


def unsubmitted(of: UUID, **given: Any) -> TimeUnsubmitted:
    work = {"agent_id": UUID(int=15), "open_minutes": 75, "period_ends_on": date(2026, 4, 1)}
    return TimeUnsubmitted(**{"occurred_at": MONDAY, "reminder_id": UUID(int=14), "person_id": of, **work, **given})


def one_of_each(client_id: UUID, **given: Any) -> list[Any]:
    """Return one event of every kind that gives something to tell."""
    agent = UUID(int=1)
    return [
        assigned(client_id, agent, **given),
        posted(client_id, "agent", is_public=False, mentioned_person_ids=(agent,), revision=4, **given),
        posted(client_id, "client", assignee_person_id=agent, revision=5, **given),
        posted(client_id, "agent", revision=6, **given),
        updated(client_id, "waiting_on_client", revision=7, **given),
        updated(client_id, "resolved", revision=8, **given),
        at_risk(client_id, 75, **given),
        breached(client_id, **given),
        crossed(client_id, 75, **given),
        crossed(client_id, 90, **given),
        runs_out(client_id, **given),
        issued(client_id, **given),
        overdue(client_id, **given),
        sent_again(client_id, **given),
        asked(client_id, **given),
        run_ready(**given),
        run_finished(**given),
        imported(agent, **given),
        time_waits(**given),
        unsubmitted(agent, **given),
    ]
