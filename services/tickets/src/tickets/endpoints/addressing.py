"""How a ticket is named in a path, and the state a caller read it in."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from msp_kit.problems import NotFound
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


async def _blobs(request: Request) -> Blobs:
    blobs: Blobs = request.app.state.blobs
    return blobs


BlobsNow = Annotated[Blobs, Depends(_blobs)]
"""Where the contents of files are kept."""
