"""Taking rows of a table one by one: each is taken, or comes back with the reason."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any, Literal
from uuid import UUID

from msp_events.tickets import ImportFinished
from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from msp_kit.identity import Caller
from msp_kit.outbox import record
from msp_kit.problems import Conflict, NotFound
from tickets.actions import organisation, projects, raising
from tickets.actions.raising import Wish
from tickets.domain.assignment import Candidate
from tickets.domain.priority import PriorityUnknown
from tickets.domain.scope import AmbiguousContract, JobTypeOutsideContract, LevelOutsideContract, NoActiveContract
from tickets.store import organisation as store

_REFUSALS = (
    NotFound,
    Conflict,
    PriorityUnknown,
    AmbiguousContract,
    JobTypeOutsideContract,
    LevelOutsideContract,
    NoActiveContract,
)


async def attempt(tx: Transaction, row: Callable[[], Awaitable[Any]]) -> str | None:
    """Take a row, or undo all of it and return why it is refused."""
    try:
        async with tx.savepoint():
            await row()
    except _REFUSALS as refused:
        return str(refused) or "there is no such client"
    return None


async def told(
    tx: Transaction, *, kind: Literal["tickets", "agents", "projects"], taken: int, refused: int, by: Caller
) -> None:
    """Say that rows were brought in."""
    await record(
        tx,
        ImportFinished(
            occurred_at=tx.now,
            import_id=new_id(),
            kind=kind,
            taken_count=taken,
            refused_count=refused,
            actor=str(by.id),
        ),
    )


class _Enough(Exception):
    """Ends a trial."""


@asynccontextmanager
async def undoing(tx: Transaction) -> AsyncIterator[None]:
    """Undo in the end all that is done: what is found out is true, and nothing stays."""
    with suppress(_Enough):
        async with tx.savepoint():
            yield
            raise _Enough


async def raise_of(tx: Transaction, wish: Callable[[UUID], Wish], *, client_code: str, by: Caller) -> None:
    """Raise the ticket of a row.

    Raises:
        NotFound: no client has this code.
        NoActiveContract, JobTypeOutsideContract, LevelOutsideContract, AmbiguousContract, PriorityUnknown.
    """
    await raising.raise_ticket(tx, wish(await _client(tx, client_code)), by=by)


async def add_agent(tx: Transaction, values: dict[str, Any]) -> None:
    """Add the agent of a row.

    Raises:
        Conflict: an agent has this name.
    """
    if values["name"] in await store.names_of_agents(tx):
        raise Conflict(f"there is an agent named {values['name']} already")
    agent = Candidate(
        id=new_id(),
        name=values["name"],
        levels=tuple(values["levels"]),
        skills=tuple(values["skills"]),
        queues=tuple(values["queues"]),
        weekly_minutes=values["weekly_minutes"],
    )
    await organisation.add_agent(tx, agent, person_id=None)


async def create_project(tx: Transaction, values: dict[str, Any]) -> None:
    """Create the project of a row.

    Raises:
        NotFound: no client has this code.
        NoActiveContract: the client has no contract with this ref in force.
    """
    client_id = await _client(tx, values.pop("client_code"))
    ref = values.pop("contract_ref")
    contracts = await store.terms_of_client(tx, client_id=client_id)
    contract_id = next((one.contract_id for one in contracts if one.ref == ref), None)
    if contract_id is None:
        raise NoActiveContract(f"the client has no active contract {ref}")
    await projects.create(tx, {**values, "client_id": client_id, "contract_id": contract_id}, plan=None)


async def _client(tx: Transaction, code: str) -> UUID:
    client_id = await store.client_of_code(tx, code=code)
    if client_id is None:
        raise NotFound(f"there is no client {code}")
    return client_id
