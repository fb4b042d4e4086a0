"""What wakes by itself: forgetting what has ended, and sending mail."""

from __future__ import annotations

from datetime import timedelta

from msp_kit import telemetry
from msp_kit.database import Transaction
from msp_kit.jobs import Job
from portal_gateway import mail
from portal_gateway.actions import branding, notes

log = telemetry.logger(__name__)
ATTEMPTS_MAX = 12
_FORGET = Job("forget-old", 300, notes.forget_old)


def jobs(*, smtp_url: str, sender: str) -> tuple[Job, ...]:
    """Return the jobs of an installation; without a mail server none sends mail."""

    async def send_mail(tx: Transaction) -> bool:
        waiting = await notes.mail_to_send(tx)
        if waiting is None:
            return False
        look = await branding.current(tx, name="")
        try:
            await mail.send(
                smtp_url,
                sender=sender,
                sender_name=look.name,
                recipient=waiting["recipient"],
                subject=waiting["subject"],
                text=waiting["text"],
                message_id=str(waiting["id"]),
            )
        except mail.NotSent as error:
            log.warning("mail was not taken", mail_id=str(waiting["id"]), attempts=waiting["attempts"] + 1)
            pause = timedelta(seconds=min(30 * 2 ** waiting["attempts"], 6 * 3600))
            given_up = waiting["attempts"] + 1 >= ATTEMPTS_MAX
            due_at = tx.now + (timedelta(days=3650) if given_up else pause)
            await notes.mail_failed(tx, waiting["id"], error=str(error), due_at=due_at)
        else:
            await notes.mail_sent(tx, waiting["id"])
        return True

    return (_FORGET, Job("send-mail", 1, send_mail)) if smtp_url else (_FORGET,)
