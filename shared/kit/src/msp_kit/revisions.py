"""The state a caller read: ``ETag`` tells it, ``If-Match`` says it again, and what was changed in between is not overwritten."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Header, Response

from msp_kit.problems import Conflict


async def _revision(if_match: Annotated[str | None, Header(max_length=20)] = None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    text = if_match.removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal()):
        raise Conflict("If-Match carries the ETag of what you read")
    return int(text)


IfMatch = Annotated[int | None, Depends(_revision)]
"""The revision a caller read, from ``If-Match``; ``None`` when they do not mind."""


def tag(response: Response, revision: int) -> None:
    """Tell the revision of what is answered."""
    response.headers["etag"] = f'"{revision}"'


def refuse_stale(what: str, *, revision: int, read: int | None) -> None:
    """Let a change through that was decided on the state as it is.

    Raises:
        Conflict: somebody changed it in the meantime.
    """
    if read is not None and read != revision:
        raise Conflict(f"{what} is at revision {revision}, you read {read}")
