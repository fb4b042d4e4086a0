"""The PDF of an invoice: PDF/A-3b by typst with the e-invoice inside, the same bytes for the same invoice.

Texts of people reach the template as JSON values, never as markup; fonts come with the library, not from the machine.
"""

from __future__ import annotations

import functools
import re
from datetime import date, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from billing.documents.logo import Logo
from billing.documents.words import Writing
from billing.domain.profile import LogoNotUsable, cleaned
from msp_kit import pdf

SHORT = 50
"""Entries of an invoice that may be remembered until ten others have been laid out: some 5 MB."""
PETROL = "#0b6074"
_TAIL = re.compile(
    rb"trailer\n<<(?P<trailer>/Size \d+/Root (?P<root>\d+) 0 R[^>]*)>>\nstartxref\n(?P<begins>\d+)\n%%EOF\s*\Z"
)


def render(content: dict[str, Any], e_invoice: bytes | None = None, *, logo: Logo | None = None) -> bytes:
    """Return the PDF of an invoice's content; without a number it is marked as a draft. ``e_invoice`` is put inside (CII)."""
    values = {**_values(content), "logo_is_wide": logo is not None and logo.is_wide}
    inputs = ({} if logo is None else {"logo": logo.svg}) | ({} if e_invoice is None else {"xml": e_invoice.decode()})
    is_long = len(content["entries"]) > SHORT
    made = pdf.render("billing.documents", "invoice.typ", values, inputs=inputs, is_long=is_long)
    return made if e_invoice is None else _declared(made)


def try_out(logo: Logo) -> None:
    """Put a logo in a PDF/A, to see that it can be.

    Raises:
        LogoNotUsable: it cannot.
    """
    try:
        pdf.render("billing.documents", "logo.typ", {}, inputs={"trial": logo.svg})
    except pdf.NotRenderable as error:
        raise LogoNotUsable(f"the logo cannot be put in a document: {error}") from error


@functools.cache
def _declaration() -> bytes:
    return resources.files("billing.documents").joinpath("facturx.xmp").read_bytes()


def _declared(made: bytes) -> bytes:
    """Say in the metadata of a PDF that it carries a Factur-X invoice; the rest of its bytes stays as it is.

    A new version of the metadata is appended, as the format has it for changes: a library that can do so reads the whole
    document first, which took longer than making it.
    """
    tail = _TAIL.search(made)
    assert tail is not None, "the compiler ends a PDF with a table of its objects"
    trailer, begins = tail["trailer"], tail["begins"]
    catalog = re.search(rb"\n%s 0 obj\n<<[^>]*?/Metadata (\d+) 0 R" % tail["root"], made)
    assert catalog is not None, "PDF/A has metadata"
    number = catalog[1]
    old = re.search(rb"\n%s 0 obj\n<</Length (\d+)/Type/Metadata/Subtype/XML>>\nstream\n" % number, made)
    assert old is not None, "the metadata of PDF/A is a stream that is not packed"
    text = made[old.end() : old.end() + int(old[1])].replace(b"</rdf:RDF>", _declaration() + b"</rdf:RDF>")
    head = b"\n%s 0 obj\n<</Length %d/Type/Metadata/Subtype/XML>>\nstream\n" % (number, len(text))
    added = b"%s%s\nendstream\nendobj\n" % (head, text)
    entries = b"0 1\n0000000000 65535 f\r\n%s 1\n%010d 00000 n\r\n" % (number, len(made) + 1)
    table = b"xref\n%strailer\n<<%s/Prev %s>>\n" % (entries, trailer, begins)
    return b"%s%s%sstartxref\n%d\n%%%%EOF\n" % (made, added, table, len(made) + len(added))


def _values(content: dict[str, Any]) -> dict[str, Any]:
    w = Writing.of(content.get("language") or "en")
    currency, number = content["currency"], content.get("number")
    is_credit = content.get("kind") == "credit_note"
    seller = content.get("seller") or {}
    made_on = date.fromisoformat((content.get("issued_at") or content["ends_on"])[:10])
    kind = w.say("credit_note" if is_credit else "invoice")
    return {
        "words": w.words,
        "language": w.locale.language,
        "region": w.locale.territory or "",
        "kind": kind,
        "title": cleaned(f"{kind} {number}" if number else w.say("draft_invoice")),
        "number": number or w.say("draft"),
        "is_draft": number is None,
        "colour": seller.get("brand_colour") or PETROL,
        "seller": cleaned(seller.get("name", "")),
        "seller_lines": [cleaned(line) for line in _seller_lines(seller, w)],
        "year": made_on.year,
        "month": made_on.month,
        "day": made_on.day,
        "client": cleaned(content["client"]["name"]),
        "tax_id": cleaned(content["client"]["tax_id"] or ""),
        "address": [cleaned(line) for line in _address_lines(content["client"]["billing_address"])],
        "facts": [[cleaned(one) for one in row] for row in _facts(content, w)],
        "groups": _groups(content, w),
        "totals": [[w.say("subtotal"), w.money(content["net_minor"], currency)], *_taxes(content, currency, w)],
        "gross_label": w.say("credited" if is_credit else "amount_due"),
        "gross": w.money(content["gross_minor"], currency),
        "terms": [cleaned(line) for line in _terms(content, w)],
        "statement": [_statement(one, w) for one in content["statement"]],
        "entries": [_entry(one, ZoneInfo(content["timezone"]), w) for one in content["entries"]],
        "behind_note": w.say("behind_note", n=len(content["entries"]), worked=w.hours(content["worked_minutes"])),
        "fingerprint": content.get("content_sha256") or "",
    }


