"""No id without its prefix: the description of the API is walked from end to end, and so is the code that keeps bodies."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Iterator
from typing import Any

import pytest
from description import merged
from test_tidy import ROOT, SOURCES, called, name

from msp_kernel.ids import PREFIXES

NO_IDS_OF_OURS = {
    "request_id": "leads to log lines, and is the same word for all parties of a request",
    "rule_id": "a name within a contract's terms, chosen by who wrote them",
    "rule_ids": "as above",
    "item_id": "as above",
    "tax_id": "a tax office gave it",
    "legal_id": "a register gave it",
    "oauth_client_id": "an identity provider gave it",
    "external_id": "another system gave it",
    "portal-gateway.AuditView.id": "a number: the place in the chain",
    "billing.EndpointBody.id": "an electronic address",
}
"""What is called an id and is another's, or a name; each with its reason."""
NO_IDS_IN_PATHS = {
    "version": "counts the versions of a contract",
    "n": "counts the lines of an invoice",
    "kind": "a word of a list",
}
PREFIX = re.compile(f"({'|'.join(PREFIXES.values())})_\\[0-9a-f\\]\\{{32\\}}")


def places(document: dict[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Yield (place, name, schema) of every parameter of a path, and of whatever is called an id."""
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for one in operation["parameters"]:
                if one["in"] == "path" or is_id(one["name"]):
                    yield f"{method.upper()} {path}", one["name"], one["schema"]
            yield from fields(f"{method.upper()} {path}", operation)
    for shape, schema in document["components"]["schemas"].items():
        yield from fields(shape, schema)


def fields(place: str, schema: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(schema, dict):
        for field, about in (schema.get("properties") or {}).items():
            if isinstance(about, dict) and is_id(field):
                yield place, field, about
        for one in schema.values():
            yield from fields(place, one)
    elif isinstance(schema, list):
        for one in schema:
            yield from fields(place, one)


def is_id(field: str) -> bool:
    return re.search(r"(^|_)ids?$", field) is not None


def without_prefix(document: dict[str, Any]) -> list[str]:
    return [
        f"{place}: {field}"
        for place, field, schema in places(document)
        if not PREFIX.search(json.dumps(schema))
        and not {field, f"{place}.{field}"} & {*NO_IDS_OF_OURS, *NO_IDS_IN_PATHS}
    ]


def test_every_id_of_the_api_says_what_it_is_the_id_of() -> None:
    assert without_prefix(merged()) == []


def test_no_bare_uuid_is_left_in_the_description() -> None:
    assert '"format": "uuid"' not in json.dumps(merged())


def test_a_new_id_without_a_prefix_is_found() -> None:
    document = json.loads(json.dumps(merged()))
    document["components"]["schemas"]["tickets.RaisedView"]["properties"]["cousin_id"] = {"type": "string"}
    document["paths"]["/api/v1/tickets/{cousin}"] = {
        "get": {"parameters": [{"in": "path", "name": "cousin", "schema": {"type": "string"}}]}
    }

    assert without_prefix(document) == ["GET /api/v1/tickets/{cousin}: cousin", "tickets.RaisedView: cousin_id"]


@pytest.mark.parametrize("exception", [*NO_IDS_OF_OURS, *NO_IDS_IN_PATHS])
def test_an_exception_nobody_needs_is_taken_back(exception: str) -> None:
    assert any(exception in (field, f"{place}.{field}") for place, field, _ in places(merged()))


DOORS = [path for path in SOURCES if {"schemas", "endpoints", "schemas.py", "endpoints.py"} & set(path.parts)]


@pytest.mark.parametrize("path", DOORS, ids=name)
def test_bodies_are_kept_with_bare_ids(path: pathlib.Path) -> None:
    text = path.read_text()

    found = [line for line, whole, bare in called(path) if bare in ("model_dump_json", "jsonable_encoder")]

    assert 'mode="json"' not in text, "msp_kit.ids.stored(...)"
    assert not found, f"lines {found}: msp_kit.ids.stored(...)"


def test_the_glossary_has_every_prefix() -> None:
    glossary = (ROOT / "docs" / "glossary.md").read_text()

    assert [kind for kind, prefix in PREFIXES.items() if f"| {kind} | `{prefix}_` |" not in glossary] == []
