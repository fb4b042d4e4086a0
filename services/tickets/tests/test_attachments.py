"""Files: by hash, safe to download, seen by who may; in a folder and in an S3-compatible store."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.server import ThreadedMotoServer

from msp_kit.database import SYSTEM
from msp_kit.testing import a_client_person
from tickets.blobs import Blobs, FileBlobs, S3Blobs, blobs_at, s3
from tickets.blobs.s3 import StoreAway, signed

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 64


async def test_a_file_comes_back_as_it_was_and_is_never_run(desk: Any) -> None:
    ticket = await desk.raised()
    content = b'{"path": "\\u0000"}'

    made = await desk.attached(ticket, desk.priya, name="..%2F..%2Fconfig.json", content=content)
    got = await desk.requests.get(desk.priya, f"/attachments/{made.json()['id']}")

    assert (made.status_code, made.json()["name"]) == (201, "config.json")
    assert got.content == content
    assert got.headers["content-disposition"].startswith('attachment; filename="config.json"')
    assert (got.headers["x-content-type-options"], got.headers["content-security-policy"]) == (
        "nosniff",
        "default-src 'none'; sandbox",
    )
    (seen,) = (await desk.requests.get(desk.priya, f"/tickets/{ticket['id']}")).json()["attachments"]
    assert seen["sha256"] == hashlib.sha256(content).hexdigest()


@pytest.mark.parametrize(
    ("name", "content", "status", "code"),
    [
        ("evil.html", b"<script>alert(1)</script>", 415, "file-type-refused"),
        ("..%2F..%2Fx", b"x", 415, "file-type-refused"),
        ("logo.svg", b"<svg onload=alert(1)>", 415, "file-type-refused"),
        ("photo.png", b"<script>", 415, "file-not-what-it-says"),
        ("empty.txt", b"", 415, "file-not-what-it-says"),
        ("large.txt", b"x" * (10 * 1024 * 1024 + 1), 413, "body-too-large"),
    ],
)
async def test_files_that_are_not_accepted_are_told_why(
    desk: Any, name: str, content: bytes, status: int, code: str
) -> None:
    ticket = await desk.raised()

    answer = await desk.attached(ticket, desk.agent, name=name, content=content)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_internal_and_foreign_files_do_not_exist_for_a_client(desk: Any) -> None:
    ticket = await desk.raised()
    internal = await desk.attached(ticket, desk.agent, name="a.png", content=PNG, more="&is_public=false")
    public = await desk.attached(ticket, desk.agent, name="b.png", content=PNG)
    stranger = a_client_person(desk.theirs, "admin")

    assert (await desk.requests.get(desk.priya, f"/attachments/{internal.json()['id']}")).status_code == 404
    assert (await desk.requests.get(desk.priya, f"/attachments/{public.json()['id']}")).status_code == 200
    assert (await desk.requests.get(stranger, f"/attachments/{public.json()['id']}")).status_code == 404
    assert (await desk.attached(ticket, stranger, name="c.png", content=PNG)).status_code == 404
    seen = (await desk.requests.get(desk.priya, f"/tickets/{ticket['id']}")).json()["attachments"]
    assert [one["name"] for one in seen] == ["b.png"]
    refused = await desk.attached(ticket, desk.priya, name="d.png", content=PNG, more="&is_public=false")
    assert (refused.status_code, refused.json()["code"]) == (403, "not-for-clients")


async def test_files_move_with_a_merge_and_with_their_message(desk: Any) -> None:
    older, younger = await desk.raised(), await desk.raised()
    message = (await desk.requests.post(desk.priya, f"/tickets/{younger['id']}/messages", {"body": "See file"})).json()
    await desk.attached(younger, desk.priya, name="a.png", content=PNG, more=f"&message_id={message['id']}")
    await desk.attached(younger, desk.priya, name="b.png", content=PNG)

    await desk.requests.post(desk.agent, f"/tickets/{younger['id']}/merge", {"into_id": older["id"]})

    seen = (await desk.requests.get(desk.priya, f"/tickets/{older['id']}")).json()["attachments"]
    assert [(one["name"], one["message_id"]) for one in seen] == [("a.png", message["id"]), ("b.png", None)]
    async with desk.database.transaction(SYSTEM) as tx:
        assert await tx.fetchval("SELECT count(DISTINCT sha256) FROM attachments") == 1


# ---- the stores ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3_endpoint() -> Any:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket"])
async def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Blobs]:
    if request.param == "folder":
        made = blobs_at(f"file://{tmp_path}")
    else:
        endpoint = request.getfixturevalue("s3_endpoint")
        access = {"aws_access_key_id": "key", "aws_secret_access_key": "secret", "region_name": "eu-west-1"}
        bucket = f"files-{uuid4().hex[:8]}"
        boto3.client("s3", endpoint_url=endpoint, **access).create_bucket(
            Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        made = blobs_at(
            f"s3://{bucket}/tickets?endpoint={endpoint}&region=eu-west-1", access_key="key", secret_key="secret"
        )
    assert isinstance(made, FileBlobs if request.param == "folder" else S3Blobs)
    yield made
    await made.close()


async def test_a_content_is_kept_once_and_found_by_its_hash(blobs: Blobs) -> None:
    content = bytes(range(256)) * 100
    sha256 = hashlib.sha256(content).hexdigest()

    assert await blobs.get(sha256) is None
    await blobs.put(sha256, content)
    await blobs.put(sha256, content)

    assert await blobs.get(sha256) == content


async def test_a_store_tells_what_it_keeps_and_forgets_it(blobs: Blobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3, "PAGE_ROWS", 2)
    by_hash = {hashlib.sha256(content).hexdigest(): content for content in (b"%d" % number for number in range(2000))}
    shard = next(iter(by_hash))[:2]
    others = [one for one in by_hash if not one.startswith(shard)][:3]
    hashes = [one for one in by_hash if one.startswith(shard)][:5] + others
    began = datetime.now(UTC) - timedelta(seconds=2)
    for sha256 in hashes:
        await blobs.put(sha256, by_hash[sha256])

    kept = await blobs.kept(shard)
    await blobs.forget(hashes[0])
    await blobs.forget(hashes[0])

    assert sorted(one.name for one in kept) == sorted(hashes[:5])
    assert all(one.put_at >= began for one in kept)
    assert await blobs.get(hashes[0]) is None
    assert hashes[0] not in {one.name for one in await blobs.kept(shard)}


async def test_a_folder_holds_no_half_file(tmp_path: Path) -> None:
    content = b"x" * 1000
    await FileBlobs(str(tmp_path)).put(hashlib.sha256(content).hexdigest(), content)

    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == [content]


async def test_a_store_that_is_away_says_so() -> None:
    blobs = blobs_at("s3://files?endpoint=http://127.0.0.1:9", access_key="k", secret_key="s")
    try:
        with pytest.raises(StoreAway):
            await blobs.get("0" * 64)
    finally:
        await blobs.close()


def test_requests_are_signed_as_the_maker_of_the_protocol_signs_them() -> None:
    at = datetime(2026, 11, 25, 10, 0, 0, tzinfo=UTC)
    ours = signed(
        method="PUT",
        host="store.example",
        path="/files/a b/é",
        query={"prefix": "a/b", "list-type": "2"},
        body_sha256="ab" * 32,
        at=at,
        region="eu-west-1",
        access_key="key",
        secret_key="secret",
    )

    url = "https://store.example/files/a%20b/%C3%A9?list-type=2&prefix=a%2Fb"
    request = AWSRequest("PUT", url, headers={"X-Amz-Content-SHA256": "ab" * 32})
    request.context["timestamp"] = f"{at:%Y%m%dT%H%M%SZ}"
    theirs = SigV4Auth(Credentials("key", "secret"), "s3", "eu-west-1")
    request.headers["X-Amz-Date"] = request.context["timestamp"]
    text = theirs.string_to_sign(request, _canonical(ours, "/files/a%20b/%C3%A9"))
    assert ours["authorization"].endswith(f"Signature={theirs.signature(text, request)}")


def _canonical(headers: Any, path: str) -> str:
    names = ("host", "x-amz-content-sha256", "x-amz-date")
    lines = [f"{name}:{headers[name]}" for name in names]
    return "\n".join(
        ["PUT", path, "list-type=2&prefix=a%2Fb", *lines, "", ";".join(names), headers["x-amz-content-sha256"]]
    )
