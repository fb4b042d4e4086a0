"""A small client of ``/api/v1`` for demo data, replay and tests: signs in, sends JSON, raises problems."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import TracebackType
from typing import Any, Self

import aiohttp
import orjson


class ApiProblem(Exception):
    """The API refused: carries its problem document."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(f"{status} {document.get('code')}: {document.get('detail')}")
        self.status = status
        self.document = document

    @property
    def code(self) -> str:
        """Return the slug of the problem."""
        return str(self.document.get("code", ""))


class Api:
    """One signed-in person, speaking to the gateway."""

    def __init__(self, url: str, *, email: str = "", password: str = "") -> None:
        self.url = url
        self.email = email
        self.password = password
        self._session: aiohttp.ClientSession | None = None
        self.token = ""
        """Token of the session, for other clients of the same person."""

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=120), connector=aiohttp.TCPConnector(limit=16)
        )
        if self.email:
            answer = await self.post("/sessions", {"email": self.email, "password": self.password})
            self.token = answer["token"]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._session is not None
        await self._session.close()

    async def get(self, path: str, **query: Any) -> Any:
        """GET and return the JSON answer.

        Raises:
            ApiProblem: any answer of 400 and above.
        """
        return await self.send("GET", path, query={k: str(v) for k, v in query.items() if v is not None})

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """POST JSON and return the JSON answer; ``key`` is an Idempotency-Key.

        Raises:
            ApiProblem: any answer of 400 and above.
        """
        return await self.send("POST", path, body={} if body is None else body, key=key)

    async def send(
        self, method: str, path: str, *, body: Any = None, query: dict[str, str] | None = None, key: str | None = None
    ) -> Any:
        """Send one request to ``/api/v1`` and return the JSON answer, or bytes of another type.

        Raises:
            ApiProblem: any answer of 400 and above.
            ConnectionError: nobody answered.
        """
        assert self._session is not None
        headers = {"content-type": "application/json"}
        if self.token:
            headers["authorization"] = f"Bearer {self.token}"
        if key is not None:
            headers["idempotency-key"] = key
        content = None if body is None else orjson.dumps(body)
        try:
            async with self._session.request(
                method, f"{self.url}/api/v1{path}", data=content, params=query, headers=headers
            ) as answer:
                raw, status, is_json = await answer.read(), answer.status, "json" in answer.content_type
        except aiohttp.ClientError as error:
            raise ConnectionError(f"{self.url}: {error}") from error
        if status == 403 and b'"step-up-required"' in raw and self.password and not path.startswith("/sessions"):
            await self.post("/sessions/current/proof", {"password": self.password})
            return await self.send(method, path, body=body, query=query, key=key)
        if status >= 400:
            document = orjson.loads(raw) if is_json and raw else {"detail": raw[:300].decode(errors="replace")}
            raise ApiProblem(status, document)
        return orjson.loads(raw) if is_json and raw else raw

    async def pages(self, path: str, **query: Any) -> AsyncIterator[dict[str, Any]]:
        """Yield the items of a list, page after page."""
        after: str | None = None
        while True:
            page = await self.get(path, **query, limit=200, after=after)
            for item in page["items"]:
                yield item
            after = page.get("next")
            if after is None:
                return