def _address_lines(address: dict[str, Any]) -> list[str]:
    place = f"{address['city']} {address['postcode']}".strip()
    return [line for line in (*address["lines"], place, address.get("country", "")) if line]


def _seller_lines(seller: dict[str, Any], w: Writing) -> list[str]:
    lines = _address_lines(seller["address"]) if seller.get("address") else []
    for label, name in (("vat", "tax_id"), ("registration", "legal_id")):
        if seller.get(name):
            lines.append(f"{w.say(label)} {seller[name]}")
    return lines + [seller[name] for name in ("email", "phone") if seller.get(name)]


def _facts(content: dict[str, Any], w: Writing) -> list[list[str]]:
    last = date.fromordinal(date.fromisoformat(content["ends_on"]).toordinal() - 1)
    facts = [[w.say("service_period"), f"{w.day(content['starts_on'])} {w.say('to')} {w.day(last.isoformat())}"]]
    if content.get("number"):
        facts.append([w.say("issued"), w.day(content.get("issued_on") or content["issued_at"])])
        if content.get("kind") != "credit_note":
            facts.append([w.say("due"), w.day(content["due_on"])])
    corrects = content.get("corrects")
    if corrects:
        facts.append([w.say("corrects"), f"{corrects['number']} {w.say('of')} {w.day(corrects['issued_at'])}"])
        facts.append([w.say("reason"), content["reason"]])
    for label, value in (
        ("your_order", content.get("purchase_order")),
        ("your_reference", content["client"].get("buyer_reference")),
    ):
        if value:
            facts.append([w.say(label), value])
    return facts


def _groups(content: dict[str, Any], w: Writing) -> list[dict[str, Any]]:
    """Return the lines by contract, in the order in which contracts first appear."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for line in content["lines"]:
        groups.setdefault(line.get("ref") or "", []).append(line)
    currency = content["currency"]
    return [
        {
            "name": cleaned(f"{w.say('contract')} {ref}") if ref else w.say("no_contract"),
            "sum": w.money(sum(line["net_minor"] for line in lines), currency),
            "lines": [_line(line, currency, w) for line in lines],
        }
        for ref, lines in groups.items()
    ]


def _line(line: dict[str, Any], currency: str, w: Writing) -> list[str]:
    quantity = str(line["quantity"]) if line["quantity_minutes"] is None else w.hours(line["quantity_minutes"])
    return [
        cleaned(line["text"]),
        quantity.replace("-", "\N{MINUS SIGN}"),
        w.money(line["unit_minor"], currency),
        w.money(line["net_minor"], currency),
    ]


def _taxes(content: dict[str, Any], currency: str, w: Writing) -> list[list[str]]:
    taxes = []
    for group in content["taxes"]:
        rate = f" {w.percent(group['rate_basis_points'])}" if group["category"] == "S" else ""
        reason = f" ({cleaned(group['reason'])})" if group["category"] == "E" and group.get("reason") else ""
        label = f"{w.say(group['category'])}{rate}{reason} {w.say('on')} {w.money(group['net_minor'], currency)}"
        taxes.append([label, w.money(group["tax_minor"], currency)])
    return taxes


def _terms(content: dict[str, Any], w: Writing) -> list[str]:
    seller = content.get("seller") or {}
    if content.get("kind") == "credit_note":
        return [w.say("terms_credit")]
    if content["gross_minor"] == 0:
        return [w.say("nothing_due")]
    if not content.get("due_on"):
        return [w.say("terms_draft", days=content["payment_days"])]
    terms = [w.say("terms", days=content["payment_days"], due=w.day(content["due_on"]), number=content["number"])]
    if seller.get("iban"):
        bic = f" · BIC {seller['bic']}" if seller.get("bic") else ""
        terms.append(f"{w.say('bank')}: IBAN {seller['iban']}{bic}")
    return terms


def _statement(one: dict[str, Any], w: Writing) -> list[str]:
    names = ("opening_minutes", "granted_minutes", "consumed_minutes", "expired_minutes", "closing_minutes")
    return [cleaned(one.get("ref", "")), *(w.hours(one[name]) for name in names)]


def _entry(one: dict[str, Any], zone: ZoneInfo, w: Writing) -> list[str]:
    at = datetime.fromisoformat(one["worked_from"]).astimezone(zone)
    marks = [w.say("project")] if one.get("section") == "project" else []
    marks += [w.say("late")] if one["is_late"] else []
    mark = f" ({', '.join(marks)})" if marks else ""
    return [
        f"{at:%Y-%m-%d %H:%M}",
        cleaned(one["agent_name"]),
        cleaned(f"{one['note']}{mark}"),
        f"{one['job_type']}, {one['level']}",
        w.hours(one["worked_minutes"]),
        w.hours(one["bucket_minutes"]) if one["bucket_minutes"] else "",
        w.hours(one["overage_minutes"]) if one["overage_minutes"] else "",
    ]
