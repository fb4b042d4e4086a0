"""Writes what the matrix found: a page for people, JSON for programs. The same code gives the same files."""

from __future__ import annotations

import json
import pathlib

from matrix import Stage
from mutants import CANARY_MUTANTS, MUTANTS

DOCS = pathlib.Path(__file__).resolve().parents[2] / "docs"
FAMILIES = {
    "credentials": "nobody, forged, expired, ended, shut out, tampered, truncated; in the header and as a cookie",
    "paths": "doubled and encoded slashes",
    "roles": "every role of staff and clients that the operation does not name",
    "answers": "every role it does name: an answer, without a word of the other client or of what is internal",
    "read only": "a member of the staff who views the portal as a client, and tries to change something",
    "csrf": "a browser's cookie without, or with a wrong token, from another site, as a plain form",
    "second factor": "somebody who must add a second factor first",
    "step-up": "somebody who proved too long ago who they are",
    "keys": "API keys that were revoked, have expired, are for something else, or come as a cookie",
    "foreign ids": "another client's id in the path or body: the answer to an unknown one, byte for byte",
    "foreign filters": "another client's id in a query, alone and beside the own one",
    "mass assignment": "fields nobody may set",
    "methods": "methods a path does not have, also in headers that some servers believe",
    "live": "open pages of others, who know every id: one event of every stream, and the whole life of a client",
    "before and after": "everything others may read, before and after the whole life of a client: the same, byte for byte",
    "events": "the list of events from its beginning, as people and programs of others",
    "files": "attachments, tables, documents with their text and what they carry",
    "search": "words, names and ids of a client: what nobody ever wrote is answered, byte for byte",
    "pages": "every address a client's people see, opened by others; and the portal walked as others",
    "mail": "every mail and digest that left",
    "hosted invoices": "links to invoices that have ended, are changed or guessed, or are another client's",
    "mail links": "links to stop mail or choose a password that are used up, forged or made for something else",
    "bus": "everything the services said to each other",
    "direct": "past the gateway: seventeen ways in which an identity token can be wrong, and a wrong role",
}


def write(stage: Stage) -> None:
    """Write docs/isolation.md and docs/isolation.json."""
    report = stage.report
    (DOCS / "isolation.json").write_text(
        json.dumps(
            {
                "operations": report.operations,
                "cells": report.cells,
                "families": dict(sorted(report.families.items())),
                "failures": report.failures,
                "mutants": {name: stage.caught.get(name, "") for name in sorted((*MUTANTS, *CANARY_MUTANTS))},
            },
            indent=1,
        )
        + "\n"
    )
    rows = [f"| {name} | {report.families.get(name, 0)} | {said} |" for name, said in FAMILIES.items()]
    mutants = [f"| {name} | {stage.caught.get(name, 'not tried')} |" for name in (*MUTANTS, *CANARY_MUTANTS)]
    (DOCS / "isolation.md").write_text(
        "\n".join(
            [
                "# The wall between clients, tried",
                "",
                f"{report.operations} operations of the API, {report.cells} attempts to do what must not be done, or must:",
                f"{len(report.failures)} failures. Made from the OpenAPI document by `tests/isolation/matrix.py`, written by",
                "`make isolation`. Five services in one process on real PostgreSQL, HTTP between them. After all of the matrix every",
                "table of every service is as it was before. What the matrix cannot see is tried by `canaries.py` and `links.py`.",
                "",
                "| family | attempts | who tries what |",
                "|---|---|---|",
                *rows,
                "",
                "## Mutants",
                "",
                "A matrix that cannot fail proves nothing. Each of these takes one guard away; at least one attempt must then get through:",
                "",
                "| the guard that is taken away | the first attempt that gets through |",
                "|---|---|",
                *mutants,
                "",
            ]
        )
    )
