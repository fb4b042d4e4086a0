"""Our own check of e-invoices, to the cent: the official rules let a tax be off by one, and do not multiply prices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import fromstring

from msp_kernel.money import Money, exponent


def differences(content: Mapping[str, Any], xml: bytes) -> list[str]:
    """Return what an e-invoice says otherwise than the invoice does, or what does not add up in it; both syntaxes."""
    root = fromstring(xml, forbid_dtd=True)
    found = dict(_cii(root)) if "CrossIndustryInvoice" in root.tag else dict(_ubl(root))
    sign = -1 if content.get("kind") == "credit_note" else 1
    said: dict[str, Any] = {
        "number": content["number"],
        **{
            name: Decimal(str(Money(sign * content[name], content["currency"])))
            for name in ("net_minor", "tax_minor", "gross_minor")
        },
        "lines": [_text(content, sign * line["net_minor"]) for line in content["lines"]],
        "taxes": [
            (group["category"], _text(content, sign * group["net_minor"]), _text(content, sign * group["tax_minor"]))
            for group in content["taxes"]
        ],
    }
    broken = [f"{name}: {found[name]} instead of {said[name]}" for name in said if found[name] != said[name]]
    if (
        sum(found["lines"], Decimal()) != found["net_minor"]
        or found["net_minor"] + found["tax_minor"] != found["gross_minor"]
    ):
        broken.append("the sums of the e-invoice do not add up")
    cent = Decimal(1).scaleb(-exponent(content["currency"]))
    for number, (net, price, quantity, base) in enumerate(found["prices"], start=1):
        if (price * quantity / base).quantize(cent, rounding=ROUND_HALF_UP) != net:
            broken.append(f"line {number}: {quantity} at {price} for {base} are not {net}")
    return broken


def _text(content: Mapping[str, Any], minor: int) -> Decimal:
    return Decimal(str(Money(minor, content["currency"])))


def _get(node: Element, path: str) -> str:
    found = node.find("/".join(f"{{*}}{name}" for name in path.split("/")))
    assert found is not None, path
    assert found.text is not None, path
    return found.text


def _cii(root: Element) -> Iterator[tuple[str, Any]]:
    trade, line = "SupplyChainTradeTransaction", "IncludedSupplyChainTradeLineItem"
    settlement = f"{trade}/ApplicableHeaderTradeSettlement"
    sums = f"{settlement}/SpecifiedTradeSettlementHeaderMonetarySummation"
    yield "number", _get(root, "ExchangedDocument/ID")
    yield "net_minor", Decimal(_get(root, f"{sums}/TaxBasisTotalAmount"))
    yield "tax_minor", Decimal(_get(root, f"{sums}/TaxTotalAmount"))
    yield "gross_minor", Decimal(_get(root, f"{sums}/GrandTotalAmount"))
    lines = root.findall(f"{{*}}{trade}/{{*}}{line}")
    total = "SpecifiedLineTradeSettlement/SpecifiedTradeSettlementLineMonetarySummation/LineTotalAmount"
    nets = [Decimal(_get(one, total)) for one in lines]
    yield "lines", nets
    price = "SpecifiedLineTradeAgreement/NetPriceProductTradePrice"
    yield (
        "prices",
        [
            (
                net,
                Decimal(_get(one, f"{price}/ChargeAmount")),
                Decimal(_get(one, "SpecifiedLineTradeDelivery/BilledQuantity")),
                Decimal(_get(one, f"{price}/BasisQuantity")),
            )
            for net, one in zip(nets, lines, strict=True)
        ],
    )
    taxes = root.findall("/".join(f"{{*}}{name}" for name in f"{settlement}/ApplicableTradeTax".split("/")))
    yield (
        "taxes",
        [
            (_get(one, "CategoryCode"), Decimal(_get(one, "BasisAmount")), Decimal(_get(one, "CalculatedAmount")))
            for one in taxes
        ],
    )


def _ubl(root: Element) -> Iterator[tuple[str, Any]]:
    kind = "CreditNote" if root.tag.endswith("}CreditNote") else "Invoice"
    yield "number", _get(root, "ID")
    yield "net_minor", Decimal(_get(root, "LegalMonetaryTotal/TaxExclusiveAmount"))
    yield "tax_minor", Decimal(_get(root, "TaxTotal/TaxAmount"))
    yield "gross_minor", Decimal(_get(root, "LegalMonetaryTotal/PayableAmount"))
    lines = root.findall(f"{{*}}{kind}Line")
    nets = [Decimal(_get(one, "LineExtensionAmount")) for one in lines]
    yield "lines", nets
    quantity = "CreditedQuantity" if kind == "CreditNote" else "InvoicedQuantity"
    yield (
        "prices",
        [
            (
                net,
                Decimal(_get(one, "Price/PriceAmount")),
                Decimal(_get(one, quantity)),
                Decimal(_get(one, "Price/BaseQuantity")),
            )
            for net, one in zip(nets, lines, strict=True)
        ],
    )
    yield (
        "taxes",
        [
            (_get(one, "TaxCategory/ID"), Decimal(_get(one, "TaxableAmount")), Decimal(_get(one, "TaxAmount")))
            for one in root.findall("{*}TaxTotal/{*}TaxSubtotal")
        ],
    )
