"""No text is left untranslated: every template and everything pages and charts say is looked through for bare English."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser

import jinja2
import pytest
from catalogue import SOURCES, extracted
from jinja2 import nodes

from portal_gateway.language import KEYWORDS

TEMPLATES = SOURCES / "templates"
PAGES = sorted(path.relative_to(SOURCES).as_posix() for path in (SOURCES / "pages").glob("*.py"))
SPOKEN = {"aria-label", "placeholder", "title", "alt", "data-tip", "data-text"}
ENGLISH = re.compile(r"[A-Za-z]{2}")
SENTENCE = re.compile(r"[A-Z][a-z]+(?!\w)|\b[A-Z]-[a-z]+|\bA [a-z]|[a-z]{2,} [a-z]{2,}")
ATTRIBUTES = re.compile(r"[a-z-]+=\"[^\"]*\"")
MARKERS = {"_", "gettext", "ngettext", "pgettext", "mark"}
NOT_WORDS = {"Failed", " is-breach strong"}
"""The name of a class, and classes of CSS."""
NAMES = {
    "Europe/London",
    "Meridian IT",
    "Invoice links",
    "Bearer",
    "Enter",
    "Ctrl",
    "Esc",
    "bank transfer",
    "direct debit",
    "Value error,",
    "Input should be a valid integer",
    ".composer textarea",
    "HH:mm:ss zzz",
}
"""What Python code names and nobody reads as a word: zones, keys of the keyboard, codes, selectors, our own caller."""
CODE = re.compile(r"[<>{}=/]|^[A-Z_]+$|^[a-z_ -]+:|^[\w-]+$(?<![a-z]{3})|\bSELECT\b")
SAID = re.compile(r"^[A-Z][a-z]+([ ,.:;].*)?$|[a-z]{2,} [a-z]+")


class Texts(HTMLParser):
    """Collects what people read of a template: texts and spoken attributes, with what Jinja puts in left out."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [value or "" for name, value in attrs if name in SPOKEN]


def environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), extensions=["jinja2.ext.i18n"], autoescape=True
    )


def plain_texts(source: str) -> Iterator[str]:
    """Yield the texts a template writes by itself."""
    # A tag of Jinja may stand inside of a tag of HTML; what it puts in counts as a digit, which is no word.
    stands_for = {"variable_begin": "0", "block_begin": " "}
    raw = "".join(text if kind == "data" else stands_for.get(kind, "") for _, kind, text in environment().lex(source))
    parser = Texts()
    parser.feed(raw)
    # A macro may make nothing but attributes.
    yield from (text.strip() for text in parser.found if ENGLISH.search(ATTRIBUTES.sub("", text)))


def plain_constants(node: nodes.Node, *, is_marked: bool = False) -> Iterator[str]:
    """Yield texts inside of expressions that look like words and are not marked for the catalogue."""
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and not is_marked and SENTENCE.search(node.value):
        yield node.value
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name):
        is_marked = is_marked or node.node.name in MARKERS
    for child in node.iter_child_nodes():
        yield from plain_constants(child, is_marked=is_marked)


def plain_strings(source: str) -> Iterator[str]:
    """Yield texts of Python code that look like words and are not marked: no docstrings, no names of logs, no bugs."""
    tree = ast.parse(source)
    stack: list[ast.AST] = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            text = node.value.strip()
            if SAID.search(text) and not CODE.search(text) and text not in NAMES:
                yield text
        elif isinstance(node, ast.Dict):
            # The codes of a table are not said, their words are.
            stack += node.values
        elif not _is_silent(node):
            stack += ast.iter_child_nodes(node)


def _is_silent(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return True
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return True
    if not isinstance(node, ast.Call):
        return False
    called = node.func
    if isinstance(called, ast.Name):
        return called.id in MARKERS
    return isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and called.value.id == "log"


@pytest.mark.parametrize(
    "template", sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.html"))
)
def test_no_text_of_a_template_is_left_untranslated(template: str) -> None:
    source = (TEMPLATES / template).read_text()

    in_markup = list(plain_texts(source))
    in_expressions = [
        text for text in plain_constants(environment().parse(source)) if text not in NOT_WORDS and "{{" not in text
    ]

    assert in_markup == []
    assert in_expressions == []


@pytest.mark.parametrize("module", [*PAGES, "tape.py", "charts.py", "words.py", "wording.py"])
def test_no_text_of_a_page_is_left_untranslated(module: str) -> None:
    assert list(plain_strings((SOURCES / module).read_text())) == []


def test_the_lint_sees_what_it_is_for() -> None:
    source = "<p>Hello {{ name }}</p><a title=\"Go there\">{{ 'Some words' if x else _('Marked words') }}</a>"
    code = 'def f(x):\n    """Do."""\n    return g(title="New ticket", why=f"not {x} yet done", who=gettext("Nobody"), at="/desk")'

    assert list(plain_texts(source)) == ["Hello 0", "Go there"]
    assert list(plain_constants(environment().parse(source))) == ["Some words"]
    assert sorted(plain_strings(code)) == ["New ticket", "yet done"]


def test_no_marked_text_of_the_sources_is_missed_by_the_extraction() -> None:
    found = {one.id[0] if isinstance(one.id, tuple) else one.id for one in extracted()}

    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
                text = node.args[1 if node.func.id == "pgettext" else 0]
                if isinstance(text, ast.Constant):
                    assert text.value in found, f"{path.name}, line {node.lineno}: not inside of an f-string"
