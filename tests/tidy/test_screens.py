"""``/api/v1`` offers everything the screens can do: every form has its operation, and pages know no other way to do anything.

Three proofs, from the code and the description of the API: each form is in ``screens.OPERATIONS``, and what stands there is an
operation; each verb of the gateway that a page calls is called by an endpoint, too; and each address a page asks a service for
is one that programs may ask for.
"""

from __future__ import annotations

import ast
import inspect
import pathlib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from description import merged
from screens import NO_PROGRAM, OPERATIONS
from starlette.routing import Route

from portal_gateway import endpoints, pages
from portal_gateway.api import PAGES
from portal_gateway.services import SERVICE_OF

PAGE_FILES = sorted(pathlib.Path(inspect.getfile(pages)).parent.glob("*.py"))
ENDPOINT_FILES = sorted(pathlib.Path(inspect.getfile(endpoints)).parent.glob("*.py"))
OF_BROWSERS = {
    "mailing.unsubscribing": "reads the link of a mail",
    "notices.stop_mail": "the link of a mail, for who is not signed in",
    "providers.begin": "sends a browser to an identity provider",
    "providers.of_staff": "buttons of the sign-in page",
    "providers.returned": "a browser comes back from an identity provider",
    "providers.welcome": "as above",
    "sign_in.finish": "the second step of a form; a program sends the code at once",
}
"""Verbs that only a browser needs, each with its reason."""


def operations() -> set[str]:
    return {
        f"{method.upper()} {path.removeprefix('/api/v1')}"
        for path, methods in merged()["paths"].items()
        for method in methods
    }


def forms() -> set[str]:
    found = (route for router in PAGES for route in router.routes if isinstance(route, Route))
    return {route.path for route in found if "POST" in (route.methods or ())}


def test_every_form_has_an_operation() -> None:
    assert forms() - OPERATIONS.keys() - NO_PROGRAM.keys() == set(), "screens.py: how does a program do it?"


@pytest.mark.parametrize("form", [*OPERATIONS, *NO_PROGRAM])
def test_a_form_that_is_gone_is_taken_out(form: str) -> None:
    assert form in forms()


@pytest.mark.parametrize("form", OPERATIONS)
def test_the_operations_of_a_form_are_offered(form: str) -> None:
    assert OPERATIONS[form]
    assert set(OPERATIONS[form]) - operations() == set()


def verbs(files: list[pathlib.Path]) -> dict[str, str]:
    """Return the functions of the gateway's actions that files call, each with one of them."""
    found: dict[str, str] = {}
    for path in files:
        tree = ast.parse(path.read_text())
        named: Mapping[str, str] = {
            one.asname or one.name: one.name
            for node in ast.walk(tree)
            if isinstance(node, ast.ImportFrom) and node.module == "portal_gateway.actions"
            for one in node.names
        }
        for node in ast.walk(tree):
            called = node.func if isinstance(node, ast.Call) else None
            if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id in named:
                # What begins with a capital is a value.
                if called.attr[0].islower():
                    found[f"{named[called.value.id]}.{called.attr}"] = path.name
    return found


def test_whatever_a_page_does_in_the_gateway_an_endpoint_does_too() -> None:
    of_pages, of_programs = verbs(PAGE_FILES), verbs(ENDPOINT_FILES)

    assert {verb: page for verb, page in of_pages.items() if verb not in of_programs} == {
        verb: of_pages[verb] for verb in OF_BROWSERS
    }


def addresses(path: pathlib.Path) -> Iterator[str]:
    """Yield the addresses of services in a file, with ``{}`` for each part that is not known before."""
    tree = ast.parse(path.read_text())
    # A decorator says where a page is, not what it asks for.
    own = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        for decorator in node.decorator_list
        for inner in ast.walk(decorator)
    }
    for node in ast.walk(tree):
        if id(node) in own:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value
        elif isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        else:
            continue
        if (
            re.fullmatch(r"/[a-z][a-z-]*(\.csv)?(/[a-z{}.-]+)*", text)
            and text.split("/")[1].split("{")[0] in SERVICE_OF
        ):
            yield text


def is_offered(address: str, offered: set[str]) -> bool:
    # A part in braces may be a word (``/tickets/{ref}/{verb}``) or several; at the end, nothing at all.
    pattern = re.escape(address).replace(r"\{\}", "(.*)")
    return any(re.fullmatch(pattern, one) for one in offered)


@pytest.mark.parametrize("path", PAGE_FILES, ids=lambda path: path.stem)
def test_a_page_asks_services_only_what_programs_may_ask(path: pathlib.Path) -> None:
    offered = {one.partition(" ")[2] for one in operations()}
    # Constants that are beginnings: what follows is added where they are used.
    known = offered | {"/".join(one.split("/")[:length]) for one in offered for length in range(2, one.count("/") + 2)}

    assert [one for one in addresses(path) if not is_offered(one, known)] == []


def test_what_nobody_offers_is_noticed() -> None:
    offered = {one.partition(" ")[2] for one in operations()}

    assert is_offered("/tickets/{}/{}", offered)
    assert not is_offered("/tickets/{}/fire", offered)
    assert not is_offered("/tickets/{}/messages/fire", offered)


def test_pages_reach_enough_addresses_to_prove_something() -> None:
    found: set[Any] = {one for path in PAGE_FILES for one in addresses(path)}

    assert len(found) > 100
