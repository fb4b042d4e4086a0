"""What wakes by itself: forgetting what has ended, what was put off, writing and sending mail."""

from __future__ import annotations

from functools import partial

from msp_kit.jobs import Job
from portal_gateway.actions import mailing, notes, notices, people
from portal_gateway.house import House

_ALWAYS = (Job("forget-old", 300, notes.forget_old), Job("wake", 2, notices.wake))


def jobs(*, smtp_url: str, sender: str, house: House) -> tuple[Job, ...]:
    """Return the jobs of an installation; without a mail server none writes or sends mail."""
    if not smtp_url:
        return _ALWAYS
    sending = mailing.Sender(smtp_url, sender)
    return (
        *_ALWAYS,
        Job("answer-resets", 1, partial(people.answer_reset, house=house)),
        Job("write-mail", 2, partial(mailing.write_mail, house=house)),
        Job("send-mail", 1, sending.tick, has_begun=sending.has_begun),
    )
