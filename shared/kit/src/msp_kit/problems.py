"""Refusals as RFC 9457 problem documents: what is wrong, where, and what would be accepted."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from msp_kit import telemetry
from msp_kit.database import is_unavailable

log = telemetry.logger(__name__)

CONTENT_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """How one broken rule is answered; the slug comes from the exception's name."""

    status: int
    title: str


class NotFound(Exception):
    """There is no such thing, or it is not yours: the two are not told apart."""


class Forbidden(Exception):
    """Your role does not allow this."""


class StepUpRequired(Exception):
    """What moves money or rights needs a proof of who you are that is at most ten minutes old."""


class Unauthenticated(Exception):
    """Nobody is signed in, or the identity cannot be believed."""


class Conflict(Exception):
    """The thing was changed by someone else in the meantime; ``errors`` may name what, and by whom."""

    def __init__(self, detail: str = "", *, errors: Sequence[Mapping[str, Any]] = ()) -> None:
        super().__init__(detail)
        self.errors = errors


class BadCursor(Exception):
    """The page cursor is not one of ours."""


class IdempotencyConflict(Exception):
    """The Idempotency-Key was used for another request."""


class BodyTooLarge(Exception):
    """The body of the request is larger than accepted."""


class BodyTooSlow(Exception):
    """The body of the request did not arrive in time."""


COMMON: dict[type[Exception], Problem] = {
    NotFound: Problem(HTTPStatus.NOT_FOUND, "Not found"),
    Forbidden: Problem(HTTPStatus.FORBIDDEN, "Your role does not allow this"),
    StepUpRequired: Problem(HTTPStatus.FORBIDDEN, "Prove once more who you are"),
    Unauthenticated: Problem(HTTPStatus.UNAUTHORIZED, "Sign in first"),
    Conflict: Problem(HTTPStatus.CONFLICT, "Somebody changed it in the meantime"),
    BadCursor: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The page cursor is not valid"),
    IdempotencyConflict: Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "The Idempotency-Key was used for another request"),
    BodyTooLarge: Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The request body is too large"),
    BodyTooSlow: Problem(HTTPStatus.REQUEST_TIMEOUT, "The request body did not arrive in time"),
}


def slug(name: str) -> str:
    """Return the kebab-case slug of an exception's name: ``TicketClosed`` gives ``ticket-closed``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name).lower()


def document(
    *, slug: str, status: int, title: str, detail: str, instance: str, errors: Sequence[Mapping[str, Any]] = ()
) -> dict[str, Any]:
    """Return the members of a problem document."""
    made: dict[str, Any] = {
        "type": f"/problems/{slug}",
        "code": slug,
        "title": title,
        "status": int(status),
        "detail": detail,
        "instance": instance,
        "request_id": telemetry.request_id.get(),
    }
    if errors:
        made["errors"] = list(errors)
    return made


def answer(request: Request, *, slug: str, status: int, title: str, detail: str = "", **more: Any) -> Response:
    """Return a problem as an HTTP response."""
    body = document(slug=slug, status=status, title=title, detail=detail or title, instance=request.url.path, **more)
    headers = {"Retry-After": "5"} if status == HTTPStatus.SERVICE_UNAVAILABLE else None
    return Response(orjson.dumps(body), status_code=status, media_type=CONTENT_TYPE, headers=headers)


def install(app: FastAPI, problems: Mapping[type[Exception], Problem]) -> None:
    """Answer every known exception of an application with a problem document; ``Edge`` answers the unknown ones."""
    for exception, problem in {**COMMON, **problems}.items():
        app.add_exception_handler(exception, _known(problem))
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def _known(problem: Problem) -> Any:
    async def handle(request: Request, error: Exception) -> Response:
        # 404 for a foreign thing must equal 404 for a missing one, byte for byte.
        detail = "" if problem.status == HTTPStatus.NOT_FOUND else str(error)
        return answer(
            request,
            slug=slug(type(error).__name__),
            status=problem.status,
            title=problem.title,
            detail=detail,
            errors=getattr(error, "errors", ()),
        )

    return handle


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"pointer": "/" + "/".join(str(part) for part in found["loc"]), "detail": found["msg"], "code": found["type"]}
        for found in error.errors()
    ]
    return answer(
        request,
        slug="invalid-request",
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
        title="The request is not valid",
        detail="; ".join(f"{one['pointer']}: {one['detail']}" for one in errors[:5]),
        errors=errors[:50],
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    phrase = HTTPStatus(error.status_code).phrase
    made = answer(request, slug=slug(phrase.replace(" ", "")), status=error.status_code, title=phrase)
    made.headers.update(error.headers or {})
    return made


async def unexpected(request: Request, error: Exception) -> Response:
    """Answer what nobody did: a database that is away with 503, a bug with 500 and its cause in the log.

    Layers that read the body before any route is known leave their refusals to this, too.
    """
    if type(error) in COMMON:
        known: Response = await _known(COMMON[type(error)])(request, error)
        return known
    if is_unavailable(error):
        log.warning("database is away", error=repr(error)[:300])
        return answer(
            request,
            slug="unavailable",
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            title="The service cannot reach its database",
            detail="Try again in a few seconds, with the same Idempotency-Key: what was done is not done twice.",
        )
    log.error("unexpected error", path=request.url.path, exc_info=error)
    return answer(
        request,
        slug="internal-error",
        status=HTTPStatus.INTERNAL_SERVER_ERROR,
        title="Something went wrong on our side",
        detail="Nothing was changed. The request id leads to the cause.",
    )
