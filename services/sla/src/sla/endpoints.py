"""What the service is asked: the clocks of a ticket and why, what is at risk, how promises were kept."""

from __future__ import annotations

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import PAGE_SIZE, After, Limit, Page, page_of, position
from msp_kit.problems import Problem
from sla import actions, reports
from sla.domain.clock import ClockStopped
from sla.domain.targets import Metric
from sla.reports import PeriodNotAnswerable
from sla.schemas import ClockHead, ClockView, ComplianceView, ExplainView

DEFAULT_DAYS = 84
EARLIEST = date(2000, 1, 1)
LATEST = date(2199, 12, 31)

PROBLEMS: dict[type[Exception], Problem] = {
    ClockStopped: Problem(HTTPStatus.CONFLICT, "The clock has its verdict"),
    PeriodNotAnswerable: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The period cannot be answered for"),
}

EVERYBODY = allows(staff=(), client=())
STAFF = allows(staff=())

clocks = guarded_router(prefix="/clocks", tags=["clocks"])
boards = guarded_router(tags=["boards"])
From = Annotated[date | None, Query(alias="from", ge=EARLIEST, le=LATEST, description="First day")]
To = Annotated[date | None, Query(ge=EARLIEST, le=LATEST, description="Day after the last")]


@clocks.get("", openapi_extra=EVERYBODY)
async def clocks_of_ticket(ticket_id: UUID, tx: Tx) -> Page[ClockView]:
    """Return the clocks of a ticket with their tape; none for a ticket that is not the caller's."""
    return Page(items=[ClockView.of(report) for report in await reports.clocks_of_ticket(tx, ticket_id)])


@clocks.get("/{clock_id}", openapi_extra=EVERYBODY)
async def clock(clock_id: UUID, tx: Tx) -> ClockView:
    """Return one clock with its tape."""
    return ClockView.of(await reports.one_clock(tx, clock_id))


@clocks.get("/{clock_id}/explain", openapi_extra=EVERYBODY)
async def explain(clock_id: UUID, tx: Tx) -> ExplainView:
    """Return why a clock is where it is: rule, intervals, thresholds, due, verdict, in sentences."""
    return ExplainView.of(await reports.one_clock(tx, clock_id))


@clocks.post("/{clock_id}/acknowledge", openapi_extra=STAFF)
async def acknowledge(clock_id: UUID, caller: CallerNow, tx: Tx) -> ClockView:
    """Stop the escalation chain of a clock."""
    await actions.acknowledge(tx, clock_id, actor=str(caller.id))
    return ClockView.of(await reports.one_clock(tx, clock_id))


@boards.get("/at-risk", openapi_extra=STAFF)
async def at_risk(
    tx: Tx,
    limit: Limit = PAGE_SIZE,
    after: After = None,
    which: Annotated[Literal["at_risk", "running"], Query(description="`running`: every running clock")] = "at_risk",
) -> Page[ClockHead]:
    """Return running clocks past their late threshold or overdue, soonest due first."""
    found = await reports.at_risk(tx, limit=limit, after=position(after, of=2), is_every_running=which == "running")
    shown, following = page_of([ClockHead.of(one) for one in found], limit=limit, key=_due_position)
    return Page(items=list(shown), next=following)


@boards.get("/compliance", openapi_extra=EVERYBODY)
async def compliance(
    tx: Tx,
    from_: From = None,
    to: To = None,
    client_id: UUID | None = None,
    metric: Metric | None = None,
) -> ComplianceView:
    """Return how promises were kept in ``[from, to)``, days of each client's zone; by default the last 12 weeks."""
    ends_on = to or tx.now.date() + timedelta(days=1)
    starts_on = from_ or ends_on - timedelta(days=DEFAULT_DAYS)
    return ComplianceView.of(
        await reports.compliance(tx, starts_on=starts_on, ends_on=ends_on, client_id=client_id, metric=metric)
    )


def _due_position(head: ClockHead) -> tuple[str, str]:
    assert head.due_at is not None, "a running clock is due some day"
    return head.due_at.isoformat(), str(head.clock_id)
