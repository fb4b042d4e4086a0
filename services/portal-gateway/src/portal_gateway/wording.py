"""What a notification says, in the person's language. Words only: nothing here decides who hears it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from babel.dates import format_date
from babel.numbers import format_currency, get_currency_precision

LOCALES = {"en": "en_GB", "de": "de_DE"}
LINE_MAX = 180
SENTENCES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "assigned": "{ref} was given to you: {title}",
        "mentioned": "You were named in a note on {ref}: {title}",
        "client-replied": "The client answered on {ref}: {title}",
        "sla-risk": "{percent} % of the time for the {metric} of {ref} is used: {title}",
        "sla-breach": "The {metric} of {ref} is late: {title}",
        "bucket-low": "{client}: {left} of {granted} are left in the bucket",
        "bucket-forecast": "{client}: the bucket lasts until {day}, the period ends on {ends}",
        "approval-waiting": "{client}: {minutes} beyond the bucket wait for the client's approval",
        "answer-needed": "{ref} waits for your answer: {title}",
        "answered": "Support answered on {ref}: {title}",
        "ticket-status": "{ref} is now {status}: {title}",
        "bucket-used": "{percent} % of your hours are used, {left} of {granted} are left",
        "invoice-issued": "Invoice {number} over {money}, due on {day}",
        "invoice-overdue": "Invoice {number} is overdue since {day}, {money} is open",
        "approval-needed": "{minutes} of work beyond your hours wait for your approval",
        "first_response": "first response",
        "next_response": "next response",
        "resolution": "resolution",
        "open": "in progress",
        "waiting_on_vendor": "waiting for a supplier",
        "scheduled": "scheduled",
        "resolved": "resolved",
        "closed": "closed",
        "a ticket": "a ticket",
        "hello": "Hello {name},",
        "many": "{count} news at {brand}",
        "why": "You get this mail because of your notification settings: {settings}",
        "stop": "No more mail about what happens: {stop}",
    },
    "de": {
        "assigned": "{ref} wurde Ihnen zugewiesen: {title}",
        "mentioned": "Sie wurden in einer Notiz zu {ref} genannt: {title}",
        "client-replied": "Der Kunde hat auf {ref} geantwortet: {title}",
        "sla-risk": "{percent} % der Zeit für die {metric} von {ref} sind verbraucht: {title}",
        "sla-breach": "Die {metric} von {ref} ist überfällig: {title}",
        "bucket-low": "{client}: {left} von {granted} sind im Kontingent übrig",
        "bucket-forecast": "{client}: Das Kontingent reicht bis {day}, der Zeitraum endet am {ends}",
        "approval-waiting": "{client}: {minutes} über das Kontingent hinaus warten auf die Freigabe des Kunden",
        "answer-needed": "{ref} wartet auf Ihre Antwort: {title}",
        "answered": "Der Support hat auf {ref} geantwortet: {title}",
        "ticket-status": "{ref} ist jetzt {status}: {title}",
        "bucket-used": "{percent} % Ihrer Stunden sind verbraucht, {left} von {granted} sind übrig",
        "invoice-issued": "Rechnung {number} über {money}, fällig am {day}",
        "invoice-overdue": "Rechnung {number} ist seit {day} überfällig, {money} sind offen",
        "approval-needed": "{minutes} Arbeit über Ihre Stunden hinaus warten auf Ihre Freigabe",
        "first_response": "erste Antwort",
        "next_response": "nächste Antwort",
        "resolution": "Lösung",
        "open": "in Bearbeitung",
        "waiting_on_vendor": "wartet auf einen Lieferanten",
        "scheduled": "eingeplant",
        "resolved": "gelöst",
        "closed": "geschlossen",
        "a ticket": "ein Ticket",
        "hello": "Guten Tag {name},",
        "many": "{count} Neuigkeiten bei {brand}",
        "why": "Sie erhalten diese Mail wegen Ihrer Einstellungen für Benachrichtigungen: {settings}",
        "stop": "Keine Mails mehr über Ereignisse: {stop}",
    },
}
TITLES = {
    "assigned": "A ticket was given to me",
    "mentioned": "I was named in a note",
    "client-replied": "The client answered on my ticket",
    "sla-risk": "A promise on my ticket is at risk (75 %, 90 %)",
    "sla-breach": "A promise was broken (mine; all, for managers)",
    "bucket-low": "A bucket is under 20 % (managers)",
    "bucket-forecast": "A bucket will not last the period (managers)",
    "approval-waiting": "Work waits for a client's approval (managers)",
    "answer-needed": "My answer is needed",
    "answered": "Support answered",
    "ticket-status": "The status of my ticket changed",
    "bucket-used": "75, 90 or 100 % of our hours are used",
    "invoice-issued": "An invoice was issued",
    "invoice-overdue": "An invoice is overdue",
    "approval-needed": "Work waits for our approval",
}
"""What the kinds are called where somebody chooses."""


def sentence(kind: str, words: Mapping[str, Any], *, language: str = "en", client: str = "") -> str:
    """Return one line that says what happened."""
    own = SENTENCES[language]
    locale = LOCALES[language]
    said: dict[str, Any] = {**words, "client": client, "ref": words.get("ref") or own["a ticket"]}
    for name in ("left", "granted", "minutes"):
        if name in words:
            said[name] = _duration(words[name])
    for name in ("day", "ends"):
        if name in words:
            said[name] = format_date(date.fromisoformat(words[name]), "long", locale=locale) if words[name] else "–"
    for name in ("metric", "status"):
        if name in words:
            said[name] = own.get(words[name], words[name])
    if words.get("minor") is not None:
        said["money"] = _money(words["minor"], words["currency"], locale)
    return one_line(own[kind].format_map(said).removesuffix(": "))


def one_line(text: str) -> str:
    """Return a text that fits into a header: one line, no control or invisible characters, not endless."""
    plain = "".join(one if unicodedata.category(one)[0] not in "CZ" else " " for one in text)
    plain = re.sub(r" +", " ", plain).strip()
    return plain if len(plain) <= LINE_MAX else f"{plain[: LINE_MAX - 1].rstrip()}…"


def phrase(which: str, *, language: str, **words: Any) -> str:
    """Return a phrase of a mail."""
    return SENTENCES[language][which].format_map(words)


def _money(minor: int, currency: str, locale: str) -> str:
    return str(format_currency(Decimal(minor).scaleb(-get_currency_precision(currency)), currency, locale=locale))


def _duration(minutes: int) -> str:
    whole, rest = divmod(minutes, 60)
    parts = [f"{whole} h"] if whole else []
    return " ".join([*parts, f"{rest} min"]) if rest or not whole else parts[0]
