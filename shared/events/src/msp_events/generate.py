"""Writes what others read of the events: schemas, golden examples, and ``docs/events.md``. ``make events`` runs it.

A schema that would take something away from those who read the committed one is not written. An example is written
once, when there is none: it stands for every message of that form that is stored somewhere, and is never edited.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson

from msp_events.base import Event
from msp_events.catalog import EVENTS, OUTSIDE, SERVICES, hearers, streams_of
from msp_events.growth import broken_promises
from msp_events.samples import example

ROOT = Path(__file__).resolve().parents[4]
DIALECT = "https://json-schema.org/draft/2020-12/schema"


class PromiseBroken(Exception):
    """A schema would take something away from those who read the committed one."""


def schema_path(root: Path, event: type[Event]) -> Path:
    """Return where the JSON Schema of an event stands below the repository's ``root``."""
    return _path(root, "schemas", event)


def example_path(root: Path, event: type[Event]) -> Path:
    """Return where the golden example of an event stands below the repository's ``root``."""
    return _path(root, "examples", event)


def docs_path(root: Path) -> Path:
    """Return where the list of all events stands below the repository's ``root``."""
    return root / "docs" / "events.md"


def schema(event: type[Event]) -> dict[str, Any]:
    """Return the JSON Schema (2020-12) of an event's ``data``."""
    return {"$schema": DIALECT, "$id": f"urn:{event.type_name().replace('.', ':')}", **event.model_json_schema()}


def written(document: Mapping[str, Any]) -> bytes:
    """Return a document as it is committed: two spaces, one newline at the end."""
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def write(root: Path) -> list[Path]:
    """Write schemas, missing examples and docs below ``root``; return the files that changed.

    Raises:
        PromiseBroken: a committed schema would lose something; nothing was written.
    """
    changes: dict[Path, bytes] = {}
    broken: list[str] = []
    for event in EVENTS:
        path, made = schema_path(root, event), schema(event)
        if path.exists():
            broken += [f"{event.type_name()} {one}" for one in broken_promises(orjson.loads(path.read_bytes()), made)]
        changes[path] = written(made)
        if not example_path(root, event).exists():
            changes[example_path(root, event)] = written(example(event))
    if broken:
        raise PromiseBroken("; ".join(broken))
    changes[docs_path(root)] = docs().encode()
    changed = [path for path, content in changes.items() if not path.exists() or path.read_bytes() != content]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(changes[path])
    return changed


def docs() -> str:
    """Return ``docs/events.md``: every event, what it means, who hears it, and its fields."""
    return "\n".join([*_opening(), *(line for owner in (*SERVICES, *OUTSIDE) for line in _chapter(owner))]) + "\n"


def _path(root: Path, kind: str, event: type[Event]) -> Path:
    folder = root / "shared" / "events" / kind / event.owner / event.stream / f"v{event.major}"
    return folder / f"{event.__name__}.json"


def _opening() -> Iterator[str]:
    yield "# Events"
    yield ""
    yield "What the services say to one another. Written by `make events` from `shared/events`; change it there."
    yield ""
    yield "Every event travels as a CloudEvents 1.0 document. Its `type` is `msp.<owner>.<stream>.v<major>.<Event>`, its"
    yield "`subject` is `<stream>:<id>`, and `mspseq` counts the events of a subject from 1 without a gap. Within a major"
    yield "version fields are only ever added: a listener ignores those it does not know."


def _chapter(owner: str) -> Iterator[str]:
    streams = streams_of(owner)
    if not streams:
        return
    yield from ("", f"## {owner}")
    yield from ("", "| event | stream | meaning | heard by |", "|---|---|---|---|")
    for event in _said(owner):
        links = f"[{event.__name__}]({_link('schemas', event)}) ([example]({_link('examples', event)}))"
        heard = ", ".join(hearers(owner, event.stream)) or "nobody yet"
        yield f"| {links} | `{event.stream}` | {_sentence(event.__doc__)} | {heard} |"
    for stream in streams:
        yield from _fields([event for event in _said(owner) if event.stream == stream])


def _said(owner: str) -> list[type[Event]]:
    return [event for event in EVENTS if event.owner == owner]


def _link(kind: str, event: type[Event]) -> str:
    return _path(Path(".."), kind, event).as_posix()


def _fields(events: list[type[Event]]) -> Iterator[str]:
    first = events[0]
    yield from ("", f"### Fields of `{first.owner}.{first.stream}`")
    yield from ("", "| field | form | meaning | only in |", "|---|---|---|---|")
    carriers: dict[str, list[type[Event]]] = {}
    for event in events:
        for name in event.model_fields:
            carriers.setdefault(name, []).append(event)
    for name, carrying in carriers.items():
        made = schema(carrying[0])
        only = "" if len(carrying) == len(events) else ", ".join(event.__name__ for event in carrying)
        field = made["properties"][name]
        form = _form(field) + ("" if name in made.get("required", ()) else ", may be missing")
        yield f"| `{name}` | {form} | {_sentence(field.get('description'))} | {only} |"


def _form(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(_form(choice) for choice in field["anyOf"])
    if "enum" in field or "const" in field:
        words = field.get("enum", [field.get("const")])
        return ", ".join("nothing" if word == "" else f"`{word}`" for word in words)
    if field.get("type") == "array":
        return f"list of {_form(field['items'])}"
    return str(field.get("format", field.get("type", "anything")))


def _sentence(text: str | None) -> str:
    first = (text or "").strip().partition("\n\n")[0]
    return " ".join(first.replace("``", "`").replace("|", "\\|").split())


def main() -> int:
    """Write what changed, and say so; 1 when a promise would be broken."""
    try:
        changed = write(ROOT)
    except PromiseBroken as broken:
        sys.stderr.write("Not written. Make a new major version instead:\n")
        sys.stderr.write("".join(f"  {one}\n" for one in str(broken).split("; ")))
        return 1
    for path in changed:
        sys.stdout.write(f"{path.relative_to(ROOT)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
