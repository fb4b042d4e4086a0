"""Every operation asked with made-up requests, as staff and as a client: no failure of ours, no answer the document keeps quiet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import pytest
import requests
import schemathesis
from cast import sign_in
from hypothesis import HealthCheck, Phase, given, settings
from matrix import Stage
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 2
CHECKS: list[Callable[..., Any]] = [status_code_conformance, content_type_conformance, response_schema_conformance]
ENDS_ITSELF = {"/api/v1/sessions/current"}
"""What would sign the asker out."""


def ask(operation: Any, base_url: str, session: requests.Session) -> tuple[list[str], int]:
    """Ask one operation with made-up requests; return what was wrong, and how many were answered with more than a refusal."""
    wrong: list[str] = []
    understood = 0

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def attempt(case: Any) -> None:
        nonlocal understood
        answer = case.call(base_url=base_url, session=session, timeout=30)
        understood += answer.status_code < 400
        try:
            if answer.status_code >= 500:
                wrong.append(
                    f"{operation.label}: {answer.status_code} to {answer.request.url} {answer.request.body!r:.300}"
                )
            else:
                case.validate_response(answer, checks=CHECKS)
        except (AssertionError, BaseExceptionGroup, schemathesis.errors.SchemathesisError) as error:
            wrong.append(f"{operation.label}: {answer.status_code} {error!s:.400}")

    attempt()
    return wrong, understood


@pytest.mark.parametrize("who", ["staff", "client"])
async def test_no_answer_is_a_failure_or_undocumented(stage: Stage, who: str) -> None:
    # Signed in for this: what other tests did may have ended a session.
    token = await sign_in(
        stage.n.url, "admin@meridian.example" if who == "staff" else stage.actors.theirs.company.email
    )
    schema = schemathesis.openapi.from_dict(stage.document)
    operations = [cast("Any", found).ok() for found in schema.get_all_operations()]

    def ask_all() -> list[tuple[list[str], int]]:
        with requests.Session() as session:
            session.headers["authorization"] = f"Bearer {token}"
            return [ask(one, stage.n.url, session) for one in operations if one.path not in ENDS_ITSELF]

    found = await asyncio.to_thread(ask_all)

    assert len(operations) > 100
    assert sorted({said for wrong, _ in found for said in wrong}) == []
    assert sum(understood > 0 for _, understood in found) > 15, "made-up requests that are all refused prove little"


def test_an_answer_the_document_keeps_quiet_is_noticed() -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "x", "version": "1"},
        "paths": {
            "/x": {
                "get": {
                    "responses": {
                        "200": {"description": "", "content": {"application/json": {"schema": {"type": "object"}}}}
                    }
                }
            }
        },
    }
    (operation,) = [cast("Any", found).ok() for found in schemathesis.openapi.from_dict(document).get_all_operations()]
    case = operation.Case()
    for status, kind, content in (
        (418, "application/json", b"{}"),
        (200, "text/html", b"{}"),
        (200, "application/json", b"[]"),
    ):
        answer = requests.Response()
        answer.status_code, answer._content = status, content
        answer.headers["content-type"] = kind
        answer.request = requests.Request("GET", "http://door/x").prepare()
        with pytest.raises(BaseExceptionGroup):
            case.validate_response(answer, checks=CHECKS)
