"""The e-invoice in the syntax of UN/CEFACT (CII): the XML inside a Factur-X or ZUGFeRD PDF, profile EN 16931."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any
from xml.etree.ElementTree import Element

from billing.documents.words import Writing
from billing.documents.xml import Signed, Writer, percent

_URN = "urn:un:unece:uncefact:data:standard:"
_NAMESPACES = {
    "rsm": f"{_URN}CrossIndustryInvoice:100",
    "ram": f"{_URN}ReusableAggregateBusinessInformationEntity:100",
    "udt": f"{_URN}UnqualifiedDataType:100",
}
PROFILE = "urn:cen.eu:en16931:2017"


def render(content: Mapping[str, Any]) -> bytes:
    """Return the e-invoice of an issued invoice (380) or credit note (381)."""
    of = Signed(content)
    xml = Writer(_NAMESPACES, "rsm:CrossIndustryInvoice")
    xml.add(xml.root, "rsm:ExchangedDocumentContext/ram:GuidelineSpecifiedDocumentContextParameter/ram:ID", PROFILE)
    head = xml.add(xml.root, "rsm:ExchangedDocument")
    xml.add(head, "ram:ID", content["number"])
    xml.add(head, "ram:TypeCode", "381" if of.is_credit else "380")
    _day(xml, head, "ram:IssueDateTime", content["issued_on"])
    if of.is_credit:
        xml.add(head, "ram:IncludedNote/ram:Content", content["reason"])
    trade = xml.add(xml.root, "rsm:SupplyChainTradeTransaction")
    for line in content["lines"]:
        _line(xml, trade, of, line)
    _agreement(xml, trade, of)
    delivery = xml.add(trade, "ram:ApplicableHeaderTradeDelivery")
    _day(xml, delivery, "ram:ActualDeliverySupplyChainEvent/ram:OccurrenceDateTime", last_day(content))
    _settlement(xml, trade, of)
    return xml.body()


def _day(xml: Writer, parent: Element, name: str, day: str) -> None:
    xml.add(parent, f"{name}/udt:DateTimeString", day[:10].replace("-", ""), format="102")


def _line(xml: Writer, trade: Element, of: Signed, line: Mapping[str, Any]) -> None:
    quantity, unit, base = of.quantity(line)
    node = xml.add(trade, "ram:IncludedSupplyChainTradeLineItem")
    xml.add(node, "ram:AssociatedDocumentLineDocument/ram:LineID", str(line["n"]))
    xml.add(node, "ram:SpecifiedTradeProduct/ram:Name", line["text"])
    price = xml.add(node, "ram:SpecifiedLineTradeAgreement/ram:NetPriceProductTradePrice")
    xml.add(price, "ram:ChargeAmount", of.price(line["unit_minor"]))
    xml.add(price, "ram:BasisQuantity", base, unitCode=unit)
    xml.add(node, "ram:SpecifiedLineTradeDelivery/ram:BilledQuantity", quantity, unitCode=unit)
    settlement = xml.add(node, "ram:SpecifiedLineTradeSettlement")
    tax = xml.add(settlement, "ram:ApplicableTradeTax")
    xml.add(tax, "ram:TypeCode", "VAT")
    xml.add(tax, "ram:CategoryCode", line["tax_category"])
    if line["tax_category"] != "O":
        xml.add(tax, "ram:RateApplicablePercent", percent(line["tax_rate_basis_points"]))
    xml.add(
        settlement,
        "ram:SpecifiedTradeSettlementLineMonetarySummation/ram:LineTotalAmount",
        of.amount(line["net_minor"]),
    )


def _agreement(xml: Writer, trade: Element, of: Signed) -> None:
    content = of.content
    node = xml.add(trade, "ram:ApplicableHeaderTradeAgreement")
    if content["client"].get("buyer_reference"):
        xml.add(node, "ram:BuyerReference", content["client"]["buyer_reference"])
    _party(xml, xml.add(node, "ram:SellerTradeParty"), of, content["seller"], content["seller"]["address"])
    _party(xml, xml.add(node, "ram:BuyerTradeParty"), of, content["client"], content["client"]["billing_address"])
    if content.get("purchase_order"):
        xml.add(node, "ram:BuyerOrderReferencedDocument/ram:IssuerAssignedID", content["purchase_order"])


def _party(xml: Writer, node: Element, of: Signed, party: Mapping[str, Any], address: Mapping[str, Any]) -> None:
    xml.add(node, "ram:Name", party["name"])
    if party.get("legal_id"):
        xml.add(node, "ram:SpecifiedLegalOrganization/ram:ID", party["legal_id"])
    place = xml.add(node, "ram:PostalTradeAddress")
    if address.get("postcode"):
        xml.add(place, "ram:PostcodeCode", address["postcode"])
    for name, line in zip(("ram:LineOne", "ram:LineTwo", "ram:LineThree"), address["lines"], strict=False):
        xml.add(place, name, line)
    xml.add(place, "ram:CityName", address["city"])
    xml.add(place, "ram:CountryID", address["country"])
    endpoint = of.endpoint(party)
    if endpoint:
        xml.add(node, "ram:URIUniversalCommunication/ram:URIID", endpoint[1], schemeID=endpoint[0])
    if party.get("tax_id") and of.has_vat:
        xml.add(node, "ram:SpecifiedTaxRegistration/ram:ID", party["tax_id"], schemeID="VA")


def _settlement(xml: Writer, trade: Element, of: Signed) -> None:
    content = of.content
    node = xml.add(trade, "ram:ApplicableHeaderTradeSettlement")
    xml.add(node, "ram:PaymentReference", content["number"])
    xml.add(node, "ram:InvoiceCurrencyCode", content["currency"])
    if content["seller"].get("iban"):
        means = xml.add(node, "ram:SpecifiedTradeSettlementPaymentMeans")
        xml.add(means, "ram:TypeCode", "30")
        xml.add(means, "ram:PayeePartyCreditorFinancialAccount/ram:IBANID", content["seller"]["iban"])
        if content["seller"].get("bic"):
            xml.add(means, "ram:PayeeSpecifiedCreditorFinancialInstitution/ram:BICID", content["seller"]["bic"])
    for group in content["taxes"]:
        tax = xml.add(node, "ram:ApplicableTradeTax")
        xml.add(tax, "ram:CalculatedAmount", of.amount(group["tax_minor"]))
        xml.add(tax, "ram:TypeCode", "VAT")
        if group["reason"]:
            xml.add(tax, "ram:ExemptionReason", group["reason"])
        xml.add(tax, "ram:BasisAmount", of.amount(group["net_minor"]))
        xml.add(tax, "ram:CategoryCode", group["category"])
        if group["reason_code"]:
            xml.add(tax, "ram:ExemptionReasonCode", group["reason_code"])
        if group["category"] != "O":
            xml.add(tax, "ram:RateApplicablePercent", percent(group["rate_basis_points"]))
    period = xml.add(node, "ram:BillingSpecifiedPeriod")
    _day(xml, period, "ram:StartDateTime", content["starts_on"])
    _day(xml, period, "ram:EndDateTime", last_day(content))
    terms = xml.add(node, "ram:SpecifiedTradePaymentTerms")
    xml.add(terms, "ram:Description", terms_of(content))
    if not of.is_credit:
        _day(xml, terms, "ram:DueDateDateTime", content["due_on"])
    sums = xml.add(node, "ram:SpecifiedTradeSettlementHeaderMonetarySummation")
    xml.add(sums, "ram:LineTotalAmount", of.amount(content["net_minor"]))
    xml.add(sums, "ram:TaxBasisTotalAmount", of.amount(content["net_minor"]))
    xml.add(sums, "ram:TaxTotalAmount", of.amount(content["tax_minor"]), currencyID=content["currency"])
    xml.add(sums, "ram:GrandTotalAmount", of.amount(content["gross_minor"]))
    xml.add(sums, "ram:DuePayableAmount", of.amount(content["gross_minor"]))
    if of.is_credit:
        corrected = xml.add(node, "ram:InvoiceReferencedDocument")
        xml.add(corrected, "ram:IssuerAssignedID", content["corrects"]["number"])


def last_day(content: Mapping[str, Any]) -> str:
    """Return the last day of the period, which e-invoices count in."""
    return (date.fromisoformat(content["ends_on"]) - timedelta(days=1)).isoformat()


def terms_of(content: Mapping[str, Any]) -> str:
    """Return the terms of payment in the language of the invoice."""
    w = Writing.of(content.get("language") or "en")
    if content.get("kind") == "credit_note":
        return w.say("terms_credit")
    if content["gross_minor"] == 0:
        return w.say("nothing_due")
    return w.say("terms", days=content["payment_days"], due=w.day(content["due_on"]), number=content["number"])
