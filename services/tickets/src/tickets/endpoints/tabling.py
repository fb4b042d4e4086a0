"""Tables of tickets, agents and projects as CSV, out and in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Annotated, Any, Literal, TypeVar

from fastapi import APIRouter, Query, Request
from pydantic import ValidationError

from msp_kit.api import Body, CallerNow, Tx, allows, guarded_router
from msp_kit.export import EXPORTED_MAX, CsvResponse
from msp_kit.identity import Caller
from tickets.actions import tabling
from tickets.domain.table import read
from tickets.endpoints.filters import TicketFilters
from tickets.reports import organisation as organisation_lists, projects as project_lists, tickets as lists
from tickets.schemas.tabling import (
    AgentLine,
    AgentOutLine,
    ClientTicketOutLine,
    ProjectLine,
    ProjectOutLine,
    RowErrorView,
    TakenView,
    TicketLine,
    TicketOutLine,
)

router: APIRouter = guarded_router(prefix="/tables", tags=["tables"])
EVERYBODY = allows(staff=(), client=())
STAFF = allows(staff=())
MANAGERS = allows(staff=("dispatcher", "manager", "admin"))
Line = TypeVar("Line", bound=Body)
Trial = Annotated[bool, Query()]
"""Whether the rows are only tried: the answer is the same, and nothing is kept."""


@router.get("/tickets.csv", openapi_extra=EVERYBODY, response_class=CsvResponse)
async def tickets_out(caller: CallerNow, tx: Tx, filters: TicketFilters) -> CsvResponse:
    """Return the first ten thousand tickets of a list, with its very filters."""
    rows, _ = await lists.list_tickets(tx, **filters, limit=EXPORTED_MAX, after=None, with_balance=False)
    if caller.kind == "client":
        return CsvResponse(ClientTicketOutLine, [ClientTicketOutLine(**row) for row in rows], name="tickets")
    lines = [TicketOutLine(**{**row, "tags": " ".join(row["tags"])}) for row in rows]
    return CsvResponse(TicketOutLine, lines, name="tickets")


@router.get("/agents.csv", openapi_extra=STAFF, response_class=CsvResponse)
async def agents_out(tx: Tx) -> CsvResponse:
    """Return the agents."""
    words = ("levels", "skills", "queues")
    rows = await organisation_lists.agents(tx)
    lines = [AgentOutLine(**{**row, **{name: " ".join(row[name]) for name in words}}) for row in rows]
    return CsvResponse(AgentOutLine, lines, name="agents")


@router.get("/projects.csv", openapi_extra=STAFF, response_class=CsvResponse)
async def projects_out(tx: Tx) -> CsvResponse:
    """Return the projects with where they stand."""
    rows = await project_lists.list_projects(tx, client_id=None, status=None)
    lines = [ProjectOutLine(**{**row["burn"], **row}) for row in rows]
    return CsvResponse(ProjectOutLine, lines, name="projects")


@router.post("/tickets", openapi_extra=MANAGERS)
async def tickets_in(request: Request, caller: CallerNow, tx: Tx, *, trial: Trial = False) -> TakenView:
    """Raise a ticket for each row of a CSV body; send an Idempotency-Key, so that sending it again raises none."""

    async def take(line: TicketLine) -> None:
        await tabling.raise_of(
            tx, lambda client_id: line.to_wish(client_id=client_id), client_code=line.client_code, by=caller
        )

    done = await _taken(tx, await request.body(), TicketLine, take, is_trial=trial)
    return await _told(tx, done, "tickets", by=caller)


@router.post("/agents", openapi_extra=MANAGERS)
async def agents_in(request: Request, caller: CallerNow, tx: Tx, *, trial: Trial = False) -> TakenView:
    """Add an agent for each row of a CSV body."""

    async def take(line: AgentLine) -> None:
        await tabling.add_agent(tx, line.model_dump())

    done = await _taken(tx, await request.body(), AgentLine, take, is_trial=trial)
    return await _told(tx, done, "agents", by=caller)


@router.post("/projects", openapi_extra=MANAGERS)
async def projects_in(request: Request, caller: CallerNow, tx: Tx, *, trial: Trial = False) -> TakenView:
    """Create a project for each row of a CSV body."""

    async def take(line: ProjectLine) -> None:
        await tabling.create_project(tx, line.model_dump())

    done = await _taken(tx, await request.body(), ProjectLine, take, is_trial=trial)
    return await _told(tx, done, "projects", by=caller)


async def _taken(
    tx: Tx, content: bytes, kind: type[Line], take: Callable[[Line], Awaitable[Any]], *, is_trial: bool
) -> TakenView:
    """Take every row that can be taken, and name the others with their line."""
    needed = [name for name, about in kind.model_fields.items() if about.is_required()]
    table = read(content, columns=list(kind.model_fields), needed=needed)
    refused: list[RowErrorView] = []
    taken = 0
    async with tabling.undoing(tx) if is_trial else nullcontext():
        for number, row in table.rows:
            try:
                line = kind.model_validate(row)
            except ValidationError as error:
                refused += [_wrong(number, one) for one in error.errors()]
                continue
            why = await tabling.attempt(tx, lambda line=line: take(line))  # type: ignore[misc]
            if why is None:
                taken += 1
            else:
                refused.append(RowErrorView(line=number, column=None, detail=why))
    return TakenView(taken=taken, refused=refused, ignored_columns=list(table.ignored), is_trial=is_trial)


async def _told(tx: Tx, done: TakenView, kind: Literal["tickets", "agents", "projects"], *, by: Caller) -> TakenView:
    """Say what was brought in, unless it was only tried."""
    if not done.is_trial:
        refused = len({one.line for one in done.refused})
        await tabling.told(tx, kind=kind, taken=done.taken, refused=refused, by=by)
    return done


def _wrong(line: int, error: Any) -> RowErrorView:
    return RowErrorView(line=line, column=str(error["loc"][0]) if error["loc"] else None, detail=error["msg"])
