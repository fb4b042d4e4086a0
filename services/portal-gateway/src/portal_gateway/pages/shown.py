"""How values are shown: hours, money, instants, timers. The only arithmetic of the pages."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime, format_skeleton

from msp_kernel.durations import hours_and_minutes, whole_minutes
from portal_gateway import words
from portal_gateway.language import decimal, gettext, locale, mark, ngettext, symbols
from portal_gateway.pages.amounts import amount, digits_of
from portal_gateway.prose import refusal
from portal_gateway.services import Refused

STATUS = {
    "new": (words.TICKET_STATUS["new"], "", ""),
    "open": (words.TICKET_STATUS["open"], "info", "loader-circle"),
    "waiting_on_client": (words.TICKET_STATUS["waiting_on_client"], "pause", "pause"),
    "waiting_on_vendor": (words.TICKET_STATUS["waiting_on_vendor"], "pause", "pause"),
    "scheduled": (words.TICKET_STATUS["scheduled"], "", "calendar"),
    "resolved": (words.TICKET_STATUS["resolved"], "ok", "circle-check"),
    "closed": (words.TICKET_STATUS["closed"], "", "check"),
}
CLIENT_STATUS = {
    **STATUS,
    "new": (mark("Received"), "", ""),
    "waiting_on_client": (mark("Waiting for you"), "risk", "hand"),
    "resolved": (mark("Resolved, confirm"), "ok", "circle-check"),
}
METRIC, PRIORITY = words.METRIC, words.PRIORITY
word, inside = words.word, words.inside

DAYS_AND_HOURS = mark("%(days)sd %(hours)sh")
"""How a countdown says days, on the page and in the browser."""
AT_RISK_SHARE = 4
"""A running timer is at risk in the last quarter of its budget, as the browser shows it too."""


def hours(minutes: int | None) -> str:
    """Return minutes as hours and minutes, with a real minus sign: ``21:45 h``."""
    return "–" if minutes is None else f"{hours_and_minutes(minutes, group=symbols()[1])} h"


def duration(minutes: int | None) -> str:
    """Return minutes in words: ``1 h 15 min``."""
    if minutes is None:
        return "–"
    whole, rest = divmod(minutes, 60)
    parts = [f"{whole} h"] if whole else []
    return " ".join([*parts, f"{rest} min"]) if rest or not whole else parts[0]


def size(count: int) -> str:
    """Return a number of bytes as people say it: ``840 B``, ``12 kB``, ``3.4 MB``."""
    if count < 1000:
        return f"{count} B"
    if count < 999_500:
        return f"{(count + 500) // 1000} kB"
    return decimal(f"{count // 1_000_000}.{count // 100_000 % 10} MB")


def money(minor: int | None, currency: str) -> str:
    """Return an amount with its currency, as people of the locale write it."""
    if minor is None:
        return "–"
    digits = digits_of(currency)
    # With the decimals of ISO 4217: what people use of some currencies is less (RSD), but invoices are to the last unit.
    shape = copy.copy(Locale.parse(locale()).currency_formats["standard"])
    shape.frac_prec = (digits, digits)
    text = shape.apply(Decimal(abs(minor)).scaleb(-digits), locale(), currency=currency, currency_digits=False)
    return f"\N{MINUS SIGN}{text}" if minor < 0 else str(text)


def minor_units(text: str, currency: str) -> int | None:
    """Return an amount as people type it in minor units, ``None`` when it is not one above zero."""
    return amount(text, currency) or None


def plain(minor: int, currency: str) -> str:
    """Return an amount as a form takes it: ``1250.50``, in German ``1250,50``."""
    digits = digits_of(currency)
    return decimal(f"{minor // 10**digits}.{minor % 10**digits:0{digits}}") if digits else str(minor)


def share(value: float | str | None) -> str:
    """Return a share in percent: ``98.3%``, in German ``98,3 %``."""
    return "–" if value is None else gettext("%(number)s%%") % {"number": decimal(str(value))}


def percent(basis_points: int) -> str:
    """Return basis points as per cent: ``12.5%``, in German ``12,5 %``."""
    whole, part = divmod(basis_points, 100)
    return share(f"{whole}{f'.{part:02}'.rstrip('0') if part else ''}")


def standing(invoice: Mapping[str, Any], today: date) -> tuple[str, str]:
    """Return how an invoice stands in a word, and its tone: due, part paid, overdue, paid, credited."""
    if invoice["status"] != "issued":
        return gettext("Draft"), ""
    if invoice["kind"] == "credit_note":
        return gettext("Credit note"), ""
    left, gross = invoice["open_minor"], invoice["gross_minor"]
    credited = invoice.get("credited_minor", 0)
    if not left:
        return (gettext("Credited"), "") if credited and credited >= gross else (gettext("Paid"), "ok")
    if date.fromisoformat(invoice["due_on"]) < today:
        return gettext("Overdue"), "breach"
    return (gettext("Part paid"), "info") if left < gross - credited else (gettext("Due"), "info")


def instant(value: str | datetime | None) -> datetime | None:
    """Return an instant from its JSON text."""
    if value is None or isinstance(value, datetime):
        return value
    return datetime.fromisoformat(value)


def needed(value: str | datetime) -> datetime:
    """Return an instant that is never missing."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)


