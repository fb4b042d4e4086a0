"""Contents in a folder: ``ab/cd/abcd…``. Written beside, flushed, then renamed: a power cut leaves no half file."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from tickets.blobs.kept import Kept


class FileBlobs:
    """Keeps contents in a folder of the file system (one machine, or a shared volume)."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    async def put(self, sha256: str, content: bytes) -> None:
        """Keep a content."""
        await asyncio.to_thread(self._put, self._path(sha256), content)

    async def get(self, sha256: str) -> bytes | None:
        """Return a content, ``None`` when it is not there."""
        return await asyncio.to_thread(self._get, self._path(sha256))

    async def kept(self, shard: str) -> list[Kept]:
        """Return what is kept of a part of the hashes."""
        return await asyncio.to_thread(self._kept, self.folder / shard)

    async def forget(self, name: str) -> None:
        """Forget a content."""
        await asyncio.to_thread(self._path(name).unlink, missing_ok=True)

    async def close(self) -> None:
        """Do nothing: no connection is open."""

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256[2:4] / sha256

    @staticmethod
    def _put(path: Path, content: bytes) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.utime(path)
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            Path(beside).replace(path)
        except BaseException:
            Path(beside).unlink(missing_ok=True)
            raise

    @staticmethod
    def _kept(folder: Path) -> list[Kept]:
        found = []
        for path in folder.glob("*/*"):
            with contextlib.suppress(FileNotFoundError):
                found.append(Kept(path.name, datetime.fromtimestamp(path.stat().st_mtime, UTC)))
        return found

    @staticmethod
    def _get(path: Path) -> bytes | None:
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
