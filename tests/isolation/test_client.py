"""Programs: the quick start of the client as it is printed, and what the client does about problems."""

from __future__ import annotations

import asyncio
import pathlib
import re
from typing import Any

import httpx2 as httpx
import pytest
from matrix import Stage

from msp_client import Client, Problem

README = pathlib.Path(__file__).resolve().parents[2] / "shared" / "client" / "README.md"


async def a_key(stage: Stage) -> str:
    async with httpx.AsyncClient(base_url=f"{stage.n.url}/api/v1") as client:
        made = await client.post(
            "/api-keys",
            json={
                "name": "quick start",
                "roles": ["requester", "admin"],
                "scopes": ["tickets:read", "tickets:write", "portal-gateway:read"],
            },
            headers={"authorization": f"Bearer {stage.actors.theirs.tokens['all']}"},
        )
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


async def test_the_quick_start_is_true(stage: Stage, capsys: pytest.CaptureFixture[str]) -> None:
    (lines,) = re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL)
    names: dict[str, Any] = {"url": stage.n.url, "key": await a_key(stage)}

    await asyncio.to_thread(exec, lines, names)

    said = capsys.readouterr().out.splitlines()
    assert "VPN drops" in said[0]
    assert said[1].startswith("404 not-found ")
    assert said[0].startswith(f"{names['ticket']['ref']} tkt_")


def answers(*given: tuple[int, dict[str, str]]) -> tuple[httpx.MockTransport, list[httpx.Request]]:
    asked: list[httpx.Request] = []
    waiting = list(given)

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        status, headers = waiting.pop(0)
        return httpx.Response(status, headers=headers, json={"code": "x", "detail": "y", "items": [], "next": None})

    return httpx.MockTransport(answer), asked


def test_what_was_too_much_or_away_is_asked_again_with_the_same_key() -> None:
    transport, asked = answers((429, {"retry-after": "0"}), (503, {"retry-after": "0"}), (201, {}))

    with Client("http://door", "mspk_x", transport=transport) as client:
        client.post("/tickets", {})

    assert len(asked) == 3
    assert len({one.headers["idempotency-key"] for one in asked}) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 409, 422, 500])
def test_what_is_refused_is_not_asked_again(status: int) -> None:
    transport, asked = answers((status, {}))

    with Client("http://door", "mspk_x", transport=transport) as client, pytest.raises(Problem) as refused:
        client.post("/tickets", {})

    assert (refused.value.status, refused.value.code, len(asked)) == (status, "x", 1)
