"""The texts that are marked for translation, as they are found in the sources; run as a program it updates the catalogues.

.venv/bin/python services/portal-gateway/tests/catalogue.py
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from portal_gateway.language import CATALOGUES, DEFAULT, KEYWORDS, LANGUAGES

SOURCES = CATALOGUES.parent
METHODS = [("templates/**.html", "jinja2"), ("**.py", "python")]
OPTIONS = {"templates/**.html": {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}}


def extracted() -> Catalog:
    """Return every text that is marked in the sources."""
    found = Catalog(project="portal-gateway", charset="utf-8")
    for file, _line, message, _comments, context in extract_from_dir(
        SOURCES, METHODS, OPTIONS, keywords={**KEYWORDS}, strip_comment_tags=True
    ):
        found.add(message, locations=[(file, 0)], context=context)
    return found


def kept(language: str) -> Catalog:
    """Return the catalogue of a language as it is in the sources."""
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    """Bring the catalogues up to date: new texts are empty, and what is no longer said is taken out."""
    template = extracted()
    for language in sorted(set(LANGUAGES) - {DEFAULT}):
        path: Path = CATALOGUES / f"{language}.po"
        catalogue = kept(language) if path.exists() else Catalog(locale=language, charset="utf-8")
        catalogue.update(template, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        with path.open("wb") as file:
            write_po(file, catalogue, omit_header=True, sort_output=True, no_location=True, width=120)
        missing = sum(1 for one in catalogue if one.id and not one.string)
        sys.stdout.write(f"{language}: {len(catalogue)} texts, {missing} without words\n")


if __name__ == "__main__":
    main()
