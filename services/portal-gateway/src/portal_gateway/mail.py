"""Mail that leaves the house: one message over SMTP, in a thread."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formataddr
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

TIMEOUT_SECONDS = 20
_FINAL_FROM = HTTPStatus.INTERNAL_SERVER_ERROR.value
"""From 500 on a mail server means it for good."""


class NotSent(Exception):
    """The mail server did not take the message, or nobody knows whether it did."""

    def __init__(self, said: str, *, is_final: bool = False, was_perhaps_taken: bool = False) -> None:
        super().__init__(said)
        self.is_final = is_final
        """The address was refused for good."""
        self.was_perhaps_taken = was_perhaps_taken
        """The connection ended while the message was on its way."""


async def send(
    smtp_url: str,
    *,
    sender: str,
    recipient: str,
    subject: str,
    text: str,
    message_id: str,
    sender_name: str = "",
    unsubscribe: str = "",
) -> None:
    """Send one message, in the name of the house when it has one; ``unsubscribe`` stops further ones (RFC 8058).

    Raises:
        NotSent: the server did not take it, with what it said; or the connection was lost on the way.
    """
    message = EmailMessage()
    message["From"] = formataddr((sender_name, sender))
    message["To"] = recipient
    message["Subject"] = subject
    message["Message-ID"] = f"<{message_id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        message["List-Unsubscribe"] = f"<{unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(text)
    await asyncio.to_thread(_send, smtp_url, message)


def _send(smtp_url: str, message: EmailMessage) -> None:
    try:
        server = _connected(smtp_url)
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(repr(error)) from error
    try:
        with server:
            server.send_message(message)
    except smtplib.SMTPResponseException as error:
        raise NotSent(repr(error)) from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = [code for code, _ in error.recipients.values()]
        raise NotSent(repr(error), is_final=min(codes) >= _FINAL_FROM) from error
    except (OSError, smtplib.SMTPException) as error:
        raise NotSent(repr(error), was_perhaps_taken=True) from error


def _connected(smtp_url: str) -> smtplib.SMTP:
    parts = urlsplit(smtp_url)
    host = parts.hostname or "localhost"
    context = ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, parts.port or 465, timeout=TIMEOUT_SECONDS, context=context)
    else:
        server = smtplib.SMTP(host, parts.port or 25, timeout=TIMEOUT_SECONDS)
    try:
        server.ehlo()
        if parts.scheme != "smtps" and server.has_extn("starttls"):
            server.starttls(context=context)
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except BaseException:
        server.close()
        raise
    return server
