"""Languages: which one is spoken now, its words, plurals and numbers. Catalogues are compiled when they are first needed.

Texts of the services (a problem's title and detail, names people gave) pass as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import get_decimal_symbol, get_group_symbol
from babel.support import Translations

CATALOGUES = Path(__file__).resolve().parent / "locale"
DEFAULT = "en-GB"
LANGUAGES = {"en-GB": "English", "de": "Deutsch"}
"""What people may choose, each in its own words."""
PSEUDO = "en-XA"
"""English that is longer and full of accents, for tests of the layout; nobody is offered it, a browser may ask for it."""
LOCALES = {"en-GB": "en_GB", "de": "de_DE", PSEUDO: "en_GB"}
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "mark": None}
"""What marks a text for the catalogue, for the extraction."""
CURRENT: ContextVar[str] = ContextVar("language", default=DEFAULT)
_PLACEHOLDER = re.compile(r"(%\(\w+\)[sd]|<[^>]+>|&\w+;)")
_ACCENTS = str.maketrans("aceinouyACEINOUY", "áçéíñóúýÁÇÉÍÑÓÚÝ")


class _Pseudo(NullTranslations):
    def gettext(self, message: str) -> str:
        return _longer(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return _longer(msgid1 if n == 1 else msgid2)

    def pgettext(self, context: str, message: str) -> str:  # noqa: ARG002 - the signature is the base class's
        return _longer(message)


def gettext(text: str) -> str:
    """Return a text in the language spoken now."""
    return _words(CURRENT.get()).gettext(text)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a text that fits a number, in the language spoken now."""
    return _words(CURRENT.get()).ngettext(one, many, count)


def pgettext(context: str, text: str) -> str:
    """Return a text that means something else elsewhere, in the language spoken now."""
    return _words(CURRENT.get()).pgettext(context, text)


def mark(text: str) -> str:
    """Mark a text for the catalogue where it stands; it is translated where it is shown."""
    return text


def spoken(words: Mapping[str, str]) -> dict[str, str]:
    """Return texts that were marked where they stand, by their codes, in the language spoken now."""
    return {code: gettext(text) for code, text in words.items()}


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Speak a language for a while; one we do not know is the default."""
    token = CURRENT.set(language if language in LOCALES else DEFAULT)
    try:
        yield
    finally:
        CURRENT.reset(token)


def locale() -> str:
    """Return the locale of numbers and dates."""
    return LOCALES[CURRENT.get()]


def asked_for(header: str) -> str | None:
    """Return the language of ours an ``Accept-Language`` header likes best, ``None`` when it names none."""
    wishes = []
    for place, one in enumerate(header[:500].split(",")):
        tag, _, quality = one.strip().partition(";q=")
        share = float(quality) if re.fullmatch(r"[01](\.\d{0,3})?", quality.strip()) else 1.0
        if share > 0:
            wishes.append((-share, place, tag.strip().lower()))
    for _, _, tag in sorted(wishes):
        if tag == PSEUDO.lower():
            return PSEUDO
        for ours in LANGUAGES:
            if tag.partition("-")[0] == ours.partition("-")[0].lower():
                return ours
    return None


def decimal(text: str) -> str:
    """Return a number written with commas for thousands and a point, as the language writes it."""
    point, group = symbols()
    return text.translate({ord(","): group, ord("."): point})


def symbols() -> tuple[str, str]:
    """Return what stands before a fraction, and between thousands."""
    return _symbols(locale())


@cache
def _symbols(name: str) -> tuple[str, str]:
    return get_decimal_symbol(name), get_group_symbol(name)


@cache
def _words(language: str) -> NullTranslations:
    if language == PSEUDO:
        return _Pseudo()
    path = CATALOGUES / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def _longer(text: str) -> str:
    parts = _PLACEHOLDER.split(text)
    accented = "".join(one if index % 2 else one.translate(_ACCENTS) for index, one in enumerate(parts))
    # Short words grow most in other languages, by about a third in all.
    return f"{accented} {'·' * max(1, len(text) // 3)}" if any(one.isalpha() for one in text) else accented
