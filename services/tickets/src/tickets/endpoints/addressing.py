"""How a ticket is named in a path, and the state a caller read it in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request

from msp_kit.problems import Conflict, NotFound
from tickets.blobs import Blobs


def uuid_of(text: str) -> UUID | None:
    """Return the id a text is, ``None`` when it is a ref."""
    try:
        return UUID(text)
    except ValueError:
        return None


def id_of(ticket: str) -> UUID:
    """Return the id a path names.

    Raises:
        NotFound: it is none.
    """
    found = uuid_of(ticket)
    if found is None:
        raise NotFound
    return found


async def _revision(if_match: Annotated[str | None, Header(max_length=20)] = None) -> int | None:
    if if_match is None or if_match == "*":
        return None
    text = if_match.removeprefix("W/").strip('"')
    if not (text.isascii() and text.isdecimal()):
        raise Conflict("If-Match carries the ETag of the ticket you read")
    return int(text)


async def _blobs(request: Request) -> Blobs:
    blobs: Blobs = request.app.state.blobs
    return blobs


IfMatch = Annotated[int | None, Depends(_revision)]
"""The revision a caller read, from ``If-Match``; ``None`` when they do not mind."""
BlobsNow = Annotated[Blobs, Depends(_blobs)]
"""Where the contents of files are kept."""
