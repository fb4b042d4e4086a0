"""Whatever bytes arrive, they are read as events of ours or refused as unreadable; nothing else can happen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis.strategies import (
    SearchStrategy,
    binary,
    booleans,
    dictionaries,
    floats,
    integers,
    lists,
    none,
    one_of,
    recursive,
    sampled_from,
    text,
)

from msp_events import generate
from msp_events.catalog import EVENTS
from msp_events.envelope import (
    BATCH_BYTES_MAX,
    BATCH_EVENTS_MAX,
    DEPTH_MAX,
    ENVELOPE_BYTES_MAX,
    Unreadable,
    parse,
)

GOLDEN: bytes = generate.example_path(generate.ROOT, EVENTS[0]).read_bytes()

any_json: SearchStrategy[Any] = recursive(
    one_of(none(), booleans(), integers(), floats(), text()),
    lambda inner: one_of(lists(inner, max_size=4), dictionaries(text(), inner, max_size=4)),
    max_leaves=20,
)


def golden(**other: Any) -> dict[str, Any]:
    document: dict[str, Any] = {**json.loads(GOLDEN), **other}
    return document


def read_or_refused(body: bytes, **delivery: Any) -> None:
    try:
        envelopes = parse(body, **delivery)
    except Unreadable as refused:
        assert refused.reason
    else:
        assert envelopes
        assert all(one.time.tzinfo is not None and one.seq >= 1 and one.epoch >= 1 for one in envelopes)


@given(body=binary(max_size=400))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    read_or_refused(body)


@given(document=any_json)
def test_any_json_is_read_or_refused(document: Any) -> None:
    read_or_refused(json.dumps(document).encode("utf-8", "surrogatepass"))


@given(name=sampled_from(sorted(golden())), value=any_json)
def test_any_value_of_any_attribute_is_read_or_refused(name: str, value: Any) -> None:
    read_or_refused(json.dumps(golden(**{name: value})).encode("utf-8", "surrogatepass"))


@given(at=integers(0, len(GOLDEN) - 1), byte=integers(0, 255))
def test_a_damaged_byte_is_read_or_refused(at: int, byte: int) -> None:
    read_or_refused(GOLDEN[:at] + bytes([byte]) + GOLDEN[at + 1 :])


@given(end=integers(0, len(GOLDEN) - 3))
def test_a_cut_message_is_refused(end: int) -> None:
    with pytest.raises(Unreadable):
        parse(GOLDEN[:end])


@given(headers=dictionaries(sampled_from(["cloudEvents_specversion", "cloudEvents:id", "cloudEvents_time"]), any_json))
def test_any_header_of_binary_mode_is_read_or_refused(headers: dict[str, Any]) -> None:
    read_or_refused(b"{}", headers=headers, content_type="application/json")


def test_a_structured_event_keeps_its_bytes() -> None:
    (envelope,) = parse(GOLDEN)

    assert envelope.body == GOLDEN
    assert envelope.stream == EVENTS[0].stream


@pytest.mark.parametrize("prefix", ["cloudEvents_", "cloudEvents:"])
def test_binary_mode_is_read_with_either_prefix(prefix: str) -> None:
    context = golden()
    data = context.pop("data")
    headers = {f"{prefix}{name}": value for name, value in context.items()}

    (envelope,) = parse(json.dumps(data).encode(), content_type="application/json", headers=headers)

    assert (envelope.id, envelope.type, envelope.data) == (context["id"], context["type"], data)


def test_a_batch_is_read_in_its_order() -> None:
    batch = [golden(mspseq=seq) for seq in (1, 2, 3)]

    assert [one.seq for one in parse(json.dumps(batch).encode())] == [1, 2, 3]


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "unparseable-json"),
        (b"\xff\xfe", "unparseable-json"),
        (b'{"specversion": NaN}', "unparseable-json"),
        (b"null", "not-cloudevents"),
        (b"[]", "bad-batch"),
        (b"[" * 100_000, "unparseable-json"),
        (b"[" * 300 + b"]" * 300, "not-cloudevents"),
        (b" " * (BATCH_BYTES_MAX + 1), "payload-too-large"),
        (json.dumps(golden(data={"note": "x" * ENVELOPE_BYTES_MAX})).encode(), "payload-too-large"),
        (json.dumps([golden()] * (BATCH_EVENTS_MAX + 1)).encode(), "bad-batch"),
        (json.dumps(golden(specversion="0.3")).encode(), "not-cloudevents"),
        (json.dumps(golden(time="2026-01-05T10:30:00")).encode(), "not-cloudevents"),
        (json.dumps(golden(mspseq=0)).encode(), "not-cloudevents"),
        (json.dumps(golden(mspseq=True)).encode(), "not-cloudevents"),
        (json.dumps(golden(mspclient="somebody")).encode(), "not-cloudevents"),
        (json.dumps(golden(data=[])).encode(), "not-cloudevents"),
    ],
)
def test_a_refusal_names_its_reason(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as refused:
        parse(body)

    assert refused.value.reason == reason


def test_data_nested_too_deep_is_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(DEPTH_MAX + 1):
        deep = {"in": deep}

    with pytest.raises(Unreadable) as refused:
        parse(json.dumps(golden(data=deep)).encode())

    assert refused.value.reason == "too-deep"
