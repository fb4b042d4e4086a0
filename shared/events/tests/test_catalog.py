"""Every event has a schema, a golden example and a row in the docs, and they say what the classes say."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import orjson
import pytest

from msp_events import generate
from msp_events.base import Event
from msp_events.catalog import BY_TYPE, EVENTS, HEARS, OUTSIDE, SERVICES, streams_of
from msp_events.envelope import ENVELOPE_BYTES_MAX, parse
from msp_events.growth import broken_promises

each_event = pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.routing_key())


@each_event
def test_the_committed_schema_is_current(event: type[Event]) -> None:
    path = generate.schema_path(generate.ROOT, event)

    assert path.is_file(), "run `make events`"
    assert path.read_bytes() == generate.written(generate.schema(event)), "run `make events`"


@each_event
def test_a_class_only_adds_to_its_committed_schema(event: type[Event]) -> None:
    committed = orjson.loads(generate.schema_path(generate.ROOT, event).read_bytes())

    assert broken_promises(committed, generate.schema(event)) == []


@each_event
def test_a_golden_example_is_still_understood(event: type[Event]) -> None:
    golden = generate.example_path(generate.ROOT, event).read_bytes()

    (envelope,) = parse(golden)
    said = BY_TYPE[envelope.type].model_validate(envelope.data)

    assert type(said) is event
    assert said.subject() == envelope.subject
    assert said.client() == envelope.client_id
    assert len(golden) < ENVELOPE_BYTES_MAX


@each_event
def test_nothing_of_a_golden_example_is_forgotten(event: type[Event]) -> None:
    data = orjson.loads(generate.example_path(generate.ROOT, event).read_bytes())["data"]

    understood = event.model_validate(data).model_dump(mode="json")

    assert as_said(understood, data) == data


def as_said(understood: Any, data: Any) -> Any:
    """Return what was understood without the fields that were added since, at any depth."""
    if isinstance(data, dict):
        return {name: as_said(understood[name], value) for name, value in data.items()}
    if isinstance(data, list) and len(data) == len(understood):
        return [as_said(one, said) for one, said in zip(understood, data, strict=True)]
    return understood


@each_event
def test_a_field_of_tomorrow_is_ignored_today(event: type[Event]) -> None:
    data = orjson.loads(generate.example_path(generate.ROOT, event).read_bytes())["data"]

    assert event.model_validate({**data, "a_field_of_tomorrow": 1}) == event.model_validate(data)


def test_the_docs_are_current() -> None:
    assert generate.docs_path(generate.ROOT).read_text() == generate.docs(), "run `make events`"


def test_no_schema_or_example_is_left_of_an_event_that_is_gone() -> None:
    expected = {
        place(generate.ROOT, event) for event in EVENTS for place in (generate.schema_path, generate.example_path)
    }

    found = {
        path for kind in ("schemas", "examples") for path in (generate.ROOT / "shared/events" / kind).rglob("*.json")
    }

    assert found == expected


def test_every_event_class_is_in_the_catalogue() -> None:
    modules = {inspect.getmodule(event) for event in EVENTS}
    bases = {base for event in EVENTS for base in event.__mro__[1:]}

    said = {
        found
        for module in modules
        for _, found in inspect.getmembers(module, inspect.isclass)
        if issubclass(found, Event) and found not in bases
    }

    assert said == set(EVENTS)


@each_event
def test_an_event_says_what_it_means_and_whom_it_is_about(event: type[Event]) -> None:
    assert event.__doc__ != event.__mro__[1].__doc__
    assert event.subject_field in event.model_fields
    assert event.owner in (*SERVICES, *OUTSIDE)


def test_nobody_is_bound_to_a_stream_that_does_not_exist() -> None:
    spoken = {f"{owner}.{stream}" for owner in (*SERVICES, *OUTSIDE) for stream in streams_of(owner)}

    assert {stream for streams in HEARS.values() for stream in streams} <= spoken


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    first = generate.write(tmp_path)
    second = generate.write(tmp_path)

    assert len(first) == 2 * len(EVENTS) + 1
    assert second == []


def test_a_golden_example_is_never_written_over(tmp_path: Path) -> None:
    generate.write(tmp_path)
    golden = generate.example_path(tmp_path, EVENTS[0])
    golden.write_bytes(b"what was once said")

    generate.write(tmp_path)

    assert golden.read_bytes() == b"what was once said"


def test_a_schema_that_takes_something_away_is_not_written(tmp_path: Path) -> None:
    generate.write(tmp_path)
    path = generate.schema_path(tmp_path, EVENTS[0])
    promised = orjson.loads(path.read_bytes())
    promised["properties"]["fax"] = {"type": "string"}
    path.write_bytes(generate.written(promised))

    with pytest.raises(generate.PromiseBroken, match="/fax: the field was removed or renamed"):
        generate.write(tmp_path)

    assert orjson.loads(path.read_bytes()) == promised
