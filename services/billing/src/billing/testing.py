"""Builders for tests: a working default for everything, and words a person would say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from xml.sax.saxutils import escape

from billing.domain.invoice import Control, content_of
from billing.domain.items import price_fixed_items
from billing.domain.pricing import FixedItem, PricedLine, Rate, Terms, price_work
from billing.domain.work import Work, WorkSpan
from msp_events.base import Span
from msp_events.bucket_statement import BucketStatement
from msp_events.contracts import (
    Address,
    BillingTerms,
    ClientRegistered,
    ContractActivated,
    FixedItemTerms,
    HoursPosted,
    PeriodClosed,
    RateTerms,
)
from msp_events.tickets import WorklogSealed
from msp_kernel.ids import new_id

OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
MONDAY = datetime(2026, 10, 5, 9, 0, tzinfo=UTC)
CONTRACT = UUID("01900000-0000-7000-8000-00000000c001")


SELLER = {
    "name": "Meridian IT",
    "address": {"lines": ["1 Dock Street"], "city": "Leeds", "postcode": "LS1 4AB", "country": "GB"},
    "tax_id": "GB123456789",
    "legal_id": "07654321",
    "email": "billing@meridian.example",
    "iban": "GB33BUKB20201555555555",
    "bic": "BUKBGB22",
}


def a_rate(rate_minor: int, **keys: Any) -> Rate:
    """Return a rate; without keys it fits everything."""
    given = {"job_type": None, "level": None, "condition": None, **keys}
    return Rate(rule_id=f"rate-{rate_minor}", rate_minor=rate_minor, **given)


def some_terms(**given: Any) -> Terms:
    """Return the terms of a bucket contract at 92.00 an hour and 20 % tax."""
    default: dict[str, Any] = {
        "contract_id": CONTRACT,
        "ref": "C-0001",
        "name": "Bucket 50 h",
        "kind": "bucket",
        "currency": "GBP",
        "starts_on": date(2026, 1, 1),
        "ends_on": None,
        "rates": (a_rate(9200),),
        "overage_rates": (),
        "multiplier_applies_to_overage": False,
        "fixed_items": (),
        "tax_category": "S",
        "tax_rate_basis_points": 2000,
        "payment_days": 30,
        "purchase_order": None,
    }
    return Terms(**{**default, **given})


def some_work(
    *, overage: int = 0, worked: int = 60, condition: str = "regular", weight: int = 100, **given: Any
) -> Work:
    """Return a posted entry; what is not overage came from the bucket."""
    default: dict[str, Any] = {
        "time_entry_id": new_id(),
        "contract_id": CONTRACT,
        "contract_version": 1,
        "worked_from": MONDAY,
        "worked_minutes": worked,
        "billed_minutes": worked,
        "bucket_minutes": worked - overage,
        "job_type": "network",
        "level": "L1",
        "agent_name": "Tom Okafor",
        "note": "",
        "is_late": False,
        "spans": (
            WorkSpan(condition=condition, overage_minutes=overage, time_and_materials_minutes=0, weight_percent=weight),
        ),
    }
    return Work(**{**default, **given})


def an_invoice(
    *,
    lines: Sequence[PricedLine] | None = None,
    works: Sequence[Work] = (),
    terms: dict[str, Any] | None = None,
    client: dict[str, Any] | None = None,
    seller: dict[str, Any] | None = None,
    exemption_reason: str | None = None,
    **header: Any,
) -> dict[str, Any]:
    """Return the content of an issued invoice: a fee of 999 minor units and the given work, unless lines are given."""
    item = FixedItem("fee", "Managed service", 1, 999, "monthly", OCTOBER[0])
    of = some_terms(fixed_items=(item,), **(terms or {}))
    if lines is None:
        lines = [
            *price_fixed_items([of], starts_on=OCTOBER[0], ends_on=OCTOBER[1]),
            *price_work(works, {(CONTRACT, 1): of}),
        ]
    default = {
        "client": {
            "client_id": str(UUID(int=7)),
            "name": "Harbour & Lowe",
            "tax_id": "DE123456789",
            "legal_id": None,
            "billing_address": {
                "lines": ["12 Baldwin Street", "Floor 2"],
                "city": "Bristol",
                "postcode": "BS1 1SA",
                "country": "GB",
            },
            "email": "ap@harbour.example",
            "endpoint": None,
            "buyer_reference": None,
            **(client or {}),
        },
        "seller": {**SELLER, **(seller or {})},
        "starts_on": OCTOBER[0].isoformat(),
        "ends_on": OCTOBER[1].isoformat(),
        "timezone": "Europe/London",
        "language": "en",
        "payment_days": 30,
        "purchase_order": "PO-77",
        "number": "INV-2026-0001",
        "issued_at": "2026-11-02T10:00:00+00:00",
        "issued_on": "2026-11-02",
        "due_on": "2026-12-02",
        **header,
    }
    return content_of(
        lines=lines, works=works, currency=of.currency, header=default, statement=[], exemption_reason=exemption_reason
    )


def a_client(client_id: UUID, name: str = "Harbour & Lowe") -> ClientRegistered:
    """Return what contracts says of a client."""
    return ClientRegistered(
        occurred_at=MONDAY,
        client_id=client_id,
        revision=1,
        code="HLO",
        name=name,
        timezone="Europe/London",
        currency="GBP",
        billing_address=Address(lines=("12 Baldwin Street",), city="Bristol", postcode="BS1 1SA"),
    )


def a_contract(client_id: UUID, contract_id: UUID, **given: Any) -> ContractActivated:
    """Return what contracts says of an active bucket contract with a purchase of 4,100.00 in October."""
    default: dict[str, Any] = {
        "occurred_at": MONDAY,
        "contract_id": contract_id,
        "client_id": client_id,
        "revision": 1,
        "ref": "C-0001",
        "name": "Bucket 50 h",
        "kind": "bucket",
        "status": "active",
        "version": 1,
        "effective_from": date(2026, 10, 1),
        "starts_on": date(2026, 10, 1),
        "currency": "GBP",
        "job_types": ("network",),
        "levels": ("L1",),
        "calendar": {"timezone": "Europe/London", "weekly": {"mon": [["09:00", "17:00"]]}},
        "rate_card_id": new_id(),
        "rate_card_version": 1,
        "rates": (RateTerms(rule_id="rate-1", rate_minor=9200),),
        "fixed_items": (
            FixedItemTerms(
                item_id="lot:1", text="50 hours", unit_minor=410_000, frequency="once", starts_on=date(2026, 10, 1)
            ),
        ),
        "billing": BillingTerms(),
    }
    return ContractActivated(**{**default, **given})


def posted(client_id: UUID, contract_id: UUID, *, minutes: int = 60, overage: int = 0, **given: Any) -> HoursPosted:
    """Return what contracts says of a posted entry."""
    span = Span(
        condition="regular",
        starts_at=MONDAY,
        worked_minutes=minutes,
        billed_minutes=minutes,
        bucket_billed_minutes=minutes - overage,
        bucket_minutes=minutes - overage,
        overage_minutes=overage,
    )
    default: dict[str, Any] = {
        "occurred_at": MONDAY,
        "time_entry_id": new_id(),
        "client_id": client_id,
        "contract_id": contract_id,
        "revision": 2,
        "entry_revision": 2,
        "contract_version": 1,
        "rate_card_version": 1,
        "status": "posted",
        "worked_from": MONDAY,
        "worked_minutes": minutes,
        "billed_minutes": minutes,
        "bucket_minutes": minutes - overage,
        "overage_minutes": overage,
        "job_type": "network",
        "level": "L1",
        "agent_id": new_id(),
        "spans": (span,),
    }
    return HoursPosted(**{**default, **given})


def answers(request: Any, entries: list[HoursPosted]) -> tuple[WorklogSealed, PeriodClosed]:
    """Return what tickets and contracts answer to a period close over some entries."""
    control = Control.of((str(one.time_entry_id), one.worked_minutes) for one in entries)
    common = {
        "occurred_at": MONDAY,
        "period_close_id": request.period_close_id,
        "client_id": request.client_id,
        "starts_on": request.starts_on,
        "ends_on": request.ends_on,
        "entry_count": control.entry_count,
        "worked_minutes": control.worked_minutes,
        "checksum": control.checksum,
    }
    used = sum(one.bucket_minutes for one in entries)
    statement = BucketStatement(
        contract_id=entries[0].contract_id if entries else new_id(),
        opening_minutes=3000,
        granted_minutes=0,
        consumed_minutes=used,
        expired_minutes=0,
        closing_minutes=3000 - used,
        overage_minutes=sum(one.overage_minutes for one in entries),
    )
    return WorklogSealed(**common), PeriodClosed(**common, outcome="closed", contracts=(statement,))


def a_camt(*entries: tuple[str, str, str, str], version: str = "08", currency: str = "GBP") -> str:
    """Return a CAMT.053 statement of (amount, CRDT or DBIT, counterparty, reference)."""
    lines = "".join(
        f"<Ntry><Amt Ccy='{currency}'>{amount}</Amt><CdtDbtInd>{sign}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>"
        f"<BookgDt><Dt>2026-11-19</Dt></BookgDt><AcctSvcrRef>B{number}</AcctSvcrRef><NtryDtls><TxDtls><RltdPties>"
        f"<{'Dbtr' if sign == 'CRDT' else 'Cdtr'}><Pty><Nm>{escape(name)}</Nm></Pty></{'Dbtr' if sign == 'CRDT' else 'Cdtr'}>"
        f"</RltdPties><RmtInf><Ustrd>{escape(reference)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for number, (amount, sign, name, reference) in enumerate(entries)
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?><Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'>"
        f"<BkToCstmrStmt><Stmt>{lines}</Stmt></BkToCstmrStmt></Document>"
    )
