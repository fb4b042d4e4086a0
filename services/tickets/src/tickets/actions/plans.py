"""Templates of projects."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from msp_kit.database import Transaction
from msp_kit.problems import NotFound
from tickets.store import projects as store


async def save(tx: Transaction, *, template_id: UUID, name: str, plan: Mapping[str, Any]) -> UUID:
    """Save a plan under a name, replacing the one that had it; return the id of the template."""
    return await store.save_template(tx, template_id=template_id, name=name, plan=plan)


async def plan_of(tx: Transaction, *, template_id: UUID) -> Mapping[str, Any]:
    """Return the plan of a template.

    Raises:
        NotFound: there is none.
    """
    plan = await store.template(tx, template_id=template_id)
    if plan is None:
        raise NotFound
    return plan
