"""Queues, agents and workload over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from msp_kernel.ids import new_id
from msp_kit.api import CallerNow, Tx, allows, guarded_router
from msp_kit.pagination import Page
from msp_kit.problems import NotFound
from tickets.actions import assigning, organisation as verbs
from tickets.domain.assignment import Candidate
from tickets.domain.shift import Shift
from tickets.reports import organisation as lists
from tickets.schemas.ids import AbsenceId, AgentId
from tickets.schemas.organisation import (
    AbsenceView,
    AddAbsence,
    AgentAbsenceView,
    AgentView,
    ChangeAgent,
    FullAgentView,
    NewAgent,
    NewQueue,
    QueueView,
    SetPresence,
    SetShifts,
    ShiftView,
    SuggestionView,
    WorkloadView,
)

router: APIRouter = guarded_router(tags=["organisation"])
STAFF = allows(staff=())
MANAGERS = allows(staff=("dispatcher", "manager", "admin"))


@router.get("/queues", openapi_extra=STAFF)
async def queues(tx: Tx) -> Page[QueueView]:
    """Return the queues with their open tickets."""
    return Page[QueueView](items=[QueueView(**row) for row in await lists.queues(tx)])


@router.post("/queues", status_code=201, openapi_extra=MANAGERS)
async def add_queue(body: NewQueue, tx: Tx) -> QueueView:
    """Add a queue."""
    await verbs.add_queue(tx, key=body.key, name=body.name)
    return QueueView(key=body.key, name=body.name)


@router.get("/agents", openapi_extra=STAFF)
async def agents(tx: Tx) -> Page[AgentView]:
    """Return the agents by name."""
    return Page[AgentView](items=[AgentView(**row) for row in await lists.agents(tx)])


@router.post("/agents", status_code=201, openapi_extra=MANAGERS)
async def add_agent(body: NewAgent, tx: Tx) -> AgentView:
    """Add an agent."""
    agent = Candidate(
        id=body.id or new_id(),
        name=body.name,
        levels=tuple(body.levels),
        skills=tuple(body.skills),
        queues=tuple(body.queues),
        weekly_minutes=body.weekly_minutes,
    )
    await verbs.add_agent(tx, agent, person_id=body.person_id)
    return AgentView(person_id=body.person_id, **{name: getattr(agent, name) for name in agent.__dataclass_fields__})


@router.put("/agents/me/presence", status_code=204, openapi_extra=STAFF)
async def set_presence(body: SetPresence, caller: CallerNow, tx: Tx) -> None:
    """Say whether you can be given work now."""
    await verbs.set_presence(tx, by=caller, presence=body.presence)


@router.get("/agents/absences", openapi_extra=STAFF)
async def list_absences(tx: Tx) -> list[AgentAbsenceView]:
    """Return the absences of all agents that are not over."""
    return [AgentAbsenceView(**row) for row in await lists.absences(tx)]


@router.get("/agents/{agent_id}", openapi_extra=STAFF)
async def one_agent(agent_id: AgentId, tx: Tx) -> FullAgentView:
    """Return one agent with shifts and absences."""
    row = await lists.one_agent(tx, agent_id=agent_id)
    if row is None:
        raise NotFound
    return FullAgentView(**{**row, "shifts": [ShiftView.of(Shift(*one)) for one in row["shifts"]]})


@router.patch("/agents/{agent_id}", openapi_extra=MANAGERS)
async def change_agent(agent_id: AgentId, body: ChangeAgent, tx: Tx) -> FullAgentView:
    """Change an agent."""
    await verbs.change_agent(tx, agent_id=agent_id, changes=body.to_changes())
    return await one_agent(agent_id, tx)


@router.put("/agents/{agent_id}/shifts", openapi_extra=MANAGERS)
async def set_shifts(agent_id: AgentId, body: SetShifts, tx: Tx) -> list[ShiftView]:
    """Replace the weekly shifts of an agent."""
    shifts = [one.to_shift() for one in body.shifts]
    saved = await verbs.set_shifts(tx, agent_id=agent_id, timezone=body.timezone, shifts=shifts)
    return [ShiftView.of(one) for one in saved]


@router.post("/agents/{agent_id}/absences", status_code=201, openapi_extra=MANAGERS)
async def add_absence(agent_id: AgentId, body: AddAbsence, tx: Tx) -> AbsenceView:
    """Note that an agent is away."""
    absence_id = await verbs.add_absence(tx, agent_id=agent_id, **body.model_dump())
    return AbsenceView(id=absence_id, **body.model_dump())


@router.delete("/agents/absences/{absence_id}", status_code=204, openapi_extra=MANAGERS)
async def delete_absence(absence_id: AbsenceId, tx: Tx) -> None:
    """Take an absence away."""
    await verbs.delete_absence(tx, absence_id=absence_id)


@router.get("/workload", openapi_extra=STAFF)
async def workload(tx: Tx) -> list[WorkloadView]:
    """Return the open work of each agent against their capacity, with what of it is about to be late."""
    loads = await assigning.loads(tx)
    return [WorkloadView(**row, **loads[row["agent_id"]]) for row in await lists.workload(tx)]


@router.get("/workload/suggestions", openapi_extra=MANAGERS)
async def suggestions(tx: Tx) -> list[SuggestionView]:
    """Return hand-overs that would even out the work."""
    return [
        SuggestionView(
            ticket_id=one.work.ticket_id,
            ref=one.work.ref,
            from_id=one.giver.id,
            from_name=one.giver.name,
            to_id=one.taker.id,
            to_name=one.taker.name,
            from_load=list(one.giver_load),
            to_load=list(one.taker_load),
        )
        for one in await assigning.suggestions(tx)
    ]
