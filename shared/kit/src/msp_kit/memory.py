"""Making a great many short-lived values at once."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """Let the search for cycles wait until a batch of values is made.

    A thousand new values make the interpreter look through every object of the process again and again, and find nothing:
    values without cycles go by themselves. No ``await`` belongs inside.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
