"""The OpenAPI document says how a service refuses, too: one shape for every problem, and the statuses it can have."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Response

from msp_kit.problems import CONTENT_TYPE

ALWAYS = (
    HTTPStatus.BAD_REQUEST,
    HTTPStatus.UNAUTHORIZED,
    HTTPStatus.FORBIDDEN,
    HTTPStatus.NOT_FOUND,
    HTTPStatus.CONFLICT,
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    HTTPStatus.UNPROCESSABLE_ENTITY,
    HTTPStatus.TOO_MANY_REQUESTS,
    HTTPStatus.SERVICE_UNAVAILABLE,
)
PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "RFC 9457: what is wrong, where, and what would be accepted",
    "required": ["type", "code", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "code": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "pointer": {"type": "string"},
                    "detail": {"type": "string"},
                    "code": {"type": "string"},
                },
            },
        },
    },
}


def file_of(*media_types: str) -> dict[str, Any]:
    """Return what describes an operation that answers with a file, for its decorator."""
    content: dict[str, Any] = {one: {} for one in media_types}
    return {"response_class": Response, "responses": {int(HTTPStatus.OK): {"content": content}}}


def say_how_it_refuses(app: FastAPI, statuses: Iterable[int]) -> None:
    """Complete the application's document with the problems its operations answer with."""
    described = app.openapi
    every = sorted({*map(int, ALWAYS), *map(int, statuses)})
    answers = {
        str(status): {
            "description": HTTPStatus(status).phrase,
            "content": {CONTENT_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in every
    }

    def complete() -> dict[str, Any]:
        if app.openapi_schema is not None:
            return app.openapi_schema
        document = described()
        for operations in document.get("paths", {}).values():
            for operation in operations.values():
                # FastAPI describes its own shape of 422, which nobody gets here.
                operation["responses"] = {**operation.get("responses", {}), **answers}
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.pop("HTTPValidationError", None)
        schemas.pop("ValidationError", None)
        schemas["Problem"] = PROBLEM
        return document

    app.openapi = complete  # type: ignore[method-assign] # FastAPI's own way to extend its document
