"""Contents in a bucket of an S3-compatible store: four requests, signed with AWS Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from urllib.parse import quote, urlsplit

import aiohttp
from yarl import URL

from tickets.blobs.kept import Kept

PAGE_ROWS = 1000
_ALGORITHM = "AWS4-HMAC-SHA256"
_OBJECT = re.compile(
    rb"<Contents>.*?<Key>([^<]+)</Key>.*?<LastModified>([^<]+)</LastModified>.*?</Contents>", re.DOTALL
)
"""Our keys are a prefix and hexadecimal digits: nothing in them is ever escaped."""
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
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._region = region
        self._access_key = access_key
        self._secret_key = secret_key
        self._session: aiohttp.ClientSession | None = None

    async def put(self, sha256: str, content: bytes) -> None:
        """Keep a content.

        Raises:
            StoreAway: the store did not take it.
        """
        status, _ = await self._send("PUT", self._object(sha256), content=content, body_sha256=sha256)
        if status != HTTPStatus.OK:
            raise StoreAway(f"the store of attachments answered {status}")

    async def get(self, sha256: str) -> bytes | None:
        """Return a content, ``None`` when it is not there.

        Raises:
            StoreAway: the store did not answer.
        """
        status, content = await self._send("GET", self._object(sha256))
        if status == HTTPStatus.NOT_FOUND:
            return None
        if status != HTTPStatus.OK:
            raise StoreAway(f"the store of attachments answered {status}")
        return content

    async def kept(self, shard: str) -> list[Kept]:
        """Return what is kept of a part of the hashes.

        Raises:
            StoreAway: the store did not answer.
        """
        found: list[Kept] = []
        query = {"list-type": "2", "prefix": f"{self._prefix}{shard}/", "max-keys": str(PAGE_ROWS), "start-after": ""}
        while True:
            status, content = await self._send("GET", f"/{self._bucket}", query=query)
            if status != HTTPStatus.OK:
                raise StoreAway(f"the store of attachments answered {status}")
            page = [(key.decode(), datetime.fromisoformat(at.decode())) for key, at in _OBJECT.findall(content)]
            found += [Kept(key.rpartition("/")[2], at) for key, at in page]
            if not page or b"<IsTruncated>true</IsTruncated>" not in content:
                return found
            query["start-after"] = page[-1][0]

    async def forget(self, name: str) -> None:
        """Forget a content.

        Raises:
            StoreAway: the store did not answer.
        """
        status, _ = await self._send("DELETE", self._object(name))
        if status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT, HTTPStatus.NOT_FOUND):
            raise StoreAway(f"the store of attachments answered {status}")

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    def _object(self, name: str) -> str:
        return f"/{self._bucket}/{self._prefix}{name[:2]}/{name}"

    async def _send(
        self,
        method: str,
        path: str,
        *,
        content: bytes = b"",
        body_sha256: str = _EMPTY,
        query: Mapping[str, str] | None = None,
    ) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=_TIMEOUT)
        headers = signed(
            method=method,
            host=urlsplit(self._endpoint).netloc,
            path=path,
            query=query or {},
            body_sha256=body_sha256,
            at=datetime.fromtimestamp(time.time(), UTC),
            region=self._region,
            access_key=self._access_key,
            secret_key=self._secret_key,
        )
        url = URL(f"{self._endpoint}{quote(path)}{'?' + _canonical_query(query) if query else ''}", encoded=True)
        try:
            async with self._session.request(method, url, data=content or None, headers=headers) as answer:
                return answer.status, await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise StoreAway(f"the store of attachments did not answer: {error}") from error


def _canonical_query(query: Mapping[str, str]) -> str:
    return "&".join(f"{quote(name, safe='')}={quote(query[name], safe='')}" for name in sorted(query))


def signed(
    *,
    method: str,
    host: str,
    path: str,
    query: Mapping[str, str],
    body_sha256: str,
    at: datetime,
    region: str,
    access_key: str,
    secret_key: str,
) -> Mapping[str, str]:
    """Return the headers of a request, with its signature. ``path`` is not encoded yet."""
    stamp, day = f"{at:%Y%m%dT%H%M%SZ}", f"{at:%Y%m%d}"
    headers = {"host": host, "x-amz-content-sha256": body_sha256, "x-amz-date": stamp}
    names = ";".join(sorted(headers))
    lines = [f"{name}:{headers[name]}" for name in sorted(headers)]
    canonical = "\n".join([method, quote(path), _canonical_query(query), *lines, "", names, body_sha256])
    scope = f"{day}/{region}/s3/aws4_request"
    text = "\n".join([_ALGORITHM, stamp, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{_ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": credential}
