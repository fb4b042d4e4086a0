"""Texts of strangers: titles that can be read on one line, and replies with places to fill in."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

# They turn around what follows them: a title with one would rewrite the line it is shown in.
_BIDIRECTIONAL = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zs", "Zl", "Zp", "Mn", "Me"})
_PLACE = re.compile(r"\{\{\s*([a-z_]+)\s*\}\}")


class NothingToSee(ValueError):
    """A title needs at least one character that can be seen."""


class UnknownPlace(Exception):
    """A reply or template has a place nobody can fill in."""


def one_line(text: str) -> str:
    """Return a title on one line, without what turns the reading direction around and without control characters.

    Raises:
        NothingToSee: nothing visible is left.
    """
    kept = "".join(
        " " if unicodedata.category(one) == "Cc" else one
        for one in _BIDIRECTIONAL.sub("", unicodedata.normalize("NFC", text))
    )
    shown = " ".join(kept.split())
    if all(unicodedata.category(one) in _INVISIBLE for one in shown):
        raise NothingToSee("a title needs at least one character that can be seen")
    return shown


def check_places(text: str, *, known: frozenset[str]) -> None:
    """Check that every ``{{place}}`` of a text can be filled in.

    Raises:
        UnknownPlace: with the places there are.
    """
    unknown = sorted(set(_PLACE.findall(text)) - known)
    if unknown:
        raise UnknownPlace(f"{', '.join(unknown)}: known places are {', '.join(sorted(known))}")


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """Return a text with its places filled in; filled-in text is not looked at again."""
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), text)
