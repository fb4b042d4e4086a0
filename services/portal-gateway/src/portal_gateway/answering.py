"""Problem documents of the API in the language a program asks for: English unless ``Accept-Language`` names another one of ours."""

from __future__ import annotations

from typing import Any

import orjson
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from msp_kit.problems import CONTENT_TYPE
from portal_gateway.language import DEFAULT, asked_for, speaking
from portal_gateway.prose import spoken
from portal_gateway.version import PREFIX


class Answering:
    """A layer around all that programs ask for; what is no problem, and what is asked for in English, passes untouched."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        language = _language(scope)
        if language == DEFAULT:
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def tell(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_problem(message):
                held.append(message)
            elif held:
                held.append(message)
                if not message.get("more_body"):
                    for one in _translated(held, language):
                        await send(one)
            else:
                await send(message)

        await self.app(scope, receive, tell)


def _language(scope: Scope) -> str:
    if scope["type"] != "http" or not scope["path"].startswith(f"{PREFIX}/"):
        return DEFAULT
    header = Headers(scope=scope).get("accept-language")
    return (asked_for(header) if header else None) or DEFAULT


def _is_problem(message: Message) -> bool:
    kind = Headers(raw=message["headers"]).get("content-type", "")
    return message["status"] >= 400 and kind.startswith(CONTENT_TYPE)


def _translated(held: list[Message], language: str) -> tuple[Message, Message]:
    """Return a problem in the language; one that cannot be read passes as it is."""
    start, body = held[0], b"".join(one.get("body", b"") for one in held[1:])
    try:
        document: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict):
        with speaking(language):
            body = orjson.dumps(spoken(document))
        headers = MutableHeaders(raw=list(start["headers"]))
        headers["content-length"] = str(len(body))
        headers["content-language"] = language
        headers.add_vary_header("accept-language")
        start = {**start, "headers": headers.raw}
    return start, {"type": "http.response.body", "body": body}
