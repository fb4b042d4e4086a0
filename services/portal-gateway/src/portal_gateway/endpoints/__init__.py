"""The gateway's own part of ``/api/v1``: sessions, people, second factors, keys, what happened, and who did it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter

from msp_kit.problems import Problem
from portal_gateway import colours, logos, passwords, person, scope, telling
from portal_gateway.actions import (
    branding as branding_rules,
    factors as factor_rules,
    keys as key_rules,
    people as people_rules,
    sign_in,
)
from portal_gateway.endpoints import branding, factors, keys, notes, notices, people, providers, search, sessions

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
    branding_rules.NameMissing: Problem(_UNPROCESSABLE, "The house has no name"),
    branding_rules.BrandChanged: Problem(HTTPStatus.CONFLICT, "Somebody changed it in the meantime"),
    colours.NotAColour: Problem(_UNPROCESSABLE, "This is no colour"),
    colours.UnreadableColour: Problem(_UNPROCESSABLE, "The colour cannot be read on its background"),
    logos.LogoRefused: Problem(_UNPROCESSABLE, "The logo is not accepted"),
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
    branding.router,
    search.router,
)
