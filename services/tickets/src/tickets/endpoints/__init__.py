"""The HTTP doors of the tickets service."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter

from msp_kit.problems import Problem
from tickets.actions.time import WorkedInTheFuture
from tickets.domain import scope, ticket, time_entry
from tickets.endpoints import importing, organisation, tickets, time

_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
PROBLEMS: Mapping[type[Exception], Problem] = {
    scope.NoActiveContract: Problem(_UNPROCESSABLE, "No contract is in force"),
    scope.AmbiguousContract: Problem(_UNPROCESSABLE, "Several contracts cover this"),
    scope.JobTypeOutsideContract: Problem(_UNPROCESSABLE, "The job type is not in the contract"),
    scope.LevelOutsideContract: Problem(_UNPROCESSABLE, "The support level is not in the contract"),
    ticket.StatusNotReachable: Problem(HTTPStatus.CONFLICT, "The ticket cannot take this status"),
    ticket.TicketClosed: Problem(HTTPStatus.CONFLICT, "The ticket is closed"),
    ticket.NotForClients: Problem(HTTPStatus.FORBIDDEN, "This is for the service desk"),
    time_entry.OwnTime: Problem(HTTPStatus.FORBIDDEN, "Nobody approves their own time"),
    time_entry.EntryDecided: Problem(HTTPStatus.CONFLICT, "The entry was decided before"),
    time_entry.EntrySealed: Problem(HTTPStatus.CONFLICT, "The entry is sealed for billing"),
    WorkedInTheFuture: Problem(_UNPROCESSABLE, "Work is logged when it is done"),
}
ROUTERS: tuple[APIRouter, ...] = (tickets.router, time.router, organisation.router, importing.router)
