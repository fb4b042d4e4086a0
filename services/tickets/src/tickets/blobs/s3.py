"""Contents in a bucket of an S3-compatible store: two requests, signed with AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import aiohttp

_ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY = hashlib.sha256(b"").hexdigest()
_TIMEOUT = aiohttp.ClientTimeout(total=60, connect=5)


class StoreAway(OSError):
    """The store did not answer, or refused."""


class S3Blobs:
    """Keeps contents as objects named by their hash, addressed by path (works with every S3-compatible server)."""

    def __init__(
        self, *, endpoint: str, bucket: str, prefix: str, region: str, access_key: str, secret_key: str
    ) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._path = f"/{bucket}/{prefix}".rstrip("/")
        self._region = region
        self._access_key = access_key
        self._secret_key = secret_key
        self._session: aiohttp.ClientSession | None = None

    async def put(self, sha256: str, content: bytes) -> None:
        """Keep a content.

        Raises:
            StoreAway: the store did not take it.
        """
        status, _ = await self._send("PUT", sha256, content)
        if status != HTTPStatus.OK:
            raise StoreAway(f"the store of attachments answered {status}")

    async def get(self, sha256: str) -> bytes | None:
        """Return a content, ``None`` when it is not there.

        Raises:
            StoreAway: the store did not answer.
        """
        status, content = await self._send("GET", sha256, b"")
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK:
            raise StoreAway(f"the store of attachments answered {status}")
        return content

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def _send(self, method: str, sha256: str, content: bytes) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        path = f"{self._path}/{sha256[:2]}/{sha256}"
        headers = signed(
            method=method,
            host=urlsplit(self._endpoint).netloc,
            path=path,
            body_sha256=sha256 if method == "PUT" else _EMPTY,
            at=datetime.fromtimestamp(time.time(), UTC),
            region=self._region,
            access_key=self._access_key,
            secret_key=self._secret_key,
        )
        try:
            async with self._session.request(
                method, self._endpoint + quote(path), data=content or None, headers=headers
            ) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StoreAway(f"the store of attachments did not answer: {error}") from error


def signed(
    *, method: str, host: str, path: str, body_sha256: str, at: datetime, region: str, access_key: str, secret_key: str
) -> Mapping[str, str]:
    """Return the headers of a request, with its signature. ``path`` is not encoded yet."""
    stamp, day = f"{at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%d}"
    headers = {"host": host, "x-amz-content-sha256": body_sha256, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    canonical = "\n".join(
        [method, quote(path), "", *(f"{name}:{headers[name]}" for name in sorted(headers)), "", names, body_sha256]
    )
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{_ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": credential}
