"""Who bills whom: the seller, the client, the tax case; and what an invoice needs to know before it may be issued."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from billing.domain.codes import COUNTRIES, VAT_PREFIXES
from billing.domain.tax import REASONS

LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?", re.ASCII)
VAT_ID = re.compile(r"[A-Z]{2}[0-9A-Z+*.]{2,13}", re.ASCII)
# Not tab, line feed or carriage return; XML knows no others, and neither does a printed page.
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff\ud800-\udfff]")


class InvoiceIncomplete(Exception):
    """A draft lacks what its invoice needs: an address, a VAT id, a reason, or a text has characters no document can carry."""


class LogoNotUsable(Exception):
    """A logo is a PNG or an SVG of shapes and colours, small enough, with nothing in it that runs or comes from elsewhere."""


def is_vat_id(text: str) -> bool:
    """Return whether a VAT id begins with its country, as EN 16931 (BR-CO-09) asks."""
    return bool(VAT_ID.fullmatch(text)) and text[:2] in VAT_PREFIXES


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to look at before issuing. ``blocks``: it has to be mended; ``where`` names the place, ``fix`` how."""

    code: str
    blocks: bool
    where: str
    detail: str
    fix: str


def cleaned(text: str) -> str:
    """Return a text with control characters made visible (U+FFFD), for what nobody can mend any more (notes of sealed work)."""
    return text if text.isprintable() else CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


def client_of(client: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """Return the client as an invoice names it: what the profile says, else what contracts told."""
    return {
        "client_id": str(client["client_id"]),
        "name": profile.get("name") or client["name"],
        "tax_id": profile.get("tax_id") or client.get("tax_id"),
        "legal_id": profile.get("legal_id"),
        "billing_address": profile.get("address") or client["billing_address"],
        "email": profile.get("email"),
        "endpoint": profile.get("endpoint"),
        "buyer_reference": profile.get("buyer_reference"),
    }


def incomplete(content: Mapping[str, Any], seller: Mapping[str, Any]) -> list[Finding]:
    """Return everything that keeps a draft from being issued, with where and how to mend it."""
    found = [*_address(content["client"], "billing profile of the client"), *_address(seller, "seller profile")]
    categories = {group["category"] for group in content["taxes"]}
    found += _tax(content, seller, categories)
    found += _texts(content, seller)
    return found


def _address(party: Mapping[str, Any], place: str) -> Iterable[Finding]:
    address = party.get("billing_address") or party.get("address") or {}
    lacking = [name for name in ("lines", "city", "country") if not address.get(name)]
    if lacking:
        yield Finding(
            "address-missing",
            True,
            place,
            f"the address has no {', no '.join(lacking)}",
            "give street, city and country",
        )
    elif address["country"] not in COUNTRIES:
        yield Finding(
            "country-unknown",
            True,
            place,
            f"{address['country']!r} is no country",
            "give two capital letters (ISO 3166-1)",
        )


def _tax(content: Mapping[str, Any], seller: Mapping[str, Any], categories: set[str]) -> Iterable[Finding]:
    client, ours, theirs = content["client"], "seller profile", "billing profile of the client"
    taxed = categories & {"S", "Z", "E", "AE"}
    if taxed and not seller.get("tax_id"):
        yield Finding(
            "seller-vat-id-missing", True, ours, f"tax category {', '.join(sorted(taxed))} needs your VAT id", "give it"
        )
    if "AE" in categories and not client.get("tax_id"):
        yield Finding(
            "client-vat-id-missing",
            True,
            theirs,
            "reverse charge needs the client's VAT id",
            "give it, or another tax case",
        )
    for party, place in ((seller, ours), (client, theirs)):
        if categories - {"O"} and party.get("tax_id") and not is_vat_id(party["tax_id"]):
            yield Finding(
                "vat-id-prefix-missing",
                True,
                place,
                f"the VAT id {party['tax_id']!r} does not begin with its country",
                "write it with the two letters, as in GB123456789 or DE123456789",
            )
    for group in content["taxes"]:
        if group["category"] == "S" and not 0 < group["rate_basis_points"] <= 10_000:
            yield Finding(
                "tax-rate-not-possible",
                True,
                theirs,
                f"the standard rate is {group['rate_basis_points']} basis points",
                "give 1 to 10000 (100 %), or the category Z for zero",
            )
        if group["category"] not in ("S", "Z", *REASONS) and not group.get("reason"):
            yield Finding("exemption-reason-missing", True, theirs, "an exemption needs its reason", "give the reason")
    if "O" in categories and len(categories) > 1:
        yield Finding(
            "tax-cases-mixed",
            True,
            theirs,
            "what is outside the scope of VAT cannot stand beside what is inside",
            "give the client one tax case",
        )
    if "O" in categories and not seller.get("legal_id"):
        yield Finding(
            "seller-legal-id-missing", True, ours, "an invoice without VAT names your registration instead", "give it"
        )


def _texts(content: Mapping[str, Any], seller: Mapping[str, Any]) -> Iterable[Finding]:
    for place, text in (
        *((f"client/{where}", text) for where, text in _strings(content["client"])),
        *((f"seller/{where}", text) for where, text in _strings(seller)),
        *((f"lines/{line['n']}", line["text"]) for line in content["lines"]),
        ("purchase_order", content.get("purchase_order") or ""),
    ):
        found = CONTROL.search(text)
        if found:
            yield Finding(
                "control-character",
                True,
                place,
                f"the character U+{ord(found[0]):04X} cannot be printed or sent",
                "write the text without it",
            )


def _strings(value: Any, where: str = "") -> Iterable[tuple[str, str]]:
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, Mapping):
        for key, one in value.items():
            yield from _strings(one, f"{where}/{key}".lstrip("/"))
    elif isinstance(value, list | tuple):
        for index, one in enumerate(value):
            yield from _strings(one, f"{where}/{index}")
