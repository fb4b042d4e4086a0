"""Contents of files that no ticket names are forgotten, and no other: whoever uploads at the same time loses nothing."""

from __future__ import annotations

import asyncio
import hashlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from msp_kit.database import SYSTEM
from tickets.actions import forgetting
from tickets.actions.forgetting import forget_contents
from tickets.blobs import FileBlobs
from tickets.domain.attachment import SHARD_SECONDS, SHARDS, shard_at

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64
LOST = b"an upload that failed"


@pytest.fixture
def blobs(tmp_path: Path) -> FileBlobs:
    """Return the store of the desk."""
    return FileBlobs(str(tmp_path))


def sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def put_long_ago(blobs: FileBlobs, content: bytes, *, days: int = 30) -> str:
    sha256 = sha256_of(content)
    await blobs.put(sha256, content)
    age(blobs, sha256, days=days)
    return sha256


def age(blobs: FileBlobs, name: str, *, days: int) -> None:
    at = (datetime.now(UTC) - timedelta(days=days)).timestamp()
    os.utime(blobs._path(name), (at, at))


async def swept(desk: Any, blobs: FileBlobs, name: str) -> bool:
    async with desk.database.transaction(SYSTEM) as tx:
        return await forget_contents(tx, blobs, kept_days=7, shard=name[:2])


async def test_what_belongs_to_no_file_is_forgotten_and_what_does_stays(desk: Any, blobs: FileBlobs) -> None:
    ticket = await desk.raised()
    made = (await desk.attached(ticket, desk.agent, name="a.png", content=PNG)).json()
    lost = await put_long_ago(blobs, LOST)
    age(blobs, sha256_of(PNG), days=30)

    for name in (lost, sha256_of(PNG)):
        assert await swept(desk, blobs, name) is False

    assert await blobs.get(lost) is None
    assert (await desk.requests.get(desk.agent, f"/attachments/{made['id']}")).content == PNG


async def test_what_was_put_lately_is_left_alone(desk: Any, blobs: FileBlobs) -> None:
    lost = await put_long_ago(blobs, LOST, days=6)

    await swept(desk, blobs, lost)
    kept = await blobs.get(lost)
    age(blobs, lost, days=8)
    await blobs.put(lost, LOST)
    await swept(desk, blobs, lost)

    assert kept == LOST
    assert await blobs.get(lost) == LOST, "putting it again made it young"


async def test_an_upload_in_progress_keeps_its_content(desk: Any, blobs: FileBlobs) -> None:
    """The content is old and nobody names it yet; its upload holds it until the row is there."""
    ticket, sha256 = await desk.raised(), await put_long_ago(blobs, PNG)
    has_put, may_go_on = asyncio.Event(), asyncio.Event()

    class Slow(FileBlobs):
        async def put(self, sha256: str, content: bytes) -> None:
            await super().put(sha256, content)
            age(self, sha256, days=30)  # the clock of the store is wrong
            has_put.set()
            await may_go_on.wait()

    desk.requests.app.state.blobs = Slow(str(blobs.folder))
    upload = asyncio.create_task(desk.attached(ticket, desk.agent, name="a.png", content=PNG))
    await has_put.wait()
    await swept(desk, blobs, sha256)
    may_go_on.set()
    made = await upload
    await swept(desk, blobs, sha256)

    assert (await desk.requests.get(desk.agent, f"/attachments/{made.json()['id']}")).content == PNG


async def test_an_upload_that_meets_the_forgetting_puts_its_content_again(desk: Any, blobs: FileBlobs) -> None:
    ticket, sha256 = await desk.raised(), await put_long_ago(blobs, PNG)

    async with desk.database.transaction(SYSTEM) as tx:
        await forget_contents(tx, blobs, kept_days=7, shard=sha256[:2])
        upload = asyncio.create_task(desk.attached(ticket, desk.agent, name="a.png", content=PNG))
        waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        while not await tx.fetchval(waiting):
            assert not upload.done(), "an upload does not overtake the forgetting"
    made = await upload

    assert (await desk.requests.get(desk.agent, f"/attachments/{made.json()['id']}")).content == PNG


async def test_when_most_belongs_to_nobody_nothing_is_forgotten(
    desk: Any, blobs: FileBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is more likely that the service was pointed at the wrong database."""
    monkeypatch.setattr("tickets.domain.attachment.DOUBTFUL_MIN", 0)
    lost = await put_long_ago(blobs, LOST)

    await swept(desk, blobs, lost)

    assert await blobs.get(lost) == LOST


async def test_a_broken_write_is_cleared_away_too(desk: Any, blobs: FileBlobs) -> None:
    sha256 = await put_long_ago(blobs, LOST)
    half = f"{sha256}-half"
    blobs._path(sha256).rename(blobs._path(half))

    await swept(desk, blobs, half)

    assert [path for path in blobs.folder.rglob("*") if path.is_file()] == []


async def test_a_long_list_is_forgotten_bit_by_bit(
    desk: Any, blobs: FileBlobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forgetting, "AT_ONCE_MAX", 1)
    lost = await put_long_ago(blobs, LOST)
    other = f"{lost[:-1]}{'0' if lost[-1] != '0' else '1'}"
    await blobs.put(other, LOST)
    age(blobs, other, days=30)

    assert await swept(desk, blobs, lost) is True
    assert await swept(desk, blobs, lost) is False
    assert await blobs.kept(lost[:2]) == []


def test_every_part_has_its_turn() -> None:
    begins = datetime(2026, 11, 25, tzinfo=UTC)

    turns = {shard_at(begins + timedelta(seconds=SHARD_SECONDS * number)) for number in range(SHARDS)}

    assert turns == {f"{number:02x}" for number in range(SHARDS)}
