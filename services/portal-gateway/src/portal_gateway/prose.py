"""What services say in whole sentences, in the language spoken now: refusals, explanations, what became of a ticket.

Services write English, because programs and logs read it. A sentence is known by its pattern (``%(ref)s is closed``); its parts go
into the pattern of the language. What nobody knows stays as it was said: an English sentence is better than none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any

from babel.dates import format_skeleton
from babel.messages.pofile import read_po

from portal_gateway.language import CATALOGUES, CURRENT, DEFAULT, decimal, locale
from portal_gateway.words import WORDS, inside, word

CHARACTERS_MAX = 1000
"""A longer text is none of ours."""
DEPTH_MAX = 4
LETTERS_MIN = 8
"""A shorter pattern fits too much of what people write."""
PIECE_LETTERS_MIN = 5
"""The same, for a piece of a list all of whose pieces are known."""
_GAP = re.compile(r"%\((\w+)\)s")
_INSTANT = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?")
_WORD = re.compile(rf"\S+|{_INSTANT.pattern}")
"""What a pattern of few letters takes into a gap: a code, a name of one word, an instant; never half a sentence."""
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_NUMBER = re.compile(r"\d+\.\d+")
_VALUE_ERROR = "Value error, "


@dataclass(frozen=True, slots=True)
class Pattern:
    """A sentence with gaps: what stands between them, and what they are called."""

    between: tuple[str, ...]
    gaps: tuple[str, ...]
    words: str

    @classmethod
    def of(cls, source: str, words: str) -> Pattern:
        """Return the pattern of ``%(ref)s is closed``."""
        parts = _GAP.split(source)
        return cls(tuple(part.replace("%%", "%") for part in parts[::2]), tuple(parts[1::2]), words)

    @property
    def letters(self) -> int:
        """Return how many of its characters stand outside of gaps."""
        return sum(map(len, self.between))

    def match(self, text: str) -> dict[str, str] | None:
        """Return what stands in the gaps of a text; a gap that occurs twice says the same twice.

        Each gap is as short as it can be. Text of other people gets here: this takes one pass, where a regular expression with
        several gaps tries every way to share a long text among them.
        """
        first, *middle, last = self.between
        at, end = len(first), len(text) - len(last)
        if at > end or not text.startswith(first) or not text.endswith(last):
            return None
        found: dict[str, str] = {}
        for gap, literal in zip(self.gaps, (*middle, None), strict=True):
            until = end if literal is None else text.find(literal, at, end)
            part = text[at:until]
            if until < 0 or found.setdefault(gap, part) != part:
                return None
            if self.letters < LETTERS_MIN and not _WORD.fullmatch(part):
                return None
            at = until + len(literal or "")
        return found


def say(text: str) -> str:
    """Return a sentence of a service in the language spoken now; it may as well be one somebody wrote, which stays."""
    language = CURRENT.get()
    return text if language == DEFAULT or not text else _say(text, language, 0)


def refusal(text: str) -> str:
    """Return what is known to be said by a service, not by a person: here the shortest patterns count, too."""
    language = CURRENT.get()
    return text if language == DEFAULT or not text else _say(text, language, 1)


def spoken(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a problem document in the language spoken now: its title, its detail and the detail of every place."""
    made = dict(document)
    errors = [{**one, "detail": refusal(str(one["detail"]))} for one in document.get("errors") or () if "detail" in one]
    if errors and len(errors) == len(document.get("errors") or ()):
        made["errors"] = errors
    for name in ("title", "detail"):
        if isinstance(document.get(name), str):
            made[name] = refusal(document[name])
    if document.get("code") == "invalid-request" and errors:
        made["detail"] = "; ".join(f"{one['pointer']}: {one['detail']}" for one in errors[:5])
    return made


@lru_cache(maxsize=2000)
def _say(text: str, language: str, depth: int) -> str:
    plain = text.removeprefix(_VALUE_ERROR)
    if depth > DEPTH_MAX or len(plain) > CHARACTERS_MAX:
        return plain
    exact, patterns = _known(language)
    if plain in exact:
        return exact[plain]
    if depth and all(one in WORDS for one in plain.split(", ")):
        return ", ".join(inside(word(one)) for one in plain.split(", "))
    for string in (" / ", "; ", ", "):
        pieces = plain.split(string)
        if len(pieces) > 1 and all(_is_known(one, language) for one in pieces):
            return string.join(_say(one, language, depth + 1) for one in pieces)
    for pattern in patterns:
        if not depth and pattern.letters < LETTERS_MIN:
            break
        found = pattern.match(plain)
        if found is not None:
            return pattern.words % {name: _part(part, language, depth) for name, part in found.items()}
    if plain.endswith("."):
        return f"{_say(plain[:-1], language, depth)}."
    first, colon, rest = plain.partition(": ")
    return f"{_say(first, language, depth + 1)}: {_say(rest, language, depth + 1)}" if colon else plain


def _is_known(text: str, language: str) -> bool:
    """Return whether a text is one sentence that the language has words for."""
    exact, patterns = _known(language)
    return text in exact or any(one.letters >= PIECE_LETTERS_MIN and one.match(text) is not None for one in patterns)


def _part(text: str, language: str, depth: int) -> str:
    """Return what stands in a gap: a code, an instant, a day, a number, a sentence of its own, or a name, which stays."""
    if _INSTANT.fullmatch(text):
        at = datetime.strptime(text, "%a %d %b %Y %H:%M:%S" if text.count(":") > 1 else "%a %d %b %Y %H:%M")  # noqa: DTZ007 - a local reading stays one
        return f"{format_skeleton('yMMMEd', at, locale=locale())}, {text.rsplit(' ', 1)[1]}"
    if _DAY.fullmatch(text):
        return str(format_skeleton("yMMMd", datetime.fromisoformat(text).date(), locale=locale()))
    if _NUMBER.fullmatch(text):
        return decimal(text)
    return _say(text, language, depth + 1)


@cache
def _known(language: str) -> tuple[dict[str, str], Sequence[Pattern]]:
    """Return sentences without gaps, and the patterns, those with most words first."""
    exact: dict[str, str] = {}
    patterns = []
    for source, words in sentences(language):
        if _GAP.search(source):
            patterns.append(Pattern.of(source, words))
        else:
            exact[source.replace("%%", "%")] = words.replace("%%", "%")
    return exact, sorted(patterns, key=lambda one: -one.letters)


def sentences(language: str) -> Iterator[tuple[str, str]]:
    """Yield the patterns of a language: what services say, and how it is said there."""
    path = CATALOGUES / f"prose-{language}.po"
    if path.exists():
        with path.open("rb") as file:
            yield from (
                (str(one.id), str(one.string)) for one in read_po(file, locale=language) if one.id and one.string
            )
