"""Routing rules over HTTP."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import APIRouter

from msp_kernel.ids import new_id
from msp_kit.api import Tx, allows, guarded_router
from msp_kit.pagination import Page
from tickets.actions import rules as verbs
from tickets.domain.routing import FALLBACK_QUEUE
from tickets.reports import organisation as lists
from tickets.schemas.ids import RoutingRuleId
from tickets.schemas.organisation import (
    NewRoutingRule,
    RoutingRuleView,
    TrialView,
    TriedRuleView,
    TriedTicketView,
    TryOut,
)

router: APIRouter = guarded_router(prefix="/routing-rules", tags=["routing"])
STAFF = allows(staff=())
MANAGERS = allows(staff=("dispatcher", "manager", "admin"))


@router.get("", openapi_extra=STAFF)
async def rules(tx: Tx) -> Page[RoutingRuleView]:
    """Return the routing rules by position."""
    rows = await lists.routing_rules(tx)
    return Page[RoutingRuleView](items=[RoutingRuleView.model_validate(row) for row in rows])


@router.post("", status_code=201, openapi_extra=MANAGERS)
async def add_rule(body: NewRoutingRule, tx: Tx) -> RoutingRuleView:
    """Add a routing rule."""
    rule = body.to_rule(str(new_id()))
    warnings = await verbs.save(tx, rule, is_new=True)
    return RoutingRuleView(**asdict(rule), warnings=list(warnings))


@router.post("/dry-run", openapi_extra=STAFF)
async def try_out(body: TryOut, tx: Tx) -> TrialView:
    """Route the tickets of the last days again, without changing any."""
    wished = None if body.rules is None else [one.to_rule(f"{at:06d}") for at, one in enumerate(body.rules)]
    trial = await verbs.try_out(tx, rules=wished, days=body.days)
    return TrialView(
        tickets=trial.tickets,
        by_queue=trial.by_queue,
        by_rule=[
            TriedRuleView(
                position=rule.position if rule else None, queue=rule.queue if rule else FALLBACK_QUEUE, tickets=count
            )
            for rule, count in trial.by_rule
        ],
        moved=trial.moved,
        examples=[
            TriedTicketView(ref=ref, went_to=went, would_go_to=would, reason=why)
            for ref, went, would, why in trial.examples
        ],
        never=[
            f"rule {rule.position} can never match: rules {taken_by} take all of it" for rule, taken_by in trial.never
        ],
    )


@router.put("/{rule_id}", openapi_extra=MANAGERS)
async def save_rule(rule_id: RoutingRuleId, body: NewRoutingRule, tx: Tx) -> RoutingRuleView:
    """Change a routing rule."""
    rule = body.to_rule(str(rule_id))
    warnings = await verbs.save(tx, rule, is_new=False)
    return RoutingRuleView(**asdict(rule), warnings=list(warnings))


@router.delete("/{rule_id}", status_code=204, openapi_extra=MANAGERS)
async def delete_rule(rule_id: RoutingRuleId, tx: Tx) -> None:
    """Delete a routing rule."""
    await verbs.delete(tx, rule_id=rule_id)
