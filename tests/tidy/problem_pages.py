"""Writes ``docs/problems.md``: every refusal a caller can meet, from the tables the services answer with.

``python tests/tidy/problem_pages.py`` writes it; a test says when it is out of date.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
from collections.abc import Mapping
from http import HTTPStatus

from msp_kit.problems import COMMON, Problem, slug

PAGE = pathlib.Path(__file__).resolve().parents[2] / "docs" / "problems.md"
TABLES = {
    "tickets": "tickets.endpoints",
    "sla": "sla.endpoints",
    "contracts": "contracts.endpoints",
    "billing": "billing.endpoints",
    "portal-gateway": "portal_gateway.api",
}
OPENING = """# Problems

Every refusal is an RFC 9457 problem document (`application/problem+json`); its `code` is one of these. `detail` says
what is wrong in this very case and what would be accepted; `request_id` leads to the log line. Written by
`python tests/tidy/problem_pages.py` from the tables the services answer with; change it there.

## invalid-request

422. A field is missing, unknown, of the wrong type or out of its bounds; `errors` names each one with its place. Among them
`wrong_kind_of_id` (an invoice's id where a ticket's is due; both kinds are named) and `not_an_id`.

## unavailable

503. The service cannot reach its database. Try again after `Retry-After` seconds, with the same `Idempotency-Key`: what was done is not
done twice.

## internal-error

500. A mistake of ours. Nothing was changed; the request id leads to the cause.
"""


def table_of(service: str) -> Mapping[type[Exception], Problem]:
    """Return the refusals a service answers with, its own ones only."""
    table: Mapping[type[Exception], Problem] = importlib.import_module(TABLES[service]).PROBLEMS
    return table


def page() -> str:
    """Return the whole page, in the order of the slugs."""
    sections: dict[str, list[str]] = {}
    for place, table in {"every service": COMMON, **{service: table_of(service) for service in TABLES}}.items():
        for exception, problem in table.items():
            status = HTTPStatus(problem.status)
            meaning = " ".join((inspect.getdoc(exception) or "").replace("``", "`").split())
            section = f"{int(status)}, {problem.title}. {meaning} ({place})"
            sections.setdefault(slug(exception.__name__), []).append(section)
    return OPENING + "".join(f"\n## {name}\n\n" + "\n\n".join(sections[name]) + "\n" for name in sorted(sections))


if __name__ == "__main__":
    PAGE.write_text(page())
