"""What two people can change at once is not overwritten: every change of a whole thing takes the revision it was decided on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from description import merged

LAST_WORD_WINS = {
    "PUT /api/v1/agents/me/presence": "a word about oneself",
    "PATCH /api/v1/agents/{agent_id}": "fields that are given, each a word of its own",
    "PUT /api/v1/agents/{agent_id}/shifts": "the whole week, as the page shows it",
    "PUT /api/v1/billing-profiles/{client_id}": "the whole profile; drafts are made anew from it",
    "PUT /api/v1/canned-replies/{reply_id}": "one short text",
    "PATCH /api/v1/contacts/{contact_id}": "fields that are given, each a word of its own",
    "PUT /api/v1/contracts/{contract_id}/tests/{test_id}": "one test of a contract, whole",
    "PUT /api/v1/cost-rates": "the whole list, by one office",
    "PUT /api/v1/me/password": "needs the password as it is",
    "PUT /api/v1/me/preferences": "one's own",
    "PUT /api/v1/notifications/settings": "one's own",
    "PUT /api/v1/notifications/{notification_id}/state": "one's own",
    "PUT /api/v1/priority-tables/{client_id}": "the whole table, nine words",
    "PATCH /api/v1/projects/milestones/{milestone_id}": "fields that are given, each a word of its own",
    "PUT /api/v1/projects/templates": "a plan under its name, whole",
    "PUT /api/v1/routing-rules/{rule_id}": "one rule, whole",
    "PUT /api/v1/second-factor-policies/{audience}": "yes or no",
    "PUT /api/v1/seller": "the whole seller, by one office; issued documents keep theirs",
    "PUT /api/v1/seller/logo": "a picture",
    "PUT /api/v1/sessions/current/view": "one's own",
    "PUT /api/v1/tasks/{task_id}/needs/{needs_id}": "is there or is not",
    "PUT /api/v1/ticket-templates/{template_id}": "one short text",
    "PUT /api/v1/ticket-views/{view_id}": "one's own",
    "PUT /api/v1/tickets/{ticket}/watch": "is there or is not",
    "PUT /api/v1/time-entries/locks/{client_id}": "one day; every change keeps who, when and why",
}
"""Changes that take no ``If-Match``, each with its reason. A thing that is answered with a revision is never among them."""


def changes(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if method in ("put", "patch"):
                yield f"{method.upper()} {path}", operation


def takes_if_match(operation: dict[str, Any]) -> bool:
    return any(one["in"] == "header" and one["name"].lower() == "if-match" for one in operation["parameters"])


def has_revision(document: dict[str, Any], change: str) -> bool:
    """Return whether the thing is answered with a revision: by the change itself, where it is read, or in its list."""
    path = change.partition(" ")[2]
    paths = document["paths"]
    listed = paths.get(path.rpartition("/")[0], {}) if path.endswith("}") else {}
    places = [*paths[path].values(), listed.get("get", {})]
    return any(_tells(document, one) for one in places)


def _tells(document: dict[str, Any], operation: dict[str, Any]) -> bool:
    answer = json.dumps([about for status, about in operation.get("responses", {}).items() if status < "300"])
    waiting, seen = set(re.findall(r"#/components/schemas/([^\"]+)", answer)), set[str]()
    while waiting:
        name = waiting.pop()
        seen.add(name)
        schema = document["components"]["schemas"][name]
        if "revision" in schema.get("properties", {}):
            return True
        # Of a page, its items; what is nested deeper is another thing with a revision of its own.
        items = (
            json.dumps(schema["properties"]["items"]) if set(schema.get("properties", ())) == {"items", "next"} else ""
        )
        waiting |= set(re.findall(r"#/components/schemas/([^\"]+)", items)) - seen
    return False


def test_every_change_takes_the_revision_it_was_decided_on() -> None:
    silent = {change for change, operation in changes(merged()) if not takes_if_match(operation)}

    assert silent - LAST_WORD_WINS.keys() == set(), "msp_kit.revisions.IfMatch, or a reason here"


def test_what_has_a_revision_is_never_overwritten_blindly() -> None:
    document = merged()
    blind = [
        change
        for change, operation in changes(document)
        if has_revision(document, change) and not takes_if_match(operation)
    ]

    assert blind == []


def test_a_change_that_forgets_the_revision_is_found() -> None:
    document = json.loads(json.dumps(merged()))
    operation = document["paths"]["/api/v1/calendars/{calendar_id}"]["put"]
    operation["parameters"] = [one for one in operation["parameters"] if one["name"].lower() != "if-match"]

    assert not takes_if_match(operation)
    assert has_revision(document, "PUT /api/v1/calendars/{calendar_id}")


@pytest.mark.parametrize("change", LAST_WORD_WINS)
def test_an_exception_nobody_needs_is_taken_back(change: str) -> None:
    assert not takes_if_match(dict(changes(merged()))[change])
