"""What the service is asked: the clocks of a ticket and why, what is at risk, how promises were kept."""

from __future__ import annotations

from datetime import date, timedelta
from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import Depends, Query

from msp_kernel.business_time import BadDay, BadWindow, CalendarWithoutHours, UnknownTimezone
from msp_kit import deadletters
from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.export import EXPORTED_MAX, CsvResponse
from msp_kit.pagination import PAGE_SIZE, After, Limit, Page, page_of, position
from msp_kit.problems import Problem
from sla import actions, reports
from sla.domain.causes import ClockNotBreached
from sla.domain.clock import ClockStopped
from sla.domain.compliance import Outcome
from sla.domain.targets import Metric, TiedRules
from sla.reports import Asked, Chosen, PeriodNotAnswerable
from sla.schemas import (
    CauseBody,
    ChangedView,
    ClockHead,
    ClockView,
    ComplianceView,
    CreditView,
    ExplainView,
    ForeseenView,
    PartRow,
    RefusalView,
    VerdictView,
    WhatIfBody,
    WhatIfView,
)
from sla.schemas.ids import AgentId, ClientId, ClockId, ContractId, TicketId

DEFAULT_DAYS = 84
EARLIEST = date(2000, 1, 1)
LATEST = date(2199, 12, 31)

PROBLEMS: dict[type[Exception], Problem] = {
    ClockStopped: Problem(HTTPStatus.CONFLICT, "The clock has its verdict"),
    ClockNotBreached: Problem(HTTPStatus.CONFLICT, "The promise was not broken"),
    TiedRules: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "Two targets are equally specific"),
    BadWindow: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A window of the calendar is not right"),
    BadDay: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "A day of the calendar is not right"),
    UnknownTimezone: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The time zone does not exist"),
    CalendarWithoutHours: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The calendar has no hours"),
    PeriodNotAnswerable: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The period cannot be answered for"),
}

EVERYBODY = allows(staff=(), client=())
STAFF = allows(staff=())
CREDITS = allows(staff=(), client=("billing", "admin"))

clocks = guarded_router(prefix="/clocks", tags=["clocks"])
boards = guarded_router(tags=["boards"])
Text = Annotated[str | None, Query(max_length=100)]
From = Annotated[date | None, Query(alias="from", ge=EARLIEST, le=LATEST, description="First day")]
To = Annotated[date | None, Query(ge=EARLIEST, le=LATEST, description="Day after the last")]


def _period(tx: Tx, starts_on: date | None, ends_on: date | None) -> tuple[date, date]:
    until = ends_on or tx.now.date() + timedelta(days=1)
    return starts_on or until - timedelta(days=DEFAULT_DAYS), until


def _chosen(
    tx: Tx,
    from_: From = None,
    to: To = None,
    outcome: Annotated[list[Outcome] | None, Query(description="Any of these; all when absent")] = None,
    client_id: ClientId | None = None,
    metric: Metric | None = None,
    priority: Text = None,
    level: Text = None,
    job_type: Text = None,
    queue: Text = None,
    agent_id: Annotated[AgentId | Literal["nobody"] | None, Query(description="`nobody`: tickets nobody had")] = None,
    weekday: Annotated[int | None, Query(ge=0, le=6, description="0 is Monday")] = None,
    hour: Annotated[int | None, Query(ge=0, le=23, description="Hour of the client's day")] = None,
) -> Chosen:
    starts_on, ends_on = _period(tx, from_, to)
    return Chosen(
        starts_on=starts_on,
        ends_on=ends_on,
        outcomes=outcome or ("met", "missed", "open_overdue"),
        client_id=client_id,
        metric=metric,
        priority=priority,
        level=level,
        job_type=job_type,
        queue=queue,
        agent_id="" if agent_id == "nobody" else agent_id,
        weekday=weekday,
        hour=hour,
    )


Which = Annotated[Literal["at_risk", "running"], Query(description="`running`: every running clock")]
ChosenNow = Annotated[Chosen, Depends(_chosen)]


def _given(
    tx: Tx, from_: From = None, to: To = None, client_id: ClientId | None = None, contract_id: ContractId | None = None
) -> dict[str, Any]:
    starts_on, ends_on = _period(tx, from_, to)
    return {"starts_on": starts_on, "ends_on": ends_on, "client_id": client_id, "contract_id": contract_id}


GivenNow = Annotated[dict[str, Any], Depends(_given)]


