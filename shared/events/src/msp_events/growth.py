"""What a new schema of an event may not do to those who already speak and hear the old one.

Within a major version a schema only grows: optional fields and words of a closed list may be added, and descriptions may
be rewritten. Everything else stays as it was committed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_FREE = frozenset({"description", "title", "$id", "$schema", "$defs", "properties", "enum"})


def broken_promises(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Return what ``new`` takes away from ``old``, one sentence each; empty when it only grew."""
    return list(_compare(_Place("", old, old), _Place("", new, new)))


class _Place:
    """A node of a schema, with the schema it stands in and the path of the field it describes."""

    def __init__(self, path: str, node: Mapping[str, Any], root: Mapping[str, Any]) -> None:
        self.path, self.root = path, root
        reference = node.get("$ref")
        if reference is None:
            self.node = node
        else:
            beside = {name: value for name, value in node.items() if name != "$ref"}
            self.node = {**root["$defs"][str(reference).rpartition("/")[2]], **beside}

    def field(self, name: str) -> _Place:
        return _Place(f"{self.path}/{name}", self.node["properties"][name], self.root)

    def part(self, name: str, node: Mapping[str, Any]) -> _Place:
        return _Place(f"{self.path}{name}", node, self.root)


def _compare(old: _Place, new: _Place) -> Iterator[str]:
    yield from _fields(old, new)
    yield from _words(old, new)
    for name in sorted((old.node.keys() | new.node.keys()) - _FREE - {"required"}):
        before, after = old.node.get(name), new.node.get(name)
        if isinstance(before, dict) and isinstance(after, dict) and name in {"items", "additionalProperties"}:
            yield from _compare(old.part("[]", before), new.part("[]", after))
        elif (
            name in {"anyOf", "prefixItems"} and before is not None and after is not None and len(before) == len(after)
        ):
            for one, other in zip(before, after, strict=True):
                yield from _compare(old.part("", one), new.part("", other))
        elif before != after:
            yield f"{old.path or '/'}: {name} was {before!r} and became {after!r}"


def _fields(old: _Place, new: _Place) -> Iterator[str]:
    before, after = old.node.get("properties", {}), new.node.get("properties", {})
    for name in sorted(before.keys() - after.keys()):
        yield f"{old.path}/{name}: the field was removed or renamed"
    was_required, is_required = set(old.node.get("required", ())), set(new.node.get("required", ()))
    for name in sorted(is_required - was_required):
        yield f"{old.path}/{name}: the field became required"
    for name in sorted((was_required - is_required) & after.keys()):
        yield f"{old.path}/{name}: the field may now be missing"
    for name in sorted(before.keys() & after.keys()):
        yield from _compare(old.field(name), new.field(name))


def _words(old: _Place, new: _Place) -> Iterator[str]:
    before, after = old.node.get("enum"), new.node.get("enum")
    if (before is None) != (after is None):
        yield f"{old.path}: the closed list of words came or went"
    elif before is not None and after is not None:
        for word in before:
            if word not in after:
                yield f"{old.path}: the word {word!r} was removed"
