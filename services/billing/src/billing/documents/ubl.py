"""The e-invoice in the syntax of OASIS (UBL 2.1): Peppol BIS Billing 3 where both parties can be reached there, else plain EN 16931."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from billing.documents.cii import last_day, terms_of
from billing.documents.xml import Signed, Writer, percent

_URN = "urn:oasis:names:specification:ubl:schema:xsd:"
_COMMON = {"cac": f"{_URN}CommonAggregateComponents-2", "cbc": f"{_URN}CommonBasicComponents-2"}
EN_16931 = "urn:cen.eu:en16931:2017"
PEPPOL = f"{EN_16931}#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
PEPPOL_PROCESS = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"


def render(content: Mapping[str, Any]) -> bytes:
    """Return the e-invoice of an issued invoice, or the CreditNote of a credit note."""
    of = Signed(content)
    kind = "CreditNote" if of.is_credit else "Invoice"
    xml = Writer({**_COMMON, "doc": f"{_URN}{kind}-2"}, f"doc:{kind}", default="doc")
    _head(xml, of, kind)
    for name, party, address in (
        ("cac:AccountingSupplierParty", content["seller"], content["seller"]["address"]),
        ("cac:AccountingCustomerParty", content["client"], content["client"]["billing_address"]),
    ):
        _party(xml, xml.add(xml.root, f"{name}/cac:Party"), of, party, address)
    xml.add(xml.root, "cac:Delivery/cbc:ActualDeliveryDate", last_day(content))
    _payment(xml, of)
    _taxes(xml, of)
    sums = xml.add(xml.root, "cac:LegalMonetaryTotal")
    for name, minor in (
        ("cbc:LineExtensionAmount", content["net_minor"]),
        ("cbc:TaxExclusiveAmount", content["net_minor"]),
        ("cbc:TaxInclusiveAmount", content["gross_minor"]),
        ("cbc:PayableAmount", content["gross_minor"]),
    ):
        _amount(xml, sums, name, of.amount(minor), of)
    for line in content["lines"]:
        _line(xml, of, kind, line)
    return xml.body()


def is_peppol(of: Signed) -> bool:
    """Return whether an invoice can travel by Peppol: both have an address there, and the buyer named a reference."""
    content = of.content
    has_reference = bool(content["client"].get("buyer_reference") or content.get("purchase_order"))
    return has_reference and all(of.endpoint(content[party]) for party in ("seller", "client"))


def _head(xml: Writer, of: Signed, kind: str) -> None:
    content, root = of.content, xml.root
    peppol = is_peppol(of)
    xml.add(root, "cbc:CustomizationID", PEPPOL if peppol else EN_16931)
    if peppol:
        xml.add(root, "cbc:ProfileID", PEPPOL_PROCESS)
    xml.add(root, "cbc:ID", content["number"])
    xml.add(root, "cbc:IssueDate", content["issued_on"])
    if not of.is_credit:
        xml.add(root, "cbc:DueDate", content["due_on"])
    xml.add(root, f"cbc:{kind}TypeCode", "381" if of.is_credit else "380")
    if of.is_credit:
        xml.add(root, "cbc:Note", content["reason"])
    xml.add(root, "cbc:DocumentCurrencyCode", content["currency"])
    if content["client"].get("buyer_reference"):
        xml.add(root, "cbc:BuyerReference", content["client"]["buyer_reference"])
    period = xml.add(root, "cac:InvoicePeriod")
    xml.add(period, "cbc:StartDate", content["starts_on"])
    xml.add(period, "cbc:EndDate", last_day(content))
    if content.get("purchase_order"):
        xml.add(root, "cac:OrderReference/cbc:ID", content["purchase_order"])
    if of.is_credit:
        reference = xml.add(root, "cac:BillingReference/cac:InvoiceDocumentReference")
        xml.add(reference, "cbc:ID", content["corrects"]["number"])


def _amount(xml: Writer, parent: Element, name: str, text: str, of: Signed) -> None:
    xml.add(parent, name, text, currencyID=of.content["currency"])


def _party(xml: Writer, node: Element, of: Signed, party: Mapping[str, Any], address: Mapping[str, Any]) -> None:
    endpoint = of.endpoint(party)
    if endpoint:
        xml.add(node, "cbc:EndpointID", endpoint[1], schemeID=endpoint[0])
    place = xml.add(node, "cac:PostalAddress")
    for name, line in zip(("cbc:StreetName", "cbc:AdditionalStreetName"), address["lines"], strict=False):
        xml.add(place, name, line)
    xml.add(place, "cbc:CityName", address["city"])
    if address.get("postcode"):
        xml.add(place, "cbc:PostalZone", address["postcode"])
    if len(address["lines"]) > 2:
        xml.add(place, "cac:AddressLine/cbc:Line", ", ".join(address["lines"][2:]))
    xml.add(place, "cac:Country/cbc:IdentificationCode", address["country"])
    if party.get("tax_id") and of.has_vat:
        scheme = xml.add(node, "cac:PartyTaxScheme")
        xml.add(scheme, "cbc:CompanyID", party["tax_id"])
        xml.add(scheme, "cac:TaxScheme/cbc:ID", "VAT")
    legal = xml.add(node, "cac:PartyLegalEntity")
    xml.add(legal, "cbc:RegistrationName", party["name"])
    if party.get("legal_id"):
        xml.add(legal, "cbc:CompanyID", party["legal_id"])


def _payment(xml: Writer, of: Signed) -> None:
    seller = of.content["seller"]
    if seller.get("iban"):
        means = xml.add(xml.root, "cac:PaymentMeans")
        xml.add(means, "cbc:PaymentMeansCode", "30")
        xml.add(means, "cbc:PaymentID", of.content["number"])
        account = xml.add(means, "cac:PayeeFinancialAccount")
        xml.add(account, "cbc:ID", seller["iban"])
        if seller.get("bic"):
            xml.add(account, "cac:FinancialInstitutionBranch/cbc:ID", seller["bic"])
    xml.add(xml.root, "cac:PaymentTerms/cbc:Note", terms_of(of.content))


def _taxes(xml: Writer, of: Signed) -> None:
    total = xml.add(xml.root, "cac:TaxTotal")
    _amount(xml, total, "cbc:TaxAmount", of.amount(of.content["tax_minor"]), of)
    for group in of.content["taxes"]:
        part = xml.add(total, "cac:TaxSubtotal")
        _amount(xml, part, "cbc:TaxableAmount", of.amount(group["net_minor"]), of)
        _amount(xml, part, "cbc:TaxAmount", of.amount(group["tax_minor"]), of)
        category = _category(xml, part, "cac:TaxCategory", group)
        if group["reason_code"]:
            xml.add(category, "cbc:TaxExemptionReasonCode", group["reason_code"])
        if group["reason"]:
            xml.add(category, "cbc:TaxExemptionReason", group["reason"])
        xml.add(category, "cac:TaxScheme/cbc:ID", "VAT")


def _category(xml: Writer, parent: Element, name: str, group: Mapping[str, Any]) -> Element:
    node = xml.add(parent, name)
    category = group.get("category") or group["tax_category"]
    xml.add(node, "cbc:ID", category)
    if category != "O":
        rate = group["rate_basis_points"] if "rate_basis_points" in group else group["tax_rate_basis_points"]
        xml.add(node, "cbc:Percent", percent(rate))
    return node


def _line(xml: Writer, of: Signed, kind: str, line: Mapping[str, Any]) -> None:
    quantity, unit, base = of.quantity(line)
    node = xml.add(xml.root, f"cac:{kind}Line")
    xml.add(node, "cbc:ID", str(line["n"]))
    xml.add(node, "cbc:CreditedQuantity" if of.is_credit else "cbc:InvoicedQuantity", quantity, unitCode=unit)
    _amount(xml, node, "cbc:LineExtensionAmount", of.amount(line["net_minor"]), of)
    item = xml.add(node, "cac:Item")
    xml.add(item, "cbc:Name", line["text"])
    xml.add(_category(xml, item, "cac:ClassifiedTaxCategory", line), "cac:TaxScheme/cbc:ID", "VAT")
    price = xml.add(node, "cac:Price")
    _amount(xml, price, "cbc:PriceAmount", of.price(line["unit_minor"]), of)
    xml.add(price, "cbc:BaseQuantity", base, unitCode=unit)
