"""Queues, routing rules, agents and workload over HTTP."""

from __future__ import annotations

from fastapi import APIRouter

from msp_kernel.ids import new_id
from msp_kit.api import Tx, allows, guarded_router
from msp_kit.pagination import Page
from tickets.actions import organisation as verbs
from tickets.domain.assignment import Candidate
from tickets.reports import organisation as rule_lists, tickets as lists
from tickets.schemas.organisation import (
    AgentView,
    NewAgent,
    NewQueue,
    NewRoutingRule,
    QueueView,
    RoutingRuleView,
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


@router.get("/routing-rules", openapi_extra=STAFF)
async def routing_rules(tx: Tx) -> Page[RoutingRuleView]:
    """Return the routing rules by position."""
    rows = await rule_lists.routing_rules(tx)
    return Page[RoutingRuleView](items=[RoutingRuleView.model_validate(row) for row in rows])


@router.post("/routing-rules", status_code=201, openapi_extra=MANAGERS)
async def add_routing_rule(body: NewRoutingRule, tx: Tx) -> RoutingRuleView:
    """Add a routing rule."""
    rule = await verbs.add_routing_rule(tx, **body.model_dump())
    return RoutingRuleView.model_validate(rule)


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


@router.get("/workload", openapi_extra=STAFF)
async def workload(tx: Tx) -> list[WorkloadView]:
    """Return the open work of each agent."""
    return [WorkloadView(**row) for row in await lists.workload(tx)]
