"""Texts that end up on invoices and statements: no request takes a character no document can carry."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from contracts import endpoints
from msp_kit.api import Body

assert endpoints.ROUTERS, "the doors bring every body with them"


def bodies(of: type[Body] = Body) -> list[type[Body]]:
    """Return the bodies of this service's requests."""
    found = [*of.__subclasses__(), *(one for kind in of.__subclasses__() for one in bodies(kind))]
    return [one for one in found if one.__module__.startswith("contracts.")]


def wrong_with(body: type[Body], given: dict[str, Any]) -> list[Any]:
    """Return what is wrong with a request, as far as it is given."""
    try:
        body.model_validate(given)
    except ValidationError as error:
        return list(error.errors())
    return []


@pytest.mark.parametrize("character", ["\x07", "\x00", "\x1b", "\x85", "\u2028", "\ufffe"])
def test_no_field_of_any_request_takes_control_characters(character: str) -> None:
    taken = {
        f"{body.__name__}.{name}"
        for body in bodies()
        for name in body.model_fields
        if not any(one["loc"][:1] == (name,) for one in wrong_with(body, {name: f"a{character}b"}))
    }

    assert len(bodies()) > 20
    assert taken == set()
