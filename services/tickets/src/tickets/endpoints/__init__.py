"""The HTTP doors of the tickets service."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter

from msp_kernel.periods import NotWholeMonths
from msp_kit.problems import Problem
from tickets.domain import (
    attachment,
    priority,
    project,
    quick_time,
    routing,
    scope,
    shift,
    table,
    text,
    ticket,
    time_entry,
)
from tickets.endpoints import alerts, importing, organisation, projects, rules, tabling, texts, threads, tickets, time

_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
PROBLEMS: Mapping[type[Exception], Problem] = {
    scope.NoActiveContract: Problem(_UNPROCESSABLE, "No contract is in force"),
    scope.AmbiguousContract: Problem(_UNPROCESSABLE, "Several contracts cover this"),
    scope.JobTypeOutsideContract: Problem(_UNPROCESSABLE, "The job type is not in the contract"),
    scope.LevelOutsideContract: Problem(_UNPROCESSABLE, "The support level is not in the contract"),
    ticket.StatusNotReachable: Problem(HTTPStatus.CONFLICT, "The ticket cannot take this status"),
    ticket.TicketClosed: Problem(HTTPStatus.CONFLICT, "The ticket is closed"),
    ticket.NotForClients: Problem(HTTPStatus.FORBIDDEN, "This is for the service desk"),
    ticket.AcrossClients: Problem(_UNPROCESSABLE, "The tickets belong to two clients"),
    ticket.MergedIntoItself: Problem(_UNPROCESSABLE, "A ticket cannot go into itself"),
    ticket.MergeIntoYounger: Problem(HTTPStatus.CONFLICT, "The older ticket takes the younger one over"),
    ticket.NotRatedYet: Problem(HTTPStatus.CONFLICT, "The work cannot be rated now"),
    priority.PriorityUnknown: Problem(_UNPROCESSABLE, "The priority is not known"),
    text.NothingToSee: Problem(_UNPROCESSABLE, "The title cannot be seen"),
    text.UnknownPlace: Problem(_UNPROCESSABLE, "A place cannot be filled in"),
    attachment.FileTooLarge: Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The file is too large"),
    attachment.FileTypeRefused: Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Files of this type are not accepted"),
    attachment.FileNotWhatItSays: Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The file is not what its name says"),
    time_entry.OwnTime: Problem(HTTPStatus.FORBIDDEN, "Nobody approves their own time"),
    time_entry.EntryDecided: Problem(HTTPStatus.CONFLICT, "The entry was decided before"),
    time_entry.EntrySealed: Problem(HTTPStatus.CONFLICT, "The entry is sealed for billing"),
    time_entry.CorrectsNothing: Problem(_UNPROCESSABLE, "The correction changes nothing"),
    time_entry.PeriodLocked: Problem(HTTPStatus.CONFLICT, "The period is locked"),
    time_entry.PeriodNotOver: Problem(_UNPROCESSABLE, "The period is not over"),
    time_entry.WorkedInTheFuture: Problem(_UNPROCESSABLE, "Work is logged when it is done"),
    quick_time.TimeNotUnderstood: Problem(_UNPROCESSABLE, "The time is not understood"),
    quick_time.TooMuchTime: Problem(_UNPROCESSABLE, "An entry holds at most a day"),
    routing.RuleNeverMatches: Problem(_UNPROCESSABLE, "The rule can never match"),
    project.DependencyCycle: Problem(_UNPROCESSABLE, "Tasks would wait in a circle"),
    project.TaskBlocked: Problem(HTTPStatus.CONFLICT, "The task waits for others"),
    project.ProjectClosed: Problem(HTTPStatus.CONFLICT, "The project is closed"),
    project.MilestoneInUse: Problem(HTTPStatus.CONFLICT, "Tasks belong to the milestone"),
    project.PlanBroken: Problem(_UNPROCESSABLE, "The plan does not hold together"),
    shift.ShiftsOverlap: Problem(_UNPROCESSABLE, "The shifts overlap"),
    table.NoTable: Problem(_UNPROCESSABLE, "The file is no table"),
    shift.BadShift: Problem(_UNPROCESSABLE, "There is no such shift"),
    NotWholeMonths: Problem(_UNPROCESSABLE, "The period is not one of whole months"),
}
# ``threads`` before ``tickets``: /tickets/bulk is no ticket.
ROUTERS: tuple[APIRouter, ...] = (
    threads.router,
    projects.router,
    texts.router,
    tickets.router,
    time.router,
    rules.router,
    organisation.router,
    alerts.router,
    tabling.router,
    importing.router,
)
