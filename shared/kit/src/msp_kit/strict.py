"""JSON as it is meant: UTF-8, each name of an object once, numbers that are numbers. What could be read in two ways is refused."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

from fastapi import Request


class StrictRequest(Request):
    """A request whose JSON body is read strictly."""

    @classmethod
    async def of(cls, request: Request) -> StrictRequest:
        """Return a request with what has been read of it."""
        made = cls(request.scope, request.receive)
        made._body = await request.body()
        return made

    async def json(self) -> Any:
        """Return what the body says.

        Raises:
            json.JSONDecodeError: it says nothing, or more than one thing.
        """
        return read(await self.body())


def read(content: bytes) -> Any:
    """Return what a JSON text says.

    Raises:
        json.JSONDecodeError: it is not JSON, not UTF-8, or names something twice; or a number is none.
    """
    try:
        return json.loads(
            content.decode(), object_pairs_hook=_once, parse_constant=_refuse_constant, parse_float=_finite
        )
    except json.JSONDecodeError:
        raise
    except UnicodeDecodeError as error:
        raise json.JSONDecodeError("the body is not UTF-8", "", error.start) from error
    except ValueError as error:
        # Python reads no number of more than some thousand digits.
        raise json.JSONDecodeError("a number has too many digits", "", 0) from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise json.JSONDecodeError(f"{twice[:60]!r} is there twice", "", 0)
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise json.JSONDecodeError(f"{name} is no number of JSON", "", 0)


def _finite(digits: str) -> float:
    # Whoever needs exact numbers declares integers; a fraction is refused there.
    number = float(digits)
    if not math.isfinite(number):
        raise json.JSONDecodeError("a number is too large", "", 0)
    return number
