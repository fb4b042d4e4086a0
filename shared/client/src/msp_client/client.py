"""The client: one class, a handful of methods."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import httpx2 as httpx

API_VERSION = "2026-11-25"
ATTEMPTS_MAX = 4
PAUSE_SECONDS_MAX = 30.0
PAGE_SIZE = 200
_AGAIN = frozenset({429, 502, 503, 504})


class Problem(Exception):
    """The API refused: an RFC 9457 document says what is wrong, and what would be accepted."""

    def __init__(self, status: int, document: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {document.get('code', '')}: {document.get('detail', '')}")
        self.status = status
        self.document = dict(document)
        self.code = str(document.get("code", ""))
        self.request_id = str(document.get("request_id", ""))


@dataclass(frozen=True, slots=True)
class Event:
    """Something happened; ask the thing's own address for how it stands now."""

    id: str
    type: str
    subject: str
    """``<stream>:<id>``"""
    client_id: str
    at: datetime

    @property
    def subject_id(self) -> str:
        """Return the id of the thing, as its own address takes it."""
        return self.subject.partition(":")[2]


class Client:
    """Speaks to one installation with an API key.

    What may be repeated safely is repeated when nobody answers or too much was asked: every read, and every write, because
    each carries an ``Idempotency-Key``.
    """

    def __init__(self, url: str, key: str, *, timeout_seconds: float = 30.0, transport: Any = None) -> None:
        self._http = httpx.Client(
            base_url=f"{url.rstrip('/')}/api/v1",
            headers={"authorization": f"Bearer {key}", "api-version": API_VERSION, "accept": "application/json"},
            timeout=timeout_seconds,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """Return what is at a path: JSON, or bytes of any other type.

        Raises:
            Problem: the API refused.
        """
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return self._send("GET", path, params=given)

    def post(self, path: str, body: Any = None, *, idempotency_key: str | None = None) -> Any:
        """Send JSON and return the answer; the same key and body again give the same answer and do nothing again.

        Raises:
            Problem: the API refused.
        """
        return self._send("POST", path, json={} if body is None else body, idempotency_key=idempotency_key)

    def patch(self, path: str, body: Any, *, if_match: str | None = None) -> Any:
        """Change something; with ``if_match``, only as long as it is still what was read.

        Raises:
            Problem: the API refused.
        """
        return self._send("PATCH", path, json=body, headers={"if-match": if_match} if if_match else {})

    def pages(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        """Yield every item of a list, page after page.

        Raises:
            Problem: the API refused.
        """
        after: str | None = None
        while True:
            page = self.get(path, **{"limit": PAGE_SIZE, **query, "after": after})
            yield from page["items"]
            after = page.get("next")
            if after is None:
                return

    def events(self, after: str | None = None) -> tuple[list[Event], str | None]:
        """Return what happened after a cursor, oldest first, and the cursor to ask with the next time.

        Raises:
            Problem: the API refused.
        """
        page = self.get("/events", after=after, limit=PAGE_SIZE)
        found = [Event(**{**one, "at": datetime.fromisoformat(one["at"])}) for one in page["items"]]
        return found, page["next"]

    def _send(
        self,
        method: str,
        path: str,
        *,
        idempotency_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> Any:
        sent = dict(headers or {})
        if method != "GET":
            sent["idempotency-key"] = idempotency_key or str(uuid.uuid4())
        for attempt in range(1, ATTEMPTS_MAX + 1):
            is_last = attempt == ATTEMPTS_MAX
            pause = min(2.0 ** (attempt - 2), PAUSE_SECONDS_MAX)
            try:
                answer = self._http.request(method, path, headers=sent, **more)
            except httpx.TransportError:
                if is_last:
                    raise
            else:
                if answer.status_code not in _AGAIN or is_last:
                    return _read(answer)
                wanted = answer.headers.get("retry-after", "")
                pause = min(int(wanted), PAUSE_SECONDS_MAX) if wanted.isdecimal() else pause
            time.sleep(pause)
        raise AssertionError("the last attempt returns or raises")


def _read(answer: httpx.Response) -> Any:
    is_json = "json" in answer.headers.get("content-type", "")
    if answer.status_code >= 400:
        raise Problem(answer.status_code, answer.json() if is_json else {"detail": answer.text[:300]})
    if answer.status_code == 204:
        return None
    return answer.json() if is_json else answer.content