def clock_time(value: str | datetime, zone: str, now: datetime) -> str:
    """Return a time of day, with the day when it is not today: ``15:56``, ``Mon 15:56``, ``5 Oct 15:56``."""
    local, today = needed(value).astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    days = abs((local.date() - today).days)
    if not days:
        return f"{local:%H:%M}"
    return f"{_named(local, 'EEE' if days < 7 else 'MMMd')} {local:%H:%M}"


def when(value: str | datetime | None, zone: str, now: datetime) -> str:
    """Return an instant the short way: ``14:30`` today, ``Mon 14:30`` near, ``5 Oct 2026`` far."""
    at = instant(value)
    if at is None:
        return "–"
    local, today = at.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone)).date()
    days = (local.date() - today).days
    if days == 0:
        return gettext("today %(time)s") % {"time": f"{local:%H:%M}"}
    if days == 1:
        return gettext("tomorrow %(time)s") % {"time": f"{local:%H:%M}"}
    if abs(days) < 7:
        return f"{_named(local, 'EEE')} {local:%H:%M}"
    return str(format_skeleton("yMMMd", local.date(), locale=locale()))


def full(value: str | datetime | None, zone: str) -> str:
    """Return an instant in full, for titles."""
    at = instant(value)
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(zone))
    time = format_datetime(local, "HH:mm:ss zzz", tzinfo=ZoneInfo(zone), locale=locale())
    return f"{format_date(local.date(), 'full', locale=locale())}, {time}"


def local(value: str, zone: str) -> str:
    """Return day and time in a zone: ``Mon 5 Oct 2026, 14:30``."""
    at = needed(value).astimezone(ZoneInfo(zone))
    return f"{_named(at, 'EEE')} {day(at.date())}, {at:%H:%M}"


def day(value: str | date | None) -> str:
    """Return a day: ``5 Oct 2026``."""
    if value is None:
        return "–"
    on = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return str(format_skeleton("yMMMd", on, locale=locale()))


_GERMAN_DAY = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})")


def typed_day(text: str) -> str:
    """Return a day somebody typed as services write it: in German ``24.12.2026`` is ``2026-12-24``; anything else as it is."""
    found = _GERMAN_DAY.fullmatch(text) if locale().startswith("de") else None
    return f"{found[3]}-{found[2]:0>2}-{found[1]:0>2}" if found else text


def as_typed(on: str) -> str:
    """Return a day as people of the language type it: ``2026-12-24``, in German ``24.12.2026``."""
    return f"{date.fromisoformat(on):%d.%m.%Y}" if locale().startswith("de") else on


def typed_instant(text: str) -> str:
    """Return a weekday and a time as services take it: in German ``So 10:00`` is ``Sun 10:00``; anything else as it is."""
    day, _, time = text.strip().partition(" ")
    codes = {gettext(code): code for code in words.DAYS}
    return f"{codes[day]} {time}" if time and day in codes else text


def until(ends_on: str) -> str:
    """Return the last day of a period that is over before ``ends_on``."""
    return day(date.fromisoformat(ends_on) - timedelta(days=1))


