"""A real SMTP server that keeps what it takes, or refuses, and the jobs that write and send mail, for tests."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from door import Door

from msp_kit.database import SYSTEM, Transaction
from msp_kit.jobs import Job
from portal_gateway.jobs import jobs


@dataclass
class Postbox:
    url: str = ""
    taken: list[EmailMessage] = field(default_factory=list)
    refuses_recipients_with: str = ""
    refuses_messages_with: str = ""
    hangs_up_after_taking: bool = False

    async def handle_RCPT(  # noqa: N802 - the server calls it
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if self.refuses_recipients_with:
            return self.refuses_recipients_with
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 - the server calls it
        if self.refuses_messages_with:
            return self.refuses_messages_with
        self.taken.append(message_from_bytes(envelope.content, policy=policy.default))
        if self.hangs_up_after_taking:
            server.transport.abort()
        return "250 OK"


@contextlib.contextmanager
def a_postbox() -> Iterator[Postbox]:
    made = Postbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(made, hostname="127.0.0.1", port=port)
    controller.start()
    made.url = f"smtp://127.0.0.1:{port}"
    try:
        yield made
    finally:
        controller.stop()


@dataclass
class Office:
    """One process that writes and sends mail."""

    door: Door
    jobs: dict[str, Job]

    async def tick(self, name: str) -> bool:
        async with self.door.database.transaction(SYSTEM) as tx:
            return await self.jobs[name].tick(tx)

    async def work(self) -> None:
        """Write and send until nothing is left to do."""
        for name in ("write-mail", "send-mail"):
            while await self.tick(name):
                pass

    async def die_while(self, name: str) -> None:
        """Do the work of one tick, and lose the process before it could commit."""
        with contextlib.suppress(ConnectionAbortedError):
            async with self.door.database.transaction(SYSTEM) as tx:
                await self._and_die(tx, name)

    async def _and_die(self, tx: Transaction, name: str) -> None:
        await self.jobs[name].tick(tx)
        raise ConnectionAbortedError


def an_office(door: Door, url: str) -> Office:
    made = jobs(smtp_url=url, sender="support@meridian.example", house=door.app.state.house)
    return Office(door, {one.name: one for one in made})
