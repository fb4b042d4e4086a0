"""The PDF of an invoice: PDF/A-3b by typst, the same bytes for the same invoice.

Texts of people reach the template as JSON values, never as markup; fonts come with the library, not from the machine.
"""

from __future__ import annotations

import functools
import json
import threading
from datetime import date, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import typst
from babel.numbers import format_currency, get_currency_precision

_lock = threading.Lock()
LOCALE = "en_GB"
FORGET_AFTER = 10
"""How many runs typst remembers what it has laid out: some 100 kB for every time entry of an invoice."""


def render(content: dict[str, Any]) -> bytes:
    """Return the PDF of an invoice's content; without a number it is marked as a draft."""
    values = json.dumps(_values(content), ensure_ascii=False)
    # The compiler keeps state between runs; one at a time.
    with _lock:
        made: bytes = _compiler("invoice.typ").compile(
            format="pdf", sys_inputs={"data": values}, pdf_standards=["a-3b"]
        )
        # No two invoices are alike: remembering ten long ones would only cost memory, some 900 MB.
        for _ in range(FORGET_AFTER + 1):
            _compiler("blank.typ").compile(format="pdf")
    return made


@functools.cache
def _compiler(template: str) -> Any:
    return typst.Compiler(str(resources.files("billing.documents").joinpath(template)), ignore_system_fonts=True)


def money(minor: int, currency: str) -> str:
    """Return an amount with its currency."""
    text = str(format_currency(abs(minor) / 10 ** get_currency_precision(currency), currency, locale=LOCALE))
    return f"\N{MINUS SIGN}{text}" if minor < 0 else text


def hours(minutes: int) -> str:
    """Return minutes as hours with two decimals."""
    hundredths = (abs(minutes) * 100 + 30) // 60
    sign = "\N{MINUS SIGN}" if minutes < 0 else ""
    return f"{sign}{hundredths // 100}.{hundredths % 100:02} h"


def _day(text: str) -> str:
    return f"{date.fromisoformat(text[:10]):%d %B %Y}".lstrip("0")


def _values(content: dict[str, Any]) -> dict[str, Any]:
    currency, zone = content["currency"], ZoneInfo(content["timezone"])
    number = content.get("number")
    made_on = date.fromisoformat((content.get("issued_at") or content["ends_on"])[:10])
    address = content["client"]["billing_address"]
    last = date.fromordinal(date.fromisoformat(content["ends_on"]).toordinal() - 1)
    facts = [["Service period", f"{_day(content['starts_on'])} to {_day(last.isoformat())}"]]
    if number:
        facts += [["Issued", _day(content["issued_at"])], ["Due", _day(content["due_on"])]]
    if content.get("purchase_order"):
        facts.append(["Your order", content["purchase_order"]])
    return {
        "title": f"Invoice {number}" if number else "Draft invoice",
        "number": number or "Draft, not issued",
        "is_draft": number is None,
        "seller": content.get("seller", {}).get("name", ""),
        "year": made_on.year,
        "month": made_on.month,
        "day": made_on.day,
        "client": content["client"]["name"],
        "tax_id": content["client"]["tax_id"] or "",
        "address": [line for line in (*address["lines"], f"{address['city']} {address['postcode']}".strip()) if line],
        "facts": facts,
        "lines": [_line(line, currency) for line in content["lines"]],
        "totals": [["Subtotal", money(content["net_minor"], currency)], *_taxes(content, currency)],
        "gross": money(content["gross_minor"], currency),
        "terms": _terms(content),
        "statement": [_statement(one) for one in content["statement"]],
        "entries": [_entry(one, zone) for one in content["entries"]],
        "worked": hours(content["worked_minutes"]),
        "fingerprint": content.get("content_sha256", ""),
    }


def _line(line: dict[str, Any], currency: str) -> list[str]:
    quantity = str(line["quantity"]) if line["quantity_minutes"] is None else hours(line["quantity_minutes"])
    return [line["text"], quantity, money(line["unit_minor"], currency), money(line["net_minor"], currency)]


_CATEGORY = {
    "S": "VAT",
    "Z": "VAT, zero rated",
    "E": "VAT exempt",
    "AE": "Reverse charge",
    "O": "Outside the scope of VAT",
}


def _taxes(content: dict[str, Any], currency: str) -> list[list[str]]:
    taxes = []
    for group in content["taxes"]:
        whole, part = divmod(group["rate_basis_points"], 100)
        rate = f" {whole}.{part:02}%" if part else f" {whole}%"
        label = f"{_CATEGORY[group['category']]}{rate if group['category'] == 'S' else ''} on {money(group['net_minor'], currency)}"
        taxes.append([label, money(group["tax_minor"], currency)])
    return taxes


def _terms(content: dict[str, Any]) -> str:
    if content["gross_minor"] == 0:
        return "Nothing is due for this period."
    due = f" by {_day(content['due_on'])}" if content.get("due_on") else ""
    return f"Please pay within {content['payment_days']} days{due}, quoting the invoice number."


def _statement(one: dict[str, Any]) -> list[str]:
    names = ("opening_minutes", "granted_minutes", "consumed_minutes", "expired_minutes", "closing_minutes")
    return [one.get("ref", ""), *(hours(one[name]) for name in names)]


def _entry(one: dict[str, Any], zone: ZoneInfo) -> list[str]:
    at = datetime.fromisoformat(one["worked_from"]).astimezone(zone)
    late = " (late entry)" if one["is_late"] else ""
    return [
        f"{at:%d %b %Y %H:%M}",
        one["agent_name"],
        f"{one['note']}{late}",
        f"{one['job_type']}, {one['level']}",
        hours(one["worked_minutes"]),
        hours(one["bucket_minutes"]) if one["bucket_minutes"] else "",
        hours(one["overage_minutes"]) if one["overage_minutes"] else "",
    ]