def ago(value: str | datetime | None, now: datetime) -> str:
    """Return how long ago something was: ``6 min ago``."""
    at = instant(value)
    if at is None:
        return "–"
    minutes = max(0, int((now - at).total_seconds() // 60))
    if not minutes:
        return gettext("just now")
    if minutes < 60:
        return gettext("%(count)s min ago") % {"count": minutes}
    if minutes < 60 * 24:
        return gettext("%(count)s h ago") % {"count": minutes // 60}
    days = minutes // 1440
    return ngettext("%(num)s d ago", "%(num)s d ago", days) % {"num": days}


def _named(local: datetime, skeleton: str) -> str:
    return str(format_skeleton(skeleton, local.date(), locale=locale()))


def month(first: date) -> str:
    """Return a month: ``October 2026``."""
    return str(format_skeleton("yMMMM", first, locale=locale()))


def timer(clock: Mapping[str, Any] | None, now: datetime) -> dict[str, Any] | None:
    """Return what the timer element needs: state, allowance, due or remaining seconds, and a text without script."""
    if clock is None:
        return None
    total = clock["budget_minutes"] * 60
    made: dict[str, Any] = {
        "total": total,
        "due": None,
        "remaining": None,
        "label": "",
        "verdict": clock["verdict"],
        "text": "",
    }
    if clock["status"] == "stopped":
        word = {"met": gettext("Met"), "missed": gettext("Missed")}.get(clock["verdict"] or "", gettext("Not counted"))
        return {**made, "state": "met" if clock["verdict"] == "met" else "stopped", "label": word}
    due = instant(clock["due_at"])
    left = int((due - now).total_seconds()) if due is not None else clock["remaining_seconds"]
    if clock["status"] == "paused":
        return {**made, "state": "paused", "remaining": left, "text": countdown(left)}
    state = "breached" if clock["is_breached"] or left <= 0 else "risk" if left <= total // AT_RISK_SHARE else "running"
    return {**made, "state": state, "due": clock["due_at"], "text": countdown(left)}


def countdown(seconds: int) -> str:
    """Return a countdown: ``1:24:08``, ``09:22``, ``2d 04h``."""
    sign, whole = ("\N{MINUS SIGN}" if seconds < 0 else ""), abs(seconds)
    days, hours_left, minutes = whole // 86_400, whole % 86_400 // 3600, whole % 3600 // 60
    if days:
        return sign + gettext(DAYS_AND_HOURS) % {"days": days, "hours": f"{hours_left:02}"}
    if hours_left:
        return f"{sign}{hours_left}:{minutes:02}:{whole % 60:02}"
    return f"{sign}{minutes:02}:{whole % 60:02}"


def person(name: str | None) -> dict[str, Any] | None:
    """Return initials and a steady colour for a name."""
    if not name:
        return None
    words = name.split()
    initials = (words[0][0] + (words[-1][0] if len(words) > 1 else "")).upper()
    return {"n": name, "i": initials, "c": crc32(name.encode()) % 6 + 1}


def parse_duration(text: str) -> int | None:
    """Return the minutes of a quick input, ``None`` when it is not one.

    ``45m``, ``45``, ``1h15``, ``1h 15m``, ``1:15``, ``1.25`` (hours), ``2h``, ``14:00-14:45``; 1 minute to 24 hours.
    """
    given = text.strip().lower().replace(" ", "").replace(",", ".")
    if "-" in given:
        begins, _, ends = given.partition("-")
        first, last = _clock(begins), _clock(ends)
        return None if first is None or last is None else _bounded((last - first) % 1440)
    if ":" in given:
        return _bounded(_clock(given))
    if "h" in given:
        whole, _, rest = given.partition("h")
        rest = rest.removesuffix("min").removesuffix("m") or "0"
        if not (_is_count(whole) and _is_count(rest)) or int(rest) >= 60:
            return None
        return _bounded(int(whole) * 60 + int(rest))
    if "." in given:
        whole, _, part = given.partition(".")
        if not (_is_count(whole or "0") and _is_count(part)) or len(part) > 2:
            return None
        return _bounded(int(whole or "0") * 60 + (int(part.ljust(2, "0")) * 60 + 50) // 100)
    minutes = given.removesuffix("min").removesuffix("m")
    return _bounded(int(minutes)) if _is_count(minutes) else None


def effort(text: str) -> int | None:
    """Return the minutes of an effort, ``None`` when it is not one: ``40h``, ``12h30``, ``90m``, ``1.5`` or ``40`` (hours)."""
    given = text.strip().lower().replace(" ", "").replace(",", ".").removesuffix("in")
    if given.endswith("m") and "h" not in given:
        return int(given[:-1]) or None if _is_count(given[:-1]) else None
    whole, has_h, rest = given.partition("h")
    if has_h and rest:
        rest = rest.removesuffix("m")
        return int(whole) * 60 + int(rest) or None if _is_count(whole) and _is_count(rest) and int(rest) < 60 else None
    whole, _, part = whole.partition(".")
    if not (_is_count(whole or "0") and _is_count(part or "0")) or len(part) > 2 or not whole + part:
        return None
    return int(whole or "0") * 60 + (int(part.ljust(2, "0")) * 60 + 50) // 100 or None


def exact_minutes(text: str) -> int | None:
    """Return the minutes of hours as people type them, ``None`` when they are not exact: ``1:20``, ``1.25``, in German ``1,25``."""
    if ":" in text:
        return whole_minutes(text)
    # Hours with two decimals are hundredths, as pounds with two decimals are pence.
    hundredths = minor_units(text, "GBP")
    return None if hundredths is None or hundredths * 60 % 100 else hundredths * 60 // 100


def as_effort(minutes: int | None) -> str:
    """Return an effort as a form takes it: ``12h30``, ``45m``, ``2h``."""
    if not minutes:
        return ""
    whole, rest = divmod(minutes, 60)
    return f"{whole}h{rest:02}" if whole and rest else f"{whole}h" if whole else f"{rest}m"


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4


def _clock(text: str) -> int | None:
    whole, _, rest = text.partition(":")
    if not (_is_count(whole) and _is_count(rest)) or int(rest) >= 60 or int(whole) > 24:
        return None
    return int(whole) * 60 + int(rest)


def _bounded(minutes: int | None) -> int | None:
    return minutes if minutes is not None and 1 <= minutes <= 1440 else None


def roles(codes: Iterable[str]) -> str:
    """Return roles as people say them."""
    return ", ".join(gettext(words.ROLES.get(one, one)) for one in sorted(codes))


def now() -> datetime:
    """Return the instant a page is made: countdowns are corrected to it in the browser."""
    return datetime.now(UTC)


def why(said: str, reason: object) -> str:
    """Return what did not happen, and why."""
    return f"{said} {reason}"


def said(refused: Refused) -> str:
    """Return what is wrong, with its places when they are known."""
    errors = refused.document.get("errors") or []
    return "; ".join(f"{one['pointer'].removeprefix('/body/')}: {refusal(one['detail'])}" for one in errors) or str(
        refused
    )
