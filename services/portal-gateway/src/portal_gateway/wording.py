"""What a notification says, in the language spoken now. Words only: nothing here decides who hears it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

from portal_gateway.language import gettext, locale, mark

LINE_MAX = 180
SENTENCES: Mapping[str, str] = {
    "assigned": mark("%(ref)s was given to you: %(title)s"),
    "mentioned": mark("You were named in a note on %(ref)s: %(title)s"),
    "client-replied": mark("The client answered on %(ref)s: %(title)s"),
    "sla-risk": mark("%(percent)s %% of the time for the %(metric)s of %(ref)s is used: %(title)s"),
    "sla-breach": mark("The %(metric)s of %(ref)s is late: %(title)s"),
    "bucket-low": mark("%(client)s: %(left)s of %(granted)s are left in the bucket"),
    "bucket-forecast": mark("%(client)s: the bucket lasts until %(day)s, the period ends on %(ends)s"),
    "approval-waiting": mark("%(client)s: %(minutes)s beyond the bucket wait for the client's approval"),
    "time-waiting": mark("%(minutes)s of submitted time wait for your approval; the month ends on %(ends)s"),
    "time-unsubmitted": mark("The month ends on %(ends)s, and %(minutes)s of your time are not submitted"),
    "run-ready": mark("The invoice run %(day)s to %(ends)s waits for review: %(drafted)s drafted, %(blocked)s blocked"),
    "run-finished": mark("The invoice run %(day)s to %(ends)s is finished: %(issued)s issued"),
    "import-finished": mark("Import of %(what)s finished: %(taken)s taken, %(refused)s with errors"),
    "answer-needed": mark("%(ref)s waits for your answer: %(title)s"),
    "answered": mark("Support answered on %(ref)s: %(title)s"),
    "ticket-status": mark("%(ref)s is now %(status)s: %(title)s"),
    "bucket-used": mark("%(percent)s %% of your hours are used, %(left)s of %(granted)s are left"),
    "invoice-issued": mark("Invoice %(number)s over %(money)s, due on %(day)s"),
    "invoice-overdue": mark("Invoice %(number)s is overdue since %(day)s, %(money)s is open"),
    "approval-needed": mark("%(minutes)s of work beyond your hours wait for your approval"),
}
TITLES: Mapping[str, str] = {
    "assigned": mark("A ticket was given to me"),
    "mentioned": mark("I was named in a note"),
    "client-replied": mark("The client answered on my ticket"),
    "sla-risk": mark("A promise on my ticket is at risk"),
    "sla-breach": mark("A promise was broken (mine; all, for managers)"),
    "bucket-low": mark("A bucket is nearly used up (managers)"),
    "bucket-forecast": mark("A bucket will not last the period (managers)"),
    "approval-waiting": mark("Work waits for a client's approval (managers)"),
    "time-waiting": mark("Submitted time waits for my approval (managers)"),
    "time-unsubmitted": mark("A month is nearly over and not all of my time is submitted"),
    "run-ready": mark("An invoice run waits for review (managers, finance)"),
    "run-finished": mark("An invoice run is finished (managers, finance)"),
    "import-finished": mark("An import is finished (mine; all, for managers)"),
    "answer-needed": mark("My answer is needed"),
    "answered": mark("Support answered"),
    "ticket-status": mark("The status of my ticket changed"),
    "bucket-used": mark("Much of our hours is used (75, 90, 100 percent)"),
    "invoice-issued": mark("An invoice was issued"),
    "invoice-overdue": mark("An invoice is overdue"),
    "approval-needed": mark("Work waits for our approval"),
}
"""What the kinds are called where somebody chooses."""
_WORDS: Mapping[str, str] = {
    "first_response": mark("first response"),
    "next_response": mark("next response"),
    "resolution": mark("resolution"),
    "open": mark("in progress"),
    "waiting_on_vendor": mark("waiting for a supplier"),
    "scheduled": mark("scheduled"),
    "resolved": mark("resolved"),
    "closed": mark("closed"),
    "tickets": mark("tickets"),
    "agents": mark("agents"),
    "projects": mark("projects"),
}


def sentence(kind: str, words: Mapping[str, Any], *, client: str = "") -> str:
    """Return one line that says what happened."""
    said: dict[str, Any] = {**words, "client": client, "ref": words.get("ref") or gettext("a ticket")}
    for name in ("left", "granted", "minutes"):
        if name in words:
            said[name] = _duration(words[name])
    for name in ("day", "ends"):
        if name in words:
            day = words[name]
            said[name] = format_date(date.fromisoformat(day), "long", locale=locale()) if day else "–"
    for name in ("metric", "status", "what"):
        if name in words:
            said[name] = gettext(_WORDS.get(words[name], words[name]))
    if words.get("minor") is not None:
        said["money"] = _money(words["minor"], words["currency"])
    return one_line((gettext(SENTENCES[kind]) % said).removesuffix(": "))


def one_line(text: str) -> str:
    """Return a text that fits into a header: one line, no control or invisible characters, not endless."""
    plain = "".join(one if unicodedata.category(one)[0] not in "CZ" else " " for one in text)
    plain = re.sub(r" +", " ", plain).strip()
    return plain if len(plain) <= LINE_MAX else f"{plain[: LINE_MAX - 1].rstrip()}…"


def _money(minor: int, currency: str) -> str:
    return str(format_currency(Decimal(minor).scaleb(-get_currency_precision(currency)), currency, locale=locale()))


def _duration(minutes: int) -> str:
    whole, rest = divmod(minutes, 60)
    parts = [f"{whole} h"] if whole else []
    return " ".join([*parts, f"{rest} min"]) if rest or not whole else parts[0]
