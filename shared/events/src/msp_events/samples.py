"""Makes the first golden example of an event: believable, and the same on every machine.

Later examples of the same event are never made: what was once said must stay readable, so the file is kept as it is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid5

from msp_events.base import Event

_NAMESPACE = UUID("5a7c3f0e-6f0b-5d58-9a49-3c0d9d1b7e21")

_CALENDAR: Mapping[str, Any] = {
    "timezone": "Europe/London",
    "weekly": {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri")},
    "holidays": ["2026-12-25"],
    "overrides": {"2026-12-24": [["09:00", "12:00"]]},
}

_WORDS: Mapping[str, Any] = {
    "actor": "person:0190b5a6",
    "agent_name": "Aoife Byrne",
    "assignee_name": "Aoife Byrne",
    "author_id": "person:0190b5a6",
    "because": "the client had been asked at 11:20",
    "calendar": _CALENDAR,
    "changed": ["status"],
    "checksum": hashlib.sha256(b"").hexdigest(),
    "city": "Leeds",
    "code": "HLO",
    "content_sha256": hashlib.sha256(b"").hexdigest(),
    "country": "GB",
    "currency": "GBP",
    "dedup_key": "gw-01:ping",
    "decided_by": "person:0190b5a7",
    "decided_by_name": "Priya Nair",
    "decision_reason": "agreed on the phone",
    "description": "no answer for five minutes",
    "source": "portal",
    "system": "zabbix",
    "tags": ["vpn"],
    "detail": "network is not among the job types of HLO-2026",
    "display_name": "Aoife Byrne",
    "invoice_number": "INV-2026-0122",
    "item_id": "retainer",
    "job_type": "network",
    "job_types": ["network", "desktop", "server"],
    "levels": ["L1", "L2", "L3"],
    "lines": ["1 Quarry Road"],
    "non_billable_job_types": ["travel"],
    "note": "Replaced the access point on the second floor",
    "notify": ["manager"],
    "number": "2026-000123",
    "pausing_statuses": ["waiting_on_client"],
    "postcode": "LS1 4AB",
    "purchase_order": "PO-4711",
    "quiet_hours": {"sat": [["00:00", "24:00"]], "sun": [["00:00", "24:00"]]},
    "queue": "service-desk",
    "reason": "waiting for the client",
    "ref": "HLO-1482",
    "ticket_ref": "HLO-1482",
    "to_queue": "network-desk",
    "roles": ["agent"],
    "rule_id": "network-l1",
    "rule_ids": ["network-l1"],
    "tax_id": "GB123456789",
    "text": "Managed service, monthly",
    "thresholds_percent": [50, 75, 90],
    "timezone": "Europe/London",
    "title": "No wireless on the second floor",
    "method": "bank transfer",
    "name": "Halloway Optics",
}

_NUMBERS: Mapping[str, int] = {
    "budget_minutes": 240,
    "consumed_seconds": 5400,
    "remaining_seconds": 9000,
    "granted_minutes": 3000,
    "available_minutes": 2940,
    "opening_minutes": 0,
    "closing_minutes": 2940,
    "consumed_minutes": 60,
    "worked_minutes": 60,
    "billed_minutes": 60,
    "bucket_minutes": 60,
    "bucket_billed_minutes": 60,
    "net_minor": 10_000,
    "tax_minor": 2_000,
    "gross_minor": 12_000,
    "open_minor": 12_000,
    "days_overdue": 4,
    "unit_minor": 10_000,
    "rate_minor": 9_500,
    "threshold_percent": 75,
    "weight_percent": 100,
    "percent": 100,
    "at_percent": 100,
    "tax_rate_basis_points": 2_000,
    "payment_days": 30,
    "increment_minutes": 15,
    "minimum_minutes": 15,
    "entry_count": 1,
}

_DAYS: Mapping[str, str] = {
    "starts_on": "2026-01-01",
    "effective_from": "2026-01-01",
    "ends_on": "2026-02-01",
    "lot_ends_on": "2026-02-01",
    "due_on": "2026-03-03",
    "received_on": "2026-03-02",
    "exhausts_on": "2026-01-24",
    "earliest_on": "2026-01-21",
    "latest_on": "2026-01-29",
    "period_ends_on": "2026-02-01",
}

_PARTICULARS: Mapping[str, Mapping[str, Any]] = {
    "ContractActivated": {"status": "active"},
    "ContractAmended": {"status": "active", "version": 2},
    "ContractEnded": {"status": "ended"},
    "HoursPosted": {"status": "posted"},
    "HoursReleased": {"status": "released"},
    "JobTypeDefined": {"code": "network", "name": "Network"},
    "TicketUpdated": {"status": "waiting_on_client"},
    "TicketAssigned": {"status": "open", "changed": ["assignee_id"]},
    "TicketResolved": {"status": "resolved"},
    "TicketClosed": {"status": "closed"},
    "TicketReopened": {"status": "open", "cycle": 2},
    "ProjectCreated": {"ref": "HLO-P3", "name": "Office move", "changed": ["created"]},
    "ProjectUpdated": {"ref": "HLO-P3", "name": "Office move", "status": "active"},
    "TaskAdded": {"title": "Cables on the second floor", "changed": ["added"]},
    "TaskUpdated": {"title": "Cables on the second floor", "status": "doing"},
    "TimeApproved": {"status": "approved"},
    "TimeRejected": {"status": "rejected", "decision_reason": "logged twice"},
    "TimeVoided": {"status": "voided"},
    "ClockPaused": {"status": "paused"},
    "SlaMet": {"status": "stopped", "verdict": "met"},
    "SlaMissed": {"status": "stopped", "verdict": "missed"},
    "ClockExcluded": {"status": "stopped", "verdict": "excluded"},
    "InvoiceIssued": {"status": "issued"},
    "CreditNoteIssued": {
        "number": "CN-2026-0001",
        "net_minor": -10_000,
        "tax_minor": -2_000,
        "gross_minor": -12_000,
        "reason": "the work was done under warranty",
    },
    "PaymentRecorded": {"amount_minor": 12_000},
    "InvoiceBalanceChanged": {"open_minor": 0},
    "SlaCreditEarned": {"basis_points": None, "amount_minor": 5_000},
    "SlaCreditWithdrawn": {"basis_points": None, "amount_minor": 5_000, "status": "withdrawn"},
}


def example(event: type[Event]) -> dict[str, Any]:
    """Return a whole envelope around an example of an event, every field of it filled."""
    schema = event.model_json_schema()
    made = _filled(schema, schema)
    made.update(_PARTICULARS.get(event.__name__, {}))
    said = event.model_validate(made)
    context = {
        "specversion": "1.0",
        "id": str(_id(event.type_name())),
        "source": f"/msp/{event.owner}",
        "type": event.type_name(),
        "subject": said.subject(),
        "time": "2026-01-05T10:30:00+00:00",
        "datacontenttype": "application/json",
        "authid": "person:0190b5a6",
        "traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    }
    client = said.client()
    if client is not None:
        context["mspclient"] = str(client)
    return {**context, "mspseq": 1, "mspepoch": 1, "data": said.model_dump(mode="json")}


def _id(name: str) -> UUID:
    return uuid5(_NAMESPACE, name)


def _filled(node: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _value(name, field, root) for name, field in node["properties"].items()}


def _value(name: str, node: Mapping[str, Any], root: Mapping[str, Any]) -> Any:  # one line per kind of field
    if "$ref" in node:
        return _filled(root["$defs"][node["$ref"].rpartition("/")[2]], root)
    if "anyOf" in node:
        filled = next(choice for choice in node["anyOf"] if choice.get("type") != "null")
        return _value(name, filled, root)
    if "enum" in node or "const" in node:
        words = node.get("enum", [node.get("const")])
        return node["default"] if node.get("default") in words else words[0]
    if name in _WORDS:
        return _WORDS[name]
    match node.get("type"):
        case "boolean":
            return node.get("default", True)
        case "integer":
            return _NUMBERS.get(name, node.get("default", node.get("minimum", 1)))
        case "array":
            return [_value(name, node["items"], root)]
        case "string":
            return _text(name, node.get("format", ""))
        case kind:
            raise AssertionError(f"no example for {name}: {kind}")


def _text(name: str, form: str) -> str:
    match form:
        case "uuid":
            return str(_id(name))
        case "date":
            return _DAYS[name]
        case "date-time":
            return "2026-01-05T10:30:00Z"
        case _:
            raise AssertionError(f"no example for the text {name}")