@clocks.get("", openapi_extra=EVERYBODY)
async def clocks_of_ticket(ticket_id: TicketId, tx: Tx) -> Page[ExplainView]:
    """Return the clocks of a ticket with tape and explanation; none for a ticket that is not the caller's."""
    return Page(items=[ExplainView.of(report) for report in await reports.clocks_of_ticket(tx, ticket_id)])


@boards.get("/clocks.csv", openapi_extra=STAFF, response_class=CsvResponse)
async def clocks_csv(ticket_id: TicketId, tx: Tx) -> CsvResponse:
    """Return the clocks of a ticket as a file."""
    found = await reports.clocks_of_ticket(tx, ticket_id)
    return CsvResponse(ClockHead, [ClockHead.of(report) for report in found], name="clocks")


@clocks.get("/{clock_id}", openapi_extra=EVERYBODY)
async def clock(clock_id: ClockId, tx: Tx) -> ClockView:
    """Return one clock with its tape."""
    return ClockView.of(await reports.one_clock(tx, clock_id))


@clocks.get("/{clock_id}/explain", openapi_extra=EVERYBODY)
async def explain(clock_id: ClockId, tx: Tx) -> ExplainView:
    """Return why a clock is where it is: rule, intervals, thresholds, due, verdict, in sentences."""
    return ExplainView.of(await reports.one_clock(tx, clock_id))


@clocks.post("/{clock_id}/acknowledge", openapi_extra=STAFF)
async def acknowledge(clock_id: ClockId, caller: CallerNow, tx: Tx) -> ClockView:
    """Stop the escalation chain of a clock."""
    await actions.acknowledge(tx, clock_id, actor=str(caller.id))
    return ClockView.of(await reports.one_clock(tx, clock_id))


@clocks.post("/{clock_id}/breach-cause", openapi_extra=allows(staff=("manager", "admin")))
async def breach_cause(clock_id: ClockId, body: CauseBody, caller: CallerNow, tx: Tx) -> ClockView:
    """Say why a promise was broken; what was said before is kept, and the last word counts."""
    await actions.say_cause(tx, clock_id, cause=body.cause, comment=body.comment, actor=str(caller.id))
    return ClockView.of(await reports.one_clock(tx, clock_id))


@boards.get("/promises", openapi_extra=EVERYBODY)
async def promises(
    tx: Tx,
    contract_id: ContractId,
    level: Annotated[str, Query(max_length=100)],
    job_type: Annotated[str, Query(max_length=100)],
) -> Page[ForeseenView]:
    """Return what a ticket would be promised if it were raised now, for each priority; a priority without targets has none."""
    found = await reports.foresight(tx, contract_id=contract_id, level=level, job_type=job_type)
    return Page(items=[ForeseenView.model_validate(one) for one in found])


@boards.get("/at-risk", openapi_extra=STAFF)
async def at_risk(
    tx: Tx,
    limit: Limit = PAGE_SIZE,
    after: After = None,
    which: Which = "at_risk",
    client_id: ClientId | None = None,
) -> Page[ClockHead]:
    """Return running clocks past their late threshold or overdue, soonest due first, with the time they have left."""
    found = await reports.at_risk(
        tx, limit=limit, after=position(after, of=2), is_every_running=which == "running", client_id=client_id
    )
    shown, following = page_of([ClockHead.of(one) for one in found], limit=limit, key=_due_position)
    return Page(items=list(shown), next=following)


@boards.get("/at-risk.csv", openapi_extra=STAFF, response_class=CsvResponse)
async def at_risk_csv(tx: Tx, which: Which = "at_risk", client_id: ClientId | None = None) -> CsvResponse:
    """Return the list as a file, up to 10,000 rows."""
    found = await reports.at_risk(
        tx, limit=EXPORTED_MAX - 1, after=None, is_every_running=which == "running", client_id=client_id
    )
    return CsvResponse(ClockHead, [ClockHead.of(one) for one in found], name="at-risk")


@boards.get("/compliance", openapi_extra=EVERYBODY)
async def compliance(
    tx: Tx,
    from_: From = None,
    to: To = None,
    client_id: ClientId | None = None,
    metric: Metric | None = None,
) -> ComplianceView:
    """Return how promises were kept in ``[from, to)``, days of each client's zone; by default the last 12 weeks."""
    starts_on, ends_on = _period(tx, from_, to)
    found = await reports.compliance(tx, starts_on=starts_on, ends_on=ends_on, client_id=client_id, metric=metric)
    return ComplianceView.of(found, is_for_client=tx.scope.role == "client")


