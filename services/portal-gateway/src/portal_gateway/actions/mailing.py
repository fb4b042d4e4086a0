"""Mail that leaves: what waits is written into one mail per person, and a mail is sent, once where it says so.

Mail about what happens is rather lost than sent twice: who sends it claims it first, in a transaction of its own, and
what may have been taken is not tried again (ADR 0054). What was surely not taken is.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit import telemetry
from msp_kit.database import Transaction
from portal_gateway import mail, wording
from portal_gateway.actions import branding
from portal_gateway.house import House
from portal_gateway.language import gettext, ngettext, speaking
from portal_gateway.notices import NEWS
from portal_gateway.sealing import SealBroken
from portal_gateway.store import notes, notices as store

log = telemetry.logger(__name__)
ATTEMPTS_MAX = 12
MAIL_FACTS_MAX = 50
_PURPOSE = "unsubscribe"


async def write_mail(tx: Transaction, *, house: House) -> bool:
    """Write one mail about all that is due for one person; return whether there may be more."""
    person, due = await store.mail_due(tx, limit=MAIL_FACTS_MAX)
    if person is None:
        return False
    telling = (await store.tellings(tx, [person.id]))[person.id]
    news = [one for one in due if tx.now - one["at"] <= NEWS]
    if telling.is_quiet(tx.now):
        # It was late; the night has come in the meantime.
        waits = [one["id"] for one in news if not one["is_critical"]]
        await store.put_off_mail(tx, waits, due_at=telling.after_quiet(tx.now))
        news = [one for one in news if one["is_critical"]]
    if news and not telling.refusal:
        stop = f"{house.public_url}/unsubscribe/{unsubscribe_token(house, person.id)}"
        look = await branding.current(tx, name=house.brand)
        with speaking(person.language or look.language):
            subject, text = _written(news, name=person.display_name, house=house, brand=look.name, stop=stop)
        await notes.add_mail(
            tx,
            recipient=person.email,
            subject=subject,
            text=text,
            due_at=tx.now,
            person_id=person.id,
            unsubscribe=stop,
            is_once=True,
        )
        await store.mailed(tx, [one["id"] for one in news])
    return True


def unsubscribe_token(house: House, person_id: UUID) -> str:
    """Return what stops the mail of one person, and nothing else; nobody else can make it."""
    return base64.urlsafe_b64encode(house.sealer.seal(person_id.bytes, purpose=_PURPOSE)).decode().rstrip("=")


def unsubscribing(house: House, token: str) -> UUID | None:
    """Return whose mail a token stops; ``None`` when we did not make it."""
    try:
        sealed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        return UUID(bytes=house.sealer.open(sealed, purpose=_PURPOSE))
    except (binascii.Error, ValueError, SealBroken):
        return None


def _written(news: list[dict[str, Any]], *, name: str, house: House, brand: str, stop: str) -> tuple[str, str]:
    """Return subject and text: what is about one thing stands together, in the order in which it happened."""
    together: dict[str, list[str]] = {}
    links = {}
    for one in news:
        said = wording.sentence(one["kind"], one["words"], client=one["client_name"])
        lines = together.setdefault(one["about"], [])
        lines += [] if said in lines else [said]
        links[one["about"]] = f"{house.public_url}{one['link']}"
    parts = ["\n".join([*(f"- {line}" for line in lines), f"  {links[about]}"]) for about, lines in together.items()]
    count = len(together)
    many = ngettext("%(count)s piece of news at %(brand)s", "%(count)s pieces of news at %(brand)s", count)
    subject = said if count == 1 else many % {"count": count, "brand": brand}
    settings = f"{house.public_url}/settings/notifications"
    why = gettext("You get this mail because of your notification settings: %(settings)s") % {"settings": settings}
    no_more = gettext("No more mail about what happens: %(stop)s") % {"stop": stop}
    hello = gettext("Hello %(name)s,") % {"name": wording.one_line(name)}
    return wording.one_line(subject), "\n\n".join((hello, *parts, f"-- \n{why}\n{no_more}")) + "\n"


@dataclass
class Sender:
    """Sends mail, one at a time; remembers only which one it claimed."""

    smtp_url: str
    sender: str
    claim: UUID | None = None

    def has_begun(self) -> bool:
        """Return whether a mail is claimed: nobody else will ever send it."""
        return self.claim is not None

    async def tick(self, tx: Transaction) -> bool:
        """Send one mail, or claim one that may leave only once; return whether there may be more."""
        claim, self.claim = self.claim, None
        waiting = await (notes.mail_to_send(tx) if claim is None else notes.claimed_mail(tx, claim=claim))
        if waiting is None:
            return claim is not None
        if waiting["is_once"] and claim is None:
            self.claim = new_id()
            await notes.claim_mail(tx, waiting["id"], claim=self.claim)
            return True
        look = await branding.current(tx, name="")
        try:
            await mail.send(
                self.smtp_url,
                sender=self.sender,
                sender_name=look.name,
                recipient=waiting["recipient"],
                subject=wording.one_line(waiting["subject"]),
                text=waiting["text"],
                message_id=str(waiting["id"]),
                unsubscribe=waiting["unsubscribe"],
            )
        except mail.NotSent as error:
            await _not_sent(tx, waiting, error)
        else:
            await notes.mail_settled(tx, waiting["id"], outcome="sent")
        return True


async def _not_sent(tx: Transaction, waiting: Any, error: mail.NotSent) -> None:
    attempts = waiting["attempts"] + (0 if waiting["is_once"] else 1)
    log.warning("mail was not taken", mail_id=str(waiting["id"]), attempts=attempts)
    if waiting["is_once"] and error.was_perhaps_taken:
        await notes.mail_settled(tx, waiting["id"], outcome="unknown", error=str(error))
    elif waiting["is_once"] and error.is_final:
        await notes.mail_settled(tx, waiting["id"], outcome="refused", error=str(error))
        if waiting["person_id"] is not None:
            await store.address_refused(tx, waiting["person_id"], text=str(error))
    elif attempts >= ATTEMPTS_MAX:
        await notes.mail_settled(tx, waiting["id"], outcome="given-up", error=str(error))
    else:
        pause = timedelta(seconds=min(30 * 2 ** (attempts - 1), 6 * 3600))
        await notes.mail_failed(tx, waiting["id"], error=str(error), due_at=tx.now + pause)
