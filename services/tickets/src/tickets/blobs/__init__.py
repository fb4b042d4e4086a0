"""Contents of files, kept by their hash: the same content is kept once, and is never changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from tickets.blobs.files import FileBlobs
from tickets.blobs.kept import Kept
from tickets.blobs.s3 import S3Blobs


class Blobs(Protocol):
    """Where contents are kept. ``sha256`` is the lower-case hex digest of the content."""

    async def put(self, sha256: str, content: bytes) -> None:
        """Keep a content; keeping it again only makes it young again."""

    async def get(self, sha256: str) -> bytes | None:
        """Return a content, ``None`` when it is not there."""

    async def kept(self, shard: str) -> Sequence[Kept]:
        """Return what is kept of the hashes that begin with two digits: contents, and what is left of a broken write."""

    async def forget(self, name: str) -> None:
        """Forget what is kept under a name; forgetting what is not there changes nothing."""

    async def close(self) -> None:
        """Let go of connections."""


def blobs_at(url: str, *, access_key: str = "", secret_key: str = "") -> Blobs:
    """Return the store behind a URL: ``file:///folder`` or ``s3://bucket/prefix?endpoint=https://host&region=eu-west-1``."""
    parts = urlsplit(url)
    if parts.scheme == "file":
        return FileBlobs(unquote(parts.path))
    assert parts.scheme == "s3", f"attachments are kept in file: or s3:, not {parts.scheme}:"
    query = parse_qs(parts.query)
    region = query.get("region", ["us-east-1"])[0]
    return S3Blobs(
        endpoint=query.get("endpoint", [f"https://s3.{region}.amazonaws.com"])[0],
        bucket=parts.netloc,
        prefix=parts.path.strip("/"),
        region=region,
        access_key=access_key,
        secret_key=secret_key,
    )


__all__ = ["Blobs", "FileBlobs", "Kept", "S3Blobs", "blobs_at"]
