"""The sentences services say, as they are found in their sources; run as a program it updates the catalogues of prose.

.venv/bin/python services/portal-gateway/tests/prose.py
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po

from portal_gateway.language import CATALOGUES, DEFAULT, LANGUAGES

ROOT = Path(__file__).resolve().parents[3]
SOURCES = (*sorted(ROOT.glob("services/*/src")), ROOT / "shared/kit/src", ROOT / "shared/kernel/src")
UNSEEN = {
    *("AssertionError", "Permanent", "Transient", "Unreadable", "Unroutable", "SealBroken", "StoreAway", "Replay"),
    *(
        "Refused",
        "ServiceAway",
        "PromiseBroken",
        "RequestValidationError",
        "HTTPException",
        "RuntimeError",
        "KeyError",
        "PydanticCustomError",
    ),
}
"""Bugs, what only the bus hears, and what carries a text of others."""
TEXTS = {"text", "detail", "because", "sentence"}
"""Arguments under which services hand sentences to people."""
WRITERS = {
    "contracts/domain/lint.py",
    "contracts/domain/coverage.py",
    "contracts/domain/book.py",
    "billing/domain/profile.py",
    "billing/actions/drafting.py",
    "sla/domain/explain.py",
}
"""Modules that write sentences without refusing anything: all of theirs are looked at."""
PYDANTIC = (
    "Field required",
    "Extra inputs are not permitted",
    "Input should be a valid string",
    "Input should be a valid integer",
    "Input should be a valid number",
    "Input should be a valid boolean",
    "Input should be a valid list",
    "Input should be a valid dictionary",
    "Input should be a valid date",
    "Input should be a valid integer, unable to parse string as an integer",
    "Input should be a valid number, unable to parse string as a number",
    "Input should be a valid boolean, unable to interpret input",
    "Input should be a valid UUID, %(reason)s",
    "Input should be a valid date or datetime, %(reason)s",
    "Input should be a valid date in the format YYYY-MM-DD, %(reason)s",
    "Input should be a valid datetime, %(reason)s",
    "Input should be a valid datetime or date, %(reason)s",
    "Input should have timezone info",
    "Input should be %(expected)s",
    "Input should be greater than %(limit)s",
    "Input should be greater than or equal to %(limit)s",
    "Input should be less than %(limit)s",
    "Input should be less than or equal to %(limit)s",
    "String should have at least %(count)s character",
    "String should have at least %(count)s characters",
    "String should have at most %(count)s character",
    "String should have at most %(count)s characters",
    "String should match pattern %(pattern)s",
    "List should have at least %(least)s item after validation, not %(count)s",
    "List should have at least %(least)s items after validation, not %(count)s",
    "List should have at most %(most)s item after validation, not %(count)s",
    "List should have at most %(most)s items after validation, not %(count)s",
    "value is not a valid email address: %(reason)s",
    "JSON decode error",
)
"""What pydantic says of a field, by its kinds."""
STRUNG = (
    *(f"{name}: %(before)s to %(after)s" for name in ("status", "priority", "level", "handling level", "job type")),
    *(f"{name}: %(before)s to %(after)s" for name in ("queue", "assignee", "title")),
    "tags: %(changes)s",
    *("Resolution", "weekends", "holidays"),
    *(
        f"%(metric)s within %(budget)s {hours}: rule %(rule)s of contract version %(version)s, %(among)s; %(because)s."
        for hours in ("counting %(widened)s too", "in the contract's hours")
    ),
    "priority %(code)s",
    "level %(code)s",
    "job type %(code)s",
    "nobody",
    "everything",
    "total",
    "raised by %(name)s",
    "priority %(priority)s: %(reason)s",
    "assigned to %(name)s",
    "handed over: %(note)s",
    "changed with others",
    "not answered within the grace period",
    "taken",
    "imported",
    "merged into %(ref)s",
    "moved to another client as %(ref)s: %(title)s",
    "came from another client (%(ref)s)",
    "took over %(ref)s: %(messages)s messages, %(entries)s time entries with %(minutes)s min",
    "split from %(ref)s",
    "%(ref)s was split off with %(count)s messages",
    "duplicate of %(ref)s",
    "%(ref)s relates to %(other)s",
    "%(ref)s is a duplicate of %(other)s",
    "%(ref)s is caused by %(other)s",
    "%(ref)s was split from %(other)s",
    "rated %(score)s of 5",
    "logged %(minutes)s min, %(job_type)s, %(level)s",
    "became a task of %(ref)s",
    "raised from a task of %(ref)s",
    "file %(name)s, %(size)s bytes",
    "escalation step %(step)s",
    "told: %(names)s",
    "nobody is told",
    "step %(step)s of the escalation chain, %(metric)s",
    "there is no queue %(queue)s",
    "the queue was chosen",
    "no rule matched: the fallback queue",
    "rule %(position)s (%(queue)s) can never match any more",
    "rule %(position)s: %(what)s",
    "lowest expected load, %(load)s %%, %(how)s",
    "knows the client (−%(bonus)s)",
    "of the queue",
    "nobody of the queue is on duty",
    "of the queue, nobody able is on duty",
    "nobody able is on duty or of the queue",
    "overlaps %(minutes)s min logged from %(start)s UTC",
    "its period is sealed: it goes to the next invoice as a late entry",
    "first response",
    "next response",
    "waiting on client",
    "waiting on vendor",
    "%(text)s is no longer in scope",
    "%(text)s is included",
    "%(text)s is no longer included",
    "%(text)s is free of charge",
    "%(text)s is charged",
    "clocks pause in %(status)s",
    "clocks no longer pause in %(status)s",
    "at risk is said at %(percent)s %%",
    "at risk is no longer said at %(percent)s %%",
    *(
        f"{name}: %(before)s -> %(after)s"
        for name in (
            *("when the bucket is empty", "first response pauses with the others", "version of the rate card"),
            *("weights count in the price of overage", "minutes of the monthly retainer", "time zone", "name"),
            *("price of the monthly retainer in minor units", "priority", "rounding, increment minutes"),
            *("rounding, minimum minutes", "rounding, direction", "rounding, level", "billing, payment days"),
            *("First response of %(tickets)s", "Next response of %(tickets)s", "Resolution of %(tickets)s"),
            *("Escalation step %(step)s", "Weight of %(work)s", "rate of %(work)s", "overage rate of %(work)s"),
            "hours of %(day)s",
        )
    ),
    *(
        f"{name}: %(said)s ({state})"
        for state in ("new", "no longer")
        for name in (
            *("First response of %(tickets)s", "Next response of %(tickets)s", "Resolution of %(tickets)s"),
            *("Escalation step %(step)s", "Weight of %(work)s", "rate of %(work)s", "overage rate of %(work)s"),
        )
    ),
    "%(name)s: %(said)s (new)",
    "%(name)s: %(said)s (no longer)",
    "%(work)s tickets",
    "all tickets",
    "all work",
    "any work",
    "no target",
    "%(amount)s an hour",
    "%(day)s is a holiday",
    "%(day)s is no longer a holiday",
    "%(day)s: like any other day",
)
"""What services string together of parts: the history of a ticket, why somebody was chosen, what an amendment changes."""


def said() -> set[str]:
    """Return every sentence with its gaps: ``%(ref)s is closed``."""
    found = {*PYDANTIC, *STRUNG}
    for base in SOURCES:
        for path in sorted(base.rglob("*.py")):
            tree = ast.parse(path.read_text())
            found |= set(_refusals(tree)) | set(_titles(tree))
            if path.relative_to(base).as_posix() in WRITERS:
                found |= set(_written(tree))
    return {one for one in found if re.search(r"[A-Za-z]{2,}", re.sub(r"%\(\w+\)s", "", one))}


def _titles(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Problem":
            yield from _patterns(node.args[1], {})
        if isinstance(node, ast.keyword) and node.arg == "title" and isinstance(node.value, ast.JoinedStr):
            yield from _patterns(node.value, {})


def _refusals(tree: ast.AST) -> Iterator[str]:
    """Yield what refusals say: where they are raised, or where their class makes it."""
    for place in ast.walk(tree):
        if isinstance(place, ast.ClassDef):
            for node in ast.walk(place):
                if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__" and node.args:
                    yield from _patterns(node.args[0], {})
        if not isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        known = _assigned(place)
        for node in ast.walk(place):
            if not isinstance(node, ast.Raise) or not isinstance(node.exc, ast.Call) or not node.exc.args:
                continue
            name = (
                node.exc.func.id if isinstance(node.exc.func, ast.Name) else ast.unparse(node.exc.func).split(".")[-1]
            )
            if name not in UNSEEN:
                yield from _patterns(node.exc.args[0], known)
            if name == "Conflict":
                for more in node.exc.keywords:
                    yield from (one for text in _details(more.value) for one in _patterns(text, known))


def _details(node: ast.AST) -> Iterator[ast.AST]:
    for one in ast.walk(node):
        if isinstance(one, ast.Dict):
            yield from (
                value
                for key, value in zip(one.keys, one.values, strict=True)
                if isinstance(key, ast.Constant) and key.value == "detail"
            )


def _written(tree: ast.AST) -> Iterator[str]:
    """Yield every sentence of a module that writes them: texts with a space that are no docstring."""
    silent = {
        id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    for place in ast.walk(tree):
        if isinstance(place, ast.FunctionDef | ast.AsyncFunctionDef | ast.Module):
            known = _assigned(place)
            inner = {id(part) for one in ast.walk(place) if isinstance(one, ast.JoinedStr) for part in one.values}
            for node in ast.walk(place):
                if isinstance(node, ast.JoinedStr | ast.Constant) and id(node) not in silent | inner:
                    yield from (one for one in _patterns(node, known) if " " in one.strip())


def _assigned(place: ast.AST) -> dict[str, list[ast.expr]]:
    known: dict[str, list[ast.expr]] = {}
    for node in ast.walk(place):
        if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
            known.setdefault(node.targets[0].id, []).append(node.value)
    return known


def _patterns(node: ast.AST, known: dict[str, list[ast.expr]], depth: int = 0) -> Iterator[str]:
    """Yield the patterns of an expression: of each branch, and of a name what was assigned to it."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value.replace("%", "%%")
    elif isinstance(node, ast.JoinedStr):
        yield _pattern(node)
    elif isinstance(node, ast.IfExp):
        yield from _patterns(node.body, known, depth)
        yield from _patterns(node.orelse, known, depth)
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _patterns(value, known, depth)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        for left in _patterns(node.left, known, depth):
            for right in _patterns(node.right, known, depth):
                yield left + right
    elif isinstance(node, ast.Name) and depth < 2:
        for value in known.get(node.id, ()):
            yield from _patterns(value, known, depth + 1)


