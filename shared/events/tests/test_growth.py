"""A schema may grow; whatever it takes away is named."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from msp_events.growth import broken_promises

PROMISED: dict[str, Any] = {
    "type": "object",
    "properties": {
        "count": {"type": "integer", "minimum": 0, "description": "How many."},
        "state": {"type": "string", "enum": ["open", "closed"]},
        "note": {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None},
        "lines": {"type": "array", "items": {"$ref": "#/$defs/Line"}},
    },
    "required": ["count", "state", "lines"],
    "$defs": {"Line": {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}},
}

Change = Callable[[dict[str, Any]], Any]


def changed(change: Change) -> dict[str, Any]:
    made = deepcopy(PROMISED)
    change(made)
    return made


@pytest.mark.parametrize(
    "growth",
    [
        lambda new: new["properties"].update(colour={"type": "string", "default": ""}),
        lambda new: new["properties"]["state"]["enum"].append("waiting"),
        lambda new: new["properties"]["count"].update(description="How many there are."),
        lambda new: new["$defs"]["Line"]["properties"].update(price={"type": "integer", "default": 0}),
    ],
    ids=["an optional field", "a word", "a description", "an optional field of a part"],
)
def test_growing_breaks_nothing(growth: Change) -> None:
    assert broken_promises(PROMISED, changed(growth)) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda new: new["properties"].pop("note"), "/note: the field was removed or renamed"),
        (lambda new: new["properties"].update(n=new["properties"].pop("count")), "/count: the field was removed"),
        (lambda new: new["properties"]["count"].update(type="string"), "/count: type was 'integer'"),
        (lambda new: new["properties"]["count"].update(minimum=1), "/count: minimum was 0"),
        (lambda new: new["properties"]["state"].update(maxLength=3), "/state: maxLength was None"),
        (lambda new: new["properties"]["state"]["enum"].remove("open"), "/state: the word 'open' was removed"),
        (lambda new: new["properties"]["state"].pop("enum"), "/state: the closed list of words came or went"),
        (lambda new: new["properties"]["note"].update(default=""), "/note: default was None"),
        (lambda new: new["properties"]["note"]["anyOf"].pop(), "/note: anyOf was"),
        (lambda new: new["properties"]["note"]["anyOf"][0].update(type="integer"), "/note: type was 'string'"),
        (lambda new: new["required"].append("note"), "/note: the field became required"),
        (lambda new: new["required"].remove("count"), "/count: the field may now be missing"),
        (lambda new: new["$defs"]["Line"]["properties"].pop("text"), "/lines[]/text: the field was removed"),
    ],
)
def test_what_is_taken_away_is_named(change: Change, said: str) -> None:
    broken = broken_promises(PROMISED, changed(change))

    assert any(one.startswith(said) for one in broken), broken
