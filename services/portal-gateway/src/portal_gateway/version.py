"""Dated versions of the API: a program may say which one it was written for."""

from __future__ import annotations

from typing import Final

from starlette.requests import HTTPConnection

PREFIX: Final = "/api/v1"
API_VERSION: Final = "2026-11-25"
VERSION_HEADER: Final = "api-version"


class UnknownApiVersion(Exception):
    """The dated version of the API does not exist; leave the header out for the newest one."""


def check_version(request: HTTPConnection) -> None:
    """Let a request through that asks for a version there is.

    Raises:
        UnknownApiVersion: there is no such version.
    """
    if request.headers.get(VERSION_HEADER, API_VERSION) != API_VERSION:
        raise UnknownApiVersion(f"the versions are: {API_VERSION}")
