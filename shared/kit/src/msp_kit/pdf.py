"""Documents as PDF by typst: the same bytes for the same values, in every process.

Values reach a template as JSON, never as markup. Characters that are none, that turn the reading direction, or that the
fonts have no picture of are made visible as U+FFFD: PDF/A allows none of them, and one emoji in a note must not stop an
invoice. Fonts come with the library, not from the machine. Needs the extra ``msp-kit[pdf]``.
"""

from __future__ import annotations

import asyncio
import functools
import json
import re
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from importlib import resources
from typing import Any

import typst
from fastapi import Response
from starlette.types import Receive, Scope, Send

_CONTROL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]"
)
_NOT_DISPLAYED = re.compile(r'the text `"(.+?)"` could not be displayed')
_ESCAPED = re.compile(r"\\u\{([0-9a-f]+)\}")
_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_FORGET_AFTER = 10
"""How many runs typst remembers what it has laid out: some 100 kB for every row of a long table."""
LAYING_OUT = threading.Lock()
"""Held while a document is laid out: the compiler keeps state between runs."""
_READERS = ThreadPoolExecutor(max_workers=1, thread_name_prefix="pdf")
"""Where documents for readers are made, one after the other: who waits for one holds no thread that others need."""


class PdfResponse(Response):
    """A PDF that is made when the answer is sent: the transaction is over by then, its connection is back in the pool.

    Laying out a long document takes seconds, and one at a time is laid out; forty readers would hold every connection.
    """

    media_type = "application/pdf"

    # FastAPI reads the default status from here when it describes an operation.
    def __init__(self, make: Callable[[], bytes], *, name: str, status_code: int = HTTPStatus.OK) -> None:
        self.make = make
        super().__init__(status_code=status_code, headers={"content-disposition": f'attachment; filename="{name}.pdf"'})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Make the document, and send it."""
        self.body = await asyncio.get_running_loop().run_in_executor(_READERS, self.make)
        self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


class NotRenderable(Exception):
    """A template cannot be laid out with what it was given; the message is the renderer's."""


def render(
    package: str,
    template: str,
    values: Mapping[str, Any],
    *,
    inputs: Mapping[str, str] | None = None,
    is_long: bool = False,
) -> bytes:
    """Return the PDF/A-3b a template of a package makes of values, which it reads from ``sys.inputs.data``.

    ``inputs`` are further texts for ``sys.inputs``. A document that ``is_long`` is forgotten at once: no two are alike,
    and remembering ten of them would only cost memory.

    Raises:
        NotRenderable: the template cannot be laid out.
    """
    data = json.dumps(_visible(values), ensure_ascii=False)
    with LAYING_OUT:
        try:
            made = _compiled(package, template, {**(inputs or {}), "data": data})
        except typst.TypstError as error:
            unknown = _not_displayed(error)
            if not unknown:
                raise NotRenderable(error.message) from error
            shown = data.translate(dict.fromkeys(map(ord, unknown), _REPLACEMENT))
            try:
                made = _compiled(package, template, {**(inputs or {}), "data": shown})
            except typst.TypstError as again:
                raise NotRenderable(again.message) from again
        for _ in range(_FORGET_AFTER + 1 if is_long else 0):
            _compiler("msp_kit", "blank.typ").compile(format="pdf")
    return made


@functools.cache
def _compiler(package: str, template: str) -> Any:
    return typst.Compiler(str(resources.files(package).joinpath(template)), ignore_system_fonts=True)


def _compiled(package: str, template: str, inputs: Mapping[str, str]) -> bytes:
    made: bytes = _compiler(package, template).compile(format="pdf", sys_inputs=dict(inputs), pdf_standards=["a-3b"])
    return made


def _not_displayed(error: typst.TypstError) -> frozenset[str]:
    """Return the characters outside of ASCII that no font of the compiler has; it names all of them at once."""
    named = "".join(_NOT_DISPLAYED.findall(str(error.diagnostic)))
    plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), named)
    return frozenset(one for one in plain if not one.isascii())


def _visible(value: Any) -> Any:
    """Return a value with the characters of its texts that are none made visible."""
    if isinstance(value, str):
        return _CONTROL.sub(_REPLACEMENT, value)
    if isinstance(value, Mapping):
        return {name: _visible(one) for name, one in value.items()}
    return [_visible(one) for one in value] if isinstance(value, list | tuple) else value
