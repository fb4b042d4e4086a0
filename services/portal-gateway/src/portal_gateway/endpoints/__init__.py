"""The gateway's own part of ``/api/v1``: sessions, people, second factors, keys, what happened, and who did it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter

from msp_kit.problems import Problem
from portal_gateway import passwords, person, scope, telling
from portal_gateway.actions import factors as factor_rules, keys as key_rules, people as people_rules, sign_in
from portal_gateway.endpoints import factors, keys, notes, notices, people, providers, sessions

_UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
PROBLEMS: Mapping[type[Exception], Problem] = {
    sign_in.SignInRefused: Problem(HTTPStatus.UNAUTHORIZED, "Sign-in refused"),
    sign_in.SecondFactorRequired: Problem(HTTPStatus.UNAUTHORIZED, "A second factor is needed"),
    sign_in.TooManyAttempts: Problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many attempts"),
    people_rules.EmailTaken: Problem(HTTPStatus.CONFLICT, "The e-mail address is taken"),
    people_rules.TicketSpent: Problem(HTTPStatus.GONE, "The link is no longer good"),
    people_rules.LastAdministrator: Problem(HTTPStatus.CONFLICT, "Somebody must be left who can administer"),
    people_rules.OwnRights: Problem(HTTPStatus.FORBIDDEN, "Nobody changes their own rights"),
    passwords.BadPassword: Problem(_UNPROCESSABLE, "The password is not good enough"),
    person.UnknownRole: Problem(_UNPROCESSABLE, "The role does not exist"),
    factor_rules.WrongCode: Problem(_UNPROCESSABLE, "The code is not right"),
    factor_rules.PasskeyRefused: Problem(_UNPROCESSABLE, "The passkey was refused"),
    key_rules.UnknownScope: Problem(_UNPROCESSABLE, "The scope does not exist"),
    telling.BadNotificationSettings: Problem(_UNPROCESSABLE, "Nobody can be told like this"),
    scope.CsrfFailed: Problem(HTTPStatus.FORBIDDEN, "Not sent from our page"),
    scope.SecondFactorMissing: Problem(HTTPStatus.FORBIDDEN, "Add a second factor first"),
    scope.OutOfScope: Problem(HTTPStatus.FORBIDDEN, "The API key was not made for this"),
}
ROUTERS: tuple[APIRouter, ...] = (
    sessions.router,
    people.router,
    factors.router,
    keys.router,
    notes.router,
    notices.router,
    providers.router,
)
