"""Who bills and is billed, and what is agreed beside contracts, as it goes in and out."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Base64Bytes, Field, model_validator

from billing.domain.items import Charge, Credit
from billing.schemas.fields import (
    BasisPoints,
    Country,
    Currency,
    Day,
    Iban,
    Language,
    Scheme,
    Text,
    VatId,
    Word,
    printable,
)
from billing.schemas.ids import ChargeId, ClientId, ContractId, CreditId, Document
from msp_kernel.ids import new_id
from msp_kit.api import Body, View


class AddressBody(Body):
    """A postal address; EN 16931 has room for three lines."""

    lines: Annotated[list[Word], Field(min_length=1, max_length=3)]
    city: Word
    postcode: Annotated[str, Field(max_length=20), AfterValidator(printable)] = ""
    country: Country


class EndpointBody(Body):
    """An electronic address: scheme of the EAS list (``EM``, ``0088``, ``9930``) and id."""

    scheme: Scheme
    id: Word


class SellerBody(Body):
    """The MSP as its invoices name it."""

    name: Word
    address: AddressBody
    tax_id: VatId | None = None
    legal_id: Word | None = None
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)] | None = None
    phone: Word | None = None
    endpoint: EndpointBody | None = None
    iban: Iban | None = None
    bic: Annotated[str, Field(pattern="^[A-Z0-9]{8}([A-Z0-9]{3})?$")] | None = None
    brand_colour: Annotated[str, Field(pattern="^#[0-9a-f]{6}$")] | None = None


class LogoBody(Body):
    """A PNG or SVG in Base64, as a file of up to 200 kB."""

    content: Annotated[Base64Bytes, Field(max_length=400_000)]


class ProfileBody(Body):
    """How a client is billed; what is left out comes from the client and its contracts."""

    name: Word | None = None
    address: AddressBody | None = None
    tax_id: VatId | None = None
    legal_id: Word | None = None
    tax_case: Literal["S", "Z", "E", "AE", "O"] | None = None
    """EN 16931: standard, zero, exempt, reverse charge, outside scope."""
    tax_rate_basis_points: BasisPoints | None = None
    exemption_reason: Text | None = None
    payment_days: Annotated[int, Field(ge=0, le=365)] | None = None
    purchase_order: Word | None = None
    buyer_reference: Word | None = None
    language: Language | None = None
    email: Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$", max_length=200)] | None = None
    endpoint: EndpointBody | None = None

    @model_validator(mode="after")
    def _case_is_whole(self) -> ProfileBody:
        if self.tax_case == "S" and not self.tax_rate_basis_points:
            message = "the standard case needs a rate of 1 to 10000 basis points in tax_rate_basis_points"
            raise ValueError(message)
        if self.tax_case == "E" and not self.exemption_reason:
            message = "an exemption needs its reason in exemption_reason"
            raise ValueError(message)
        return self


class ProfileView(View):
    """A billing profile, as it was given."""

    client_id: ClientId
    profile: dict[str, Any]


class AgreeCharge(Body):
    """An item, a discount or a minimum beside a contract."""

    contract_id: ContractId
    kind: Literal["item", "discount", "minimum"]
    text: Text
    quantity: Annotated[int, Field(ge=1, le=10**6)] = 1
    amount_minor: Annotated[int, Field(ge=0, le=10**15)] = 0
    basis_points: BasisPoints = 0
    applies_to: Literal["all", "time", "items"] = "all"
    frequency: Literal["once", "monthly"]
    starts_on: Day
    ends_on: Day | None = None

    @model_validator(mode="after")
    def _is_whole(self) -> AgreeCharge:
        if self.kind == "discount" and (self.amount_minor > 0) == (self.basis_points > 0):
            message = "a discount is either amount_minor or basis_points"
            raise ValueError(message)
        if self.kind != "discount" and (self.amount_minor == 0 or self.basis_points):
            message = f"a charge of the kind {self.kind} has an amount_minor above zero, and no basis_points"
            raise ValueError(message)
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            message = "ends_on is after starts_on"
            raise ValueError(message)
        return self

    def to_charge(self) -> Charge:
        """Return the charge."""
        return Charge(id=new_id(), **self.model_dump())


class ChargeView(View):
    """A charge beside a contract."""

    id: ChargeId
    contract_id: ContractId
    kind: str
    text: str
    quantity: int
    amount_minor: int
    basis_points: int
    applies_to: str
    frequency: str
    starts_on: date
    ends_on: date | None


class EarnCredit(Body):
    """A credit with its evidence. ``id`` is the sender's: the same one again changes nothing."""

    id: CreditId
    client_id: ClientId
    contract_id: ContractId
    currency: Currency
    amount_minor: Annotated[int, Field(ge=0, le=10**15)] = 0
    basis_points: BasisPoints = 0
    """Instead of an amount: of the contract's fixed items on the invoice the credit is given on."""
    text: Text
    source: Word
    """Who promises it: ``sla``, or a person's reason."""
    earned_on: Day
    evidence: Annotated[list[Document], Field(min_length=1, max_length=200)]

    @model_validator(mode="after")
    def _is_one_of_two(self) -> EarnCredit:
        if (self.amount_minor > 0) == (self.basis_points > 0):
            message = "a credit is either amount_minor or basis_points"
            raise ValueError(message)
        return self

    def to_credit(self) -> Credit:
        """Return the credit."""
        return Credit(
            **{name: value for name, value in self.model_dump().items() if name not in ("client_id", "evidence")},
            evidence=tuple(self.evidence),
        )


class EarnedView(View):
    """A credit that was taken in."""

    id: CreditId


class CreditView(View):
    """A credit: open, on a draft, given or withdrawn."""

    id: CreditId
    client_id: ClientId
    contract_id: ContractId
    currency: str
    amount_minor: int
    basis_points: int
    text: str
    source: str
    earned_on: date
    status: str
    number: str | None
    evidence: list[Document]


class CostRate(Body):
    """What an hour of a level costs the MSP."""

    level: Literal["L1", "L2", "L3", "SA"]
    currency: Currency
    rate_minor: Annotated[int, Field(ge=0, le=10**9)]


class CostRates(Body):
    """All cost rates; levels left out have none."""

    rates: Annotated[list[CostRate], Field(max_length=100)]

    @model_validator(mode="after")
    def _one_of_each(self) -> CostRates:
        known = [(one.level, one.currency) for one in self.rates]
        twice = sorted({one for one in known if known.count(one) > 1})
        if twice:
            message = f"{' in '.join(twice[0])} is there twice; an hour of a level costs one amount in a currency"
            raise ValueError(message)
        return self


class EndCharge(Body):
    """The day from which a charge is not due any more."""

    ends_on: Day
