"""Calls that leave the house to addresses somebody entered: never to the inside, whatever a name resolves to.

Every address a name has must be a public one, and the connection goes to that very address: a name that answers
differently the second time changes nothing. Redirects are not followed, answers are short.
"""

from __future__ import annotations

import ipaddress
import socket
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlsplit

import aiohttp
import orjson
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

TIMEOUT_SECONDS = 10.0
ANSWER_BYTES_MAX = 65_536


class OutgoingRefused(Exception):
    """The address leads inside, or is not one this house calls."""


class OutgoingFailed(Exception):
    """Nobody there answered as expected."""


def is_public(address: str) -> bool:
    """Return whether an IP address is one of the public internet, also when it is wrapped in another form."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        wrapped = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            wrapped = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if wrapped is not None:
            return is_public(str(wrapped))
    return found.is_global and not found.is_multicast


_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def check_address(url: str, *, private_hosts: frozenset[str]) -> str:
    """Return the host of an address that may be called.

    Raises:
        OutgoingRefused: another scheme than https, a port, a user, or a bare address.
    """
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError as error:
        raise OutgoingRefused("the address cannot be read") from error
    if f"{host}:{port}" in private_hosts or host in private_hosts:
        return host
    if parts.scheme != "https" or port not in (None, 443) or "@" in parts.netloc:
        raise OutgoingRefused("only https addresses without a port or a user are called")
    # A bare number in any of its spellings is not a name; names of the inside have no dot.
    labels = host.rstrip(".").split(".")
    if "." not in host or labels[-1].isdecimal() or labels[-1].startswith("0x") or ":" in host:
        raise OutgoingRefused("only names of the public internet are called")
    return host


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those of which any address is not public."""

    def __init__(self, private_hosts: frozenset[str]) -> None:
        self._inner = ThreadedResolver()
        self._private_hosts = private_hosts

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a name.

        Raises:
            OutgoingRefused: one of them leads inside.
        """
        found = await self._inner.resolve(host, port, family)
        is_known = host in self._private_hosts or f"{host}:{port}" in self._private_hosts
        if not is_known and not all(is_public(one["host"]) for one in found):
            raise OutgoingRefused(f"{host} leads to an address that is not public")
        return found

    async def close(self) -> None:
        """Close nothing."""
        await self._inner.close()


class Outgoing:
    """Makes calls that leave the house."""

    def __init__(self, private_hosts: str = "") -> None:
        self.private_hosts = frozenset(one.strip().lower() for one in private_hosts.split(",") if one.strip())

    async def json(
        self, url: str, *, form: Mapping[str, str] | None = None, basic: tuple[str, str] | None = None
    ) -> dict[str, Any]:
        """GET, or POST a form, and return the JSON object that is answered.

        Raises:
            OutgoingRefused, OutgoingFailed.
        """
        check_address(url, private_hosts=self.private_hosts)
        connector = aiohttp.TCPConnector(resolver=PublicResolver(self.private_hosts), use_dns_cache=False)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, connect=5)
        # Each half is form-encoded first (RFC 6749, 2.3.1).
        pair = ":".join(quote_plus(one) for one in basic or ())
        headers = {"authorization": f"Basic {b64encode(pair.encode()).decode()}"} if basic else {}
        try:
            async with (
                aiohttp.ClientSession(
                    connector=connector, timeout=timeout, trust_env=False, headers=headers
                ) as session,
                session.request("GET" if form is None else "POST", url, data=form, allow_redirects=False) as answer,
            ):
                content = await answer.content.read(ANSWER_BYTES_MAX + 1)
                if answer.status != 200 or len(content) > ANSWER_BYTES_MAX:
                    raise OutgoingFailed(f"answered {answer.status}")
                found = orjson.loads(content)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise OutgoingFailed(type(error).__name__) from error
        if not isinstance(found, dict):
            raise OutgoingFailed("answered no object")
        return found
