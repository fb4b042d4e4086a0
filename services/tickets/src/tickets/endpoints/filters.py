"""The filters of lists of tickets, the same for a page and for a file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Depends, Query

from msp_kit.api import CallerNow
from tickets.schemas.ids import AgentId, ClientId


async def _filters(
    caller: CallerNow,
    status: Annotated[str | None, Query(max_length=30)] = None,
    queue: Annotated[str | None, Query(max_length=60)] = None,
    assignee_id: AgentId | None = None,
    client_id: ClientId | None = None,
    tag: Annotated[str | None, Query(max_length=40)] = None,
    priority: Annotated[str | None, Query(max_length=20)] = None,
    job_type: Annotated[str | None, Query(max_length=60)] = None,
    text: Annotated[str | None, Query(max_length=100)] = None,
    sort: Literal["time_left", "updated"] = "time_left",
    *,
    unassigned: bool = False,
    mine: bool = False,
    watched: bool = False,
) -> dict[str, Any]:
    is_staff = caller.kind == "staff"
    return {
        "status": status,
        "queue": queue if is_staff else None,
        "assignee_id": assignee_id if is_staff else None,
        "client_id": client_id,
        "is_unassigned": unassigned,
        "of_person": caller.id if mine and is_staff else None,
        "watched_by": caller.id if watched else None,
        "tag": tag,
        "priority": priority,
        "job_type": job_type,
        "text": text,
        "sort": sort,
    }


TicketFilters = Annotated[dict[str, Any], Depends(_filters)]
"""What of the tickets is wanted, as ``reports.tickets.list_tickets`` takes it; the desk's own filters are not for clients."""