@boards.get("/compliance.csv", openapi_extra=EVERYBODY, response_class=CsvResponse)
async def compliance_csv(
    tx: Tx, from_: From = None, to: To = None, client_id: ClientId | None = None, metric: Metric | None = None
) -> CsvResponse:
    """Return compliance as a file: a line for the whole, and one for every part."""
    view = await compliance(tx, from_, to, client_id, metric)
    return CsvResponse(PartRow, PartRow.all_of(view), name="compliance")


@boards.get("/verdicts", openapi_extra=STAFF)
async def verdicts(tx: Tx, chosen: ChosenNow, limit: Limit = PAGE_SIZE, after: After = None) -> Page[VerdictView]:
    """Return the clocks behind a number of ``/compliance``, the latest decided first."""
    found = await reports.verdicts(tx, chosen, limit=limit, after=position(after, of=2))
    shown, following = page_of([VerdictView.of_decided(one) for one in found], limit=limit, key=_decided_position)
    return Page(items=list(shown), next=following)


@boards.get("/verdicts.csv", openapi_extra=STAFF, response_class=CsvResponse)
async def verdicts_csv(tx: Tx, chosen: ChosenNow) -> CsvResponse:
    """Return the list as a file, up to 10,000 rows."""
    found = await reports.verdicts(tx, chosen, limit=EXPORTED_MAX - 1, after=None)
    return CsvResponse(VerdictView, [VerdictView.of_decided(one) for one in found], name="verdicts")


@boards.post("/what-if", openapi_extra=STAFF)
async def what_if(body: WhatIfBody, tx: Tx) -> WhatIfView:
    """Replay the clocks of a period under another calendar, other targets or flags; nothing is changed."""
    asked = Asked(starts_on=body.from_, ends_on=body.to, client_id=body.client_id, contract_id=body.contract_id)
    return WhatIfView.of(await reports.what_if(tx, asked, body.change()), body)


@boards.post("/what-if.csv", openapi_extra=STAFF, response_class=CsvResponse)
async def what_if_csv(body: WhatIfBody, tx: Tx) -> CsvResponse:
    """Replay as ``/what-if`` does, and return the clocks that would count otherwise as a file."""
    return CsvResponse(ChangedView, (await what_if(body, tx)).changed, name="what-if")


@boards.get("/sla-credits", openapi_extra=CREDITS)
async def sla_credits(tx: Tx, given: GivenNow, limit: Limit = PAGE_SIZE, after: After = None) -> Page[CreditView]:
    """Return the credits that broken promises earned, the newest month first; by default of the last 12 weeks."""
    rows = await reports.credits_page(tx, **given, limit=limit, after=position(after, of=2))
    shown, following = page_of([CreditView.model_validate(row) for row in rows], limit=limit, key=_credit_position)
    return Page(items=list(shown), next=following)


@boards.get("/sla-credits.csv", openapi_extra=CREDITS, response_class=CsvResponse)
async def sla_credits_csv(tx: Tx, given: GivenNow) -> CsvResponse:
    """Return the list as a file, up to 10,000 rows."""
    rows = await reports.credits_page(tx, **given, limit=EXPORTED_MAX - 1, after=None)
    return CsvResponse(CreditView, [CreditView.model_validate(row) for row in rows], name="sla-credits")


@boards.get("/sla-refusals", openapi_extra=allows(staff=("manager", "admin")))
async def sla_refusals(tx: Tx) -> Page[RefusalView]:
    """Return up to 200 events that could not be taken, oldest first, each with the reason."""
    found = await deadletters.open_messages_of(tx, limit=200)
    return Page(items=[RefusalView.model_validate(one) for one in found])


@boards.get("/sla-refusals.csv", openapi_extra=allows(staff=("manager", "admin")), response_class=CsvResponse)
async def sla_refusals_csv(tx: Tx) -> CsvResponse:
    """Return the list as a file, up to 10,000 rows."""
    found = await deadletters.open_messages_of(tx, limit=EXPORTED_MAX - 1)
    return CsvResponse(RefusalView, [RefusalView.model_validate(one) for one in found], name="sla-refusals")


def _due_position(head: ClockHead) -> tuple[str, str]:
    assert head.due_at is not None, "a running clock is due some day"
    return head.due_at.isoformat(), str(head.clock_id)


def _credit_position(view: CreditView) -> tuple[str, str]:
    return view.starts_on.isoformat(), str(view.credit_id)


def _decided_position(view: VerdictView) -> tuple[str, str]:
    return view.decided_at.isoformat(), str(view.clock_id)
