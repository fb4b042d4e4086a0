"""Headers every answer has, whoever made it: pages and files say more, nothing says less."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

YEAR_SECONDS = 31_536_000
ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"same-origin"),
)
ENCRYPTED = (b"strict-transport-security", f"max-age={YEAR_SECONDS}; includeSubDomains".encode())


class Armour:
    """The outermost layer."""

    def __init__(self, app: ASGIApp, *, is_encrypted: bool) -> None:
        self.app = app
        self.headers = (*ALWAYS, ENCRYPTED) if is_encrypted else ALWAYS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_armoured(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message.get("headers", ())
                names = {name.lower() for name, _ in given}
                message["headers"] = [*given, *(one for one in self.headers if one[0] not in names)]
            await send(message)

        await self.app(scope, receive, send_armoured)
