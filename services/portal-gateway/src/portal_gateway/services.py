"""The services behind the gateway: one signed identity per request, one clear answer when one of them is away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
import orjson
from yarl import URL

from msp_kit import telemetry
from msp_kit.identity import HEADER, SAFE_METHODS, Caller, Signer
from msp_kit.problems import Forbidden
from portal_gateway.prose import refusal

TIMEOUT_SECONDS = 20.0
CONNECT_SECONDS = 2.0
KEEP_SECONDS = 4.0
FAILURES_MAX = 5
PAUSE_SECONDS, PAUSE_SECONDS_MAX = 0.5, 5.0
SERVICE_OF = {
    **dict.fromkeys(
        (
            "approvals",
            "calendars",
            "clients",
            "contacts",
            "contracts",
            "coverage",
            "hours",
            "job-types",
            "period-closes",
            "rate-cards",
        ),
        "contracts",
    ),
    **dict.fromkeys(
        (
            "tickets",
            "queues",
            "agents",
            "time-entries",
            "imports",
            "projects",
            "tasks",
            "routing-rules",
            "workload",
            "attachments",
            "canned-replies",
            "ticket-templates",
            "ticket-views",
            "priority-tables",
            "alerts",
            "tables",
        ),
        "tickets",
    ),
    **dict.fromkeys(
        (
            "clocks",
            "promises",
            "clocks.csv",
            "compliance",
            "compliance.csv",
            "at-risk",
            "at-risk.csv",
            "verdicts",
            "verdicts.csv",
            "what-if",
            "what-if.csv",
            "sla-credits",
            "sla-credits.csv",
            "sla-refusals",
            "sla-refusals.csv",
        ),
        "sla",
    ),
    **dict.fromkeys(
        (
            "billing-runs",
            "invoices",
            "billing-summary",
            "seller",
            "billing-profiles",
            "billing-charges",
            "credits",
            "cost-rates",
            "payments",
            "payment-notices",
            "write-offs",
            "bank-statements",
            "bank-lines",
            "receivables",
            "reminders",
            "invoice-links",
            "hosted-invoices",
            "whereabouts",
            "billing-coverage",
            "financial-health",
        ),
        "billing",
    ),
}
"""Which service owns a first path segment. What is not here does not exist."""


class ServiceAway(Exception):
    """A service did not answer."""

    def __init__(self, service: str) -> None:
        super().__init__(f"the {service} service did not answer; nothing is known to have changed")
        self.service = service

    def __str__(self) -> str:
        """Return which one, in the language spoken now."""
        return refusal(super().__str__())


class Refused(Exception):
    """A service refused; carries its problem document, as text it says why in the language spoken now."""

    def __init__(self, status: int, document: dict[str, Any]) -> None:
        super().__init__(str(document.get("detail") or document.get("title") or status))
        self.status = status
        self.document = document

    def __str__(self) -> str:
        """Return why."""
        return refusal(super().__str__())


class Answer:
    """What a service answered."""

    __slots__ = ("body", "content_type", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.content_type = headers.get("content-type", "")

    def json(self) -> Any:
        """Return the JSON body.

        Raises:
            Refused: the status is 400 or above.
        """
        document = orjson.loads(self.body) if self.body and "json" in self.content_type else {}
        if self.status >= 400:
            raise Refused(self.status, document if isinstance(document, dict) else {})
        return document


class Breaker:
    """Spares a service that does not answer, and everybody the wait: after some failures one request at a time tries."""

    def __init__(self) -> None:
        self._failures = 0
        self._closed_until = 0.0

    def lets_through(self) -> bool:
        """Return whether a request may try; while the service is away, one of them once in a while."""
        now = time.monotonic()
        if self._failures < FAILURES_MAX:
            return True
        if now < self._closed_until:
            return False
        self._closed_until = now + self._pause_seconds()
        return True

    def answered(self) -> None:
        """Note an answer, whatever it said."""
        self._failures = 0

    def failed(self) -> None:
        """Note that nothing answered."""
        self._failures += 1
        self._closed_until = time.monotonic() + self._pause_seconds()

    def _pause_seconds(self) -> float:
        return min(PAUSE_SECONDS * 2.0 ** min(self._failures - FAILURES_MAX, 8), PAUSE_SECONDS_MAX)


class Services:
    """Speaks HTTP to the services on behalf of a person."""

    def __init__(self, urls: Mapping[str, str], signer: Signer) -> None:
        self.urls = urls
        self.signer = signer
        self.breakers = {service: Breaker() for service in urls}
        self._session: aiohttp.ClientSession | None = None

    async def start(self) -> None:
        """Open the connection pool."""
        self._session = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=TIMEOUT_SECONDS, connect=CONNECT_SECONDS),
            # Shorter than the servers keep theirs: nothing is sent on a connection that is just being closed.
            connector=aiohttp.TCPConnector(limit=200, keepalive_timeout=KEEP_SECONDS),
            auto_decompress=False,
        )
        # By itself it would send PUT and DELETE twice when a service hangs up: what is tried again is decided in `send`.
        self._session._retry_connection = False  # noqa: SLF001 - there is no other way to say so

    async def stop(self) -> None:
        """Close the connection pool."""
        if self._session is not None:
            await self._session.close()

    async def send(
        self,
        caller: Caller,
        method: str,
        target: str,
        *,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one request; ``target`` is path and query, its first segment decides the service.

        Raises:
            KeyError: no service owns the path.
            ServiceAway: the service did not answer, or has not answered for a while.
            Forbidden: who views as a client changes nothing.
        """
        service = SERVICE_OF[target.split("?", 1)[0].split("/", 2)[1]]
        assert self._session is not None, "start() comes first"
        if caller.is_read_only and method not in SAFE_METHODS:
            raise Forbidden("who views the portal as a client changes nothing")
        breaker = self.breakers[service]
        if not breaker.lets_through():
            raise ServiceAway(service)
        sent = {
            "content-type": "application/json",
            **(headers or {}),
            HEADER: self.signer.sign(caller, audience=service, method=method, target=_seen(target), body=body),
            "x-request-id": telemetry.request_id.get(),
        }
        outgoing = telemetry.outgoing()
        if "traceparent" in outgoing:
            sent["traceparent"] = outgoing["traceparent"]
        url = URL(self.urls[service] + target, encoded=True)
        for attempt in (1, 2):
            try:
                async with self._session.request(
                    method, url, data=body or None, headers=sent, allow_redirects=False
                ) as answer:
                    read = Answer(answer.status, answer.headers, await answer.read())
                    breaker.answered()
                    return read
            except (aiohttp.ClientError, TimeoutError) as error:
                # A read may be repeated; anything else may have happened already.
                if attempt == 2 or method != "GET" or isinstance(error, TimeoutError):
                    breaker.failed()
                    raise ServiceAway(service) from error
        raise ServiceAway(service)

    async def documents(self) -> dict[str, dict[str, Any]]:
        """Return the OpenAPI documents of the services that answer, by their names."""
        assert self._session is not None, "start() comes first"
        found: dict[str, dict[str, Any]] = {}
        for service, url in self.urls.items():
            try:
                async with self._session.get(f"{url}/openapi.json") as answer:
                    found[service] = orjson.loads(await answer.read())
            except (aiohttp.ClientError, TimeoutError):
                continue
        return found

    async def get(self, caller: Caller, path: str, **query: Any) -> Any:
        """GET JSON; a list in the query is a repeated parameter.

        Raises:
            Refused, ServiceAway.
        """
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        target = f"{path}?{urlencode(given, doseq=True)}" if given else path
        return (await self.send(caller, "GET", target)).json()

    async def post(
        self,
        caller: Caller,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        method: str = "POST",
        revision: str | None = None,
    ) -> Any:
        """POST JSON; ``key`` is an Idempotency-Key, ``revision`` the state it was decided on.

        Raises:
            Refused, ServiceAway.
        """
        given = {"idempotency-key": key, "if-match": f'"{revision}"' if revision else None}
        headers = {name: _printable(value) for name, value in given.items() if value}
        content = orjson.dumps({} if body is None else body)
        return (await self.send(caller, method, path, body=content, headers=headers)).json()


def segment(text: str) -> str:
    """Return a text as one path segment, whatever it holds."""
    return quote(text, safe="")


def _printable(text: str) -> str:
    """Return a text of a form as a header may hold it: what no page of ours put there is no header of its own."""
    return "".join(character if " " <= character <= "~" else "?" for character in text)


def _seen(target: str) -> str:
    """Return the target as the service will see it: the path decoded, the query as it was sent."""
    path, mark, query = target.partition("?")
    decoded = URL(path, encoded=True).path
    return f"{decoded}{mark}{query}"
