"""Writing XML, and what the two syntaxes of EN 16931 have in common: parties, lines and sums, with the signs of the document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

from msp_kernel.money import Money, exponent

DECIMALS_MAX = 2
"""EN 16931 (BR-DEC) knows no amount with more decimals: currencies with three have no e-invoice."""
HOUR, MINUTE, PIECE = 60, "MIN", "C62"


class Writer:
    """Builds a document of one vocabulary: ``prefix:Name`` with the namespaces it was given."""

    def __init__(self, namespaces: Mapping[str, str], root: str, *, default: str | None = None) -> None:
        self._namespaces = dict(namespaces)
        for prefix, uri in namespaces.items():
            register_namespace("" if prefix == default else prefix, uri)
        self.root = Element(self._name(root))

    def _name(self, name: str) -> str:
        prefix, _, local = name.partition(":")
        return f"{{{self._namespaces[prefix]}}}{local}"

    def add(self, parent: Element, path: str, text: str | None = None, **attributes: str) -> Element:
        """Add an element, or a path of elements, below ``parent`` and return the last; an empty text adds nothing."""
        node = parent
        for name in path.split("/"):
            node = SubElement(node, self._name(name))
        node.text = text
        for name, value in attributes.items():
            node.set(name, value)
        return node

    def body(self) -> bytes:
        """Return the document."""
        made: bytes = tostring(self.root, encoding="utf-8", xml_declaration=True)
        return made


@dataclass(frozen=True, slots=True)
class Signed:
    """Reads a content as a document reads: credit notes say their amounts without the minus."""

    content: Mapping[str, Any]

    @property
    def is_credit(self) -> bool:
        """Return whether it is a credit note."""
        return self.content.get("kind") == "credit_note"

    @property
    def sign(self) -> int:
        """Return what amounts are multiplied with."""
        return -1 if self.is_credit else 1

    @property
    def has_vat(self) -> bool:
        """Return whether any line is inside the scope of VAT; outside of it no VAT id may be named (BR-O-02)."""
        return any(group["category"] != "O" for group in self.content["taxes"])

    def amount(self, minor: int) -> str:
        """Return an amount as plain decimal text."""
        return str(Money(self.sign * minor, self.content["currency"]))

    def price(self, minor: int) -> str:
        """Return a price, which never has a sign of its own."""
        return str(Money(minor, self.content["currency"]))

    def quantity(self, line: Mapping[str, Any]) -> tuple[str, str, str]:
        """Return quantity, unit, and the quantity the price is for: minutes at a price for sixty are exact."""
        if line["quantity_minutes"] is None:
            return str(self.sign * line["quantity"]), PIECE, "1"
        return str(self.sign * line["quantity_minutes"]), MINUTE, str(HOUR)

    def endpoint(self, party: Mapping[str, Any]) -> tuple[str, str] | None:
        """Return scheme and electronic address of a party: the one it gave, else its e-mail."""
        given = party.get("endpoint")
        if given:
            return given["scheme"], given["id"]
        return ("EM", party["email"]) if party.get("email") else None


def percent(basis_points: int) -> str:
    """Return a rate as plain decimal text."""
    whole, part = divmod(basis_points, 100)
    return f"{whole}.{part:02}" if part else str(whole)


def is_electronic(content: Mapping[str, Any]) -> bool:
    """Return whether EN 16931 can say an invoice: it has a line, and its currency no more than two decimals."""
    return bool(content["lines"]) and exponent(content["currency"]) <= DECIMALS_MAX