def _pattern(node: ast.JoinedStr) -> str:
    made = ""
    names: dict[str, str] = {}
    for part in node.values:
        if isinstance(part, ast.Constant):
            made += str(part.value).replace("%", "%%")
        elif isinstance(part, ast.FormattedValue):
            text = ast.unparse(part.value)
            words = re.findall(
                r"[a-z_][a-z_]+", re.sub(r"'[;, a-z]*'\.join|\bstr\b|\brepr\b|\bsorted\b|\bset\b|\blen\b", "", text)
            )
            name = words[-1] if words else "value"
            while name in names and names[name] != text:
                name += "_too"
            names[name] = text
            made += f"%({name})s"
    return made


def kept(language: str) -> Catalog:
    """Return the catalogue of a language as it is in the sources."""
    with (CATALOGUES / f"prose-{language}.po").open("rb") as file:
        return read_po(file, locale=language)


def main() -> None:
    """Bring the catalogues up to date: new sentences are empty, and what is no longer said is taken out."""
    for language in sorted(set(LANGUAGES) - {DEFAULT}):
        path = CATALOGUES / f"prose-{language}.po"
        before = {one.id: one.string for one in kept(language) if one.id} if path.exists() else {}
        catalogue = Catalog(locale=language, charset="utf-8")
        for one in sorted(said()):
            catalogue.add(one, before.get(one, ""))
        with path.open("wb") as file:
            write_po(file, catalogue, omit_header=True, sort_output=True, no_location=True, width=120)
        missing = sum(1 for one in catalogue if one.id and not one.string)
        sys.stdout.write(f"{language}: {len(catalogue)} sentences, {missing} without words\n")


if __name__ == "__main__":
    main()
