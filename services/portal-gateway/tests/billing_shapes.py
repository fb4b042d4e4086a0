"""What the billing service answers, as far as its pages show it."""

from __future__ import annotations

from typing import Any

ACME, RUN, INVOICE = (f"00000000-0000-0000-0000-00000000000{digit}" for digit in "123")
FINDING = {
    "code": "client-vat-id-missing",
    "blocks": True,
    "where": "billing profile of the client",
    "detail": "reverse charge needs the client's VAT id",
    "fix": "give it, or another tax case",
}
ROW: dict[str, Any] = {
    "id": INVOICE,
    "client_id": ACME,
    "client_name": "Acme",
    "kind": "invoice",
    "status": "issued",
    "number": "INV-2026-0001",
    "currency": "GBP",
    "starts_on": "2026-10-01",
    "ends_on": "2026-11-01",
    "issued_at": "2026-11-01T08:00:00+00:00",
    "due_on": "2999-12-01",
    "net_minor": 10_000,
    "tax_minor": 2_000,
    "gross_minor": 12_000,
    "worked_minutes": 60,
    "open_minor": 12_000,
    "credited_minor": 0,
}
WHOLE: dict[str, Any] = {
    **ROW,
    "client": {"name": "Acme", "billing_address": {"lines": ["1 Quay"], "city": "Bristol", "postcode": "BS1"}},
    "seller": {"name": "Meridian IT Ltd", "tax_id": "GB123456789", "iban": "GB33BUKB20201555555555"},
    "payment_days": 30,
    "purchase_order": "PO-7",
    "taxes": [{"rate_basis_points": 2000, "tax_minor": 2000}],
    "lines": [
        {
            "n": 1,
            "text": "<b>Network</b>",
            "entries": [{}],
            "quantity_minutes": 60,
            "unit_minor": 10_000,
            "net_minor": 10_000,
        }
    ],
    "statement": [],
    "entries": [],
    "corrects": None,
    "corrects_id": None,
    "reason": None,
    "content_sha256": "a" * 64,
    "previous_sha256": "b" * 64,
    "findings": [],
}
ITEM = {
    "client_id": ACME,
    "client_name": "Acme",
    "status": "drafted",
    "detail": "",
    "invoice_id": INVOICE,
    "gross_minor": 12_000,
    "currency": "GBP",
    "findings": [FINDING],
}
RUN_FOUND = {
    "id": RUN,
    "status": "drafting",
    "starts_on": "2026-10-01",
    "ends_on": "2026-11-01",
    "items": [ITEM, {**ITEM, "status": "sealed", "invoice_id": None, "gross_minor": None, "findings": []}],
    "counts": {"drafted": 1, "sealed": 1},
    "progress": {"step": "drafting", "done": 1, "of": 2, "seconds_left": 40},
}
REVIEW: dict[str, Any] = {
    "unapproved": [{"client_id": ACME, "client_name": "Acme", "entry_count": 2, "worked_minutes": 90}],
    "without_contract": [],
    "leaking": [],
    "blocked": [],
    "findings": [],
}
EXPLAINED = {
    "n": 1,
    "invoice": "INV-2026-0001",
    "kind": "time",
    "text": "Network",
    "currency": "GBP",
    "arithmetic": "60 min x 100.00 GBP an hour / 60 = 100.00 GBP (rounded half up once)",
    "net_minor": 10_000,
    "tax_minor": 2_000,
    "clause": {"contract_version": 2},
    "rule": {"contract": "C-1"},
    "entries": [
        {
            "worked_from": "2026-10-05T08:00:00+00:00",
            "job_type": "network",
            "level": "L1",
            "agent_name": "Tom",
            "note": "<i>cable</i>",
            "minutes": 60,
            "net_minor": 10_000,
        }
    ],
}
ACCOUNT = {
    "client_id": ACME,
    "currency": "GBP",
    "opening_minor": 0,
    "movements": [
        {
            "on_day": "2026-11-01",
            "what": "invoice",
            "reference": "INV-2026-0001",
            "amount_minor": 12_000,
            "balance_minor": 12_000,
        }
    ],
    "closing_minor": 12_000,
}
AGE = {
    **dict.fromkeys(("not_due", "days_1_30", "days_31_60", "days_61_90", "days_over_90", "credit_minor"), 0),
    "client_id": ACME,
    "client_name": "Acme",
    "currency": "GBP",
    "open_minor": 12_000,
    "days_1_30": 12_000,
}
HEALTH = {
    "currency": "GBP",
    "revenue_minor": 10_000,
    "overage_minor": 0,
    "effective_hourly_rate_minor": 9_000,
    "realisation_basis_points": 9_050,
    "margin_minor": None,
    "days_sales_outstanding": 21,
    "unbilled_minutes": 30,
}
HOSTED: dict[str, Any] = {
    **{
        name: ROW[name]
        for name in ("number", "kind", "status", "client_name", "currency", "starts_on", "ends_on", "due_on")
    },
    "seller": "Meridian IT Ltd",
    "seller_lines": ["1 Quay", "Bristol BS1", "GB", "GB123456789"],
    "has_logo": False,
    "issued_on": "2026-11-01",
    "payment_days": 30,
    "purchase_order": "PO-7",
    "lines": [
        {"text": "<b>Network</b>", "quantity": 1, "quantity_minutes": 60, "unit_minor": 10_000, "net_minor": 10_000}
    ],
    "taxes": [{"category": "S", "rate_basis_points": 2000, "net_minor": 10_000, "tax_minor": 2_000, "reason": None}],
    "net_minor": 10_000,
    "tax_minor": 2_000,
    "gross_minor": 12_000,
    "credited_minor": 1_000,
    "open_minor": 8_000,
    "iban": "GB33BUKB20201555555555",
    "bic": None,
}
MISSING = (404, {"type": "/problems/not-found", "title": "Not found", "code": "not-found"})
PAYMENT, LINE = (f"00000000-0000-0000-0000-00000000000{digit}" for digit in "45")
PAID: dict[str, Any] = {
    "id": PAYMENT,
    "client_id": ACME,
    "client_name": "Acme",
    "amount_minor": 15_000,
    "currency": "GBP",
    "received_on": "2026-11-20",
    "method": "bank transfer",
    "reference": "<b>thanks</b>",
    "left_minor": 3_000,
    "allocations": [
        {
            "invoice_id": INVOICE,
            "number": "INV-2026-0001",
            "amount_minor": 12_000,
            "reason": "",
            "made_at": "2026-11-20T09:00:00+00:00",
        }
    ],
    "refunds": [],
}
OWED = {
    **{name: ROW[name] for name in ("id", "client_id", "client_name", "number", "currency", "due_on", "gross_minor")},
    "issued_at": "2026-11-01T08:00:00+00:00",
    "open_minor": 12_000,
    "reminder_step": 1,
    "reminded_at": "2026-11-20T09:00:00+00:00",
    "days_overdue": 10,
    "age": "days_1_30",
    "next_step": 2,
    "next_on": "2026-12-01",
}
REMINDED = {
    "client_id": ACME,
    "client_name": "Acme",
    "invoice_id": INVOICE,
    "number": "INV-2026-0001",
    "currency": "GBP",
    "due_on": "2026-11-10",
    "step": 1,
    "reminded_at": "2026-11-20T09:00:00+00:00",
    "open_then_minor": 12_000,
    "open_minor": 0,
}
WRITTEN_OFF: dict[str, Any] = {
    "id": RUN,
    "client_id": ACME,
    "invoice_id": INVOICE,
    "number": "INV-2026-0001",
    "currency": "GBP",
    "amount_minor": 560,
    "reason": "bank charges",
    "proposed_at": "2026-11-20T09:00:00+00:00",
    "proposed_by": ACME,
    "approved_at": None,
    "approved_by": None,
}
BANK_LINE: dict[str, Any] = {
    "id": LINE,
    "booked_on": "2026-11-20",
    "amount_minor": 12_500,
    "currency": "GBP",
    "counterparty": "ACME LTD",
    "reference": "<i>invoice</i>",
    "statement": "november.xml",
    "status": "unmatched",
    "note": "",
    "payment_id": None,
    "client_id": None,
    "client_name": None,
    "suggested": [
        {
            "id": INVOICE,
            "client_id": ACME,
            "client_name": "Acme",
            "number": "INV-2026-0001",
            "open_minor": 12_000,
            "due_on": "2026-12-01",
        }
    ],
}
CHARGE = {
    "id": RUN,
    "contract_id": LINE,
    "kind": "discount",
    "text": "<b>First year</b>",
    "quantity": 1,
    "amount_minor": 0,
    "basis_points": 1250,
    "applies_to": "time",
    "frequency": "monthly",
    "starts_on": "2026-01-01",
    "ends_on": None,
}
