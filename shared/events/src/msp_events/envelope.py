"""CloudEvents 1.0, structured mode: how an event travels, and how hostile bytes are read.

Consumers read structured documents, batches of them, and (from outside) binary mode with either header prefix.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
BATCH_CONTENT_TYPE = "application/cloudevents-batch+json; charset=utf-8"
ENVELOPE_BYTES_MAX = 65_536
BATCH_BYTES_MAX = 1_000_000
BATCH_EVENTS_MAX = 200
DEPTH_MAX = 32
ID_CHARACTERS_MAX = 128


class Unreadable(Exception):
    """The bytes are not an event; ``reason`` is a stable slug for the parking lot."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Envelope:
    """One received event, its context attributes checked and its data still plain JSON."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    seq: int
    epoch: int
    client_id: UUID | None
    traceparent: str | None
    correlation_id: str | None
    data: Mapping[str, Any] = field(hash=False)
    body: bytes = field(repr=False, hash=False)

    @property
    def stream(self) -> str:
        """Return the kind of thing the event is about (``ticket`` of ``ticket:<uuid>``)."""
        return self.subject.partition(":")[0]


def head(*, event_id: UUID, source: str, type_name: str, subject: str, time: str, extensions: Mapping[str, str]) -> str:
    """Return the opening of an envelope as text, up to where the database writes the sequence number."""
    context = {
        "specversion": "1.0",
        "id": str(event_id),
        "source": source,
        "type": type_name,
        "subject": subject,
        "time": time,
        "datacontenttype": "application/json",
        **extensions,
    }
    return orjson.dumps(context).decode()[:-1]


def parse(body: bytes, *, content_type: str = "", headers: Mapping[str, Any] | None = None) -> list[Envelope]:
    """Read one message: a structured event, a batch, or binary mode.

    Raises:
        Unreadable: the body is too large, not JSON, too deep, or not a CloudEvent of ours.
    """
    if len(body) > BATCH_BYTES_MAX:
        raise Unreadable("payload-too-large", f"{len(body)} bytes, at most {BATCH_BYTES_MAX}")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Unreadable("unparseable-json", str(error)) from error
    if isinstance(document, list):
        if not document or len(document) > BATCH_EVENTS_MAX:
            raise Unreadable("bad-batch", f"a batch holds 1 to {BATCH_EVENTS_MAX} events")
        return [_envelope(one, _rewritten(one)) for one in document]
    binary = _binary_attributes(headers or {})
    if binary is not None and "cloudevents" not in content_type:
        one = {**binary, "data": document}
        return [_envelope(one, _rewritten(one))]
    return [_envelope(document, body)]


def _rewritten(one: Any) -> bytes:
    try:
        return orjson.dumps(one)
    except orjson.JSONEncodeError as error:  # nested too deep in a batch, or a header that JSON has no form for
        raise Unreadable("not-cloudevents", str(error)) from error


def _binary_attributes(headers: Mapping[str, Any]) -> dict[str, Any] | None:
    found = {
        name[12:].lower(): value
        for name, value in headers.items()
        if name.lower().startswith(("cloudevents_", "cloudevents:"))
    }
    return found if "specversion" in found else None


def _envelope(document: Any, body: bytes) -> Envelope:
    if not isinstance(document, dict):
        raise Unreadable("not-cloudevents", "the document is not an object")
    if len(body) > ENVELOPE_BYTES_MAX:
        raise Unreadable("payload-too-large", f"{len(body)} bytes, at most {ENVELOPE_BYTES_MAX}")
    if document.get("specversion") != "1.0":
        raise Unreadable("not-cloudevents", "specversion is not 1.0")
    texts = {name: document.get(name) for name in ("id", "source", "type", "subject")}
    for name, value in texts.items():
        if not isinstance(value, str) or not 0 < len(value) <= 4 * ID_CHARACTERS_MAX:
            raise Unreadable("not-cloudevents", f"{name} is missing or not a short text")
    if not isinstance(document.get("data"), dict):
        raise Unreadable("not-cloudevents", "data is not an object")
    if _depth(document["data"]) > DEPTH_MAX:
        raise Unreadable("too-deep", f"data is nested more than {DEPTH_MAX} deep")
    client = document.get("mspclient")
    try:
        return Envelope(
            id=document["id"],
            source=document["source"],
            type=document["type"],
            subject=document["subject"],
            time=_instant(document.get("time")),
            seq=_counting(document.get("mspseq", 1)),
            epoch=_counting(document.get("mspepoch", 1)),
            client_id=None if client is None else UUID(client),
            traceparent=_optional_text(document.get("traceparent")),
            correlation_id=_optional_text(document.get("correlationid")),
            data=document["data"],
            body=body,
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise Unreadable("not-cloudevents", str(error)) from error


def _instant(value: Any) -> datetime:
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        message = "time has no offset"
        raise ValueError(message)
    return at


def _counting(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value < 2**31:
        message = f"{value!r} is not a counting number"
        raise ValueError(message)
    return value


def _optional_text(value: Any) -> str | None:
    return value if isinstance(value, str) and len(value) <= ID_CHARACTERS_MAX else None


def _depth(value: Any) -> int:
    depth, layer = 0, [value]
    while layer and depth <= DEPTH_MAX:
        depth += 1
        layer = [
            child
            for node in layer
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, dict | list)
        ]
    return depth
