"""Builders for tests: a working default for everything, and words a person would say."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from msp_events.contracts import ClientRegistered, ContractActivated, JobTypeDefined, RateTerms
from msp_kernel.ids import new_id
from tickets.domain.ticket import Ticket
from tickets.domain.time_entry import TimeEntry

MONDAY = datetime(2026, 11, 9, 9, 0, tzinfo=UTC)
JOB_TYPES = ("network", "workplace", "server")


def a_ticket(**given: Any) -> Ticket:
    """Return a new ticket."""
    default: dict[str, Any] = {
        "id": new_id(),
        "client_id": new_id(),
        "ref": "HLO-1",
        "revision": 1,
        "contract_id": new_id(),
        "contract_version": 1,
        "contact_id": None,
        "contact_name": "Priya Nair",
        "title": "VPN drops",
        "description": "",
        "job_type": "network",
        "priority": "high",
        "level": "L1",
        "handling_level": "L1",
        "status": "new",
        "queue": "service-desk",
        "assignee_id": None,
        "assignee_name": None,
        "raised_at": MONDAY,
    }
    return Ticket(**{**default, **given})


def an_entry(**given: Any) -> TimeEntry:
    """Return a submitted time entry of 45 minutes."""
    default: dict[str, Any] = {
        "id": new_id(),
        "client_id": new_id(),
        "contract_id": new_id(),
        "revision": 1,
        "ticket_id": new_id(),
        "task_id": None,
        "agent_id": new_id(),
        "agent_name": "Tom Okafor",
        "person_id": new_id(),
        "worked_from": MONDAY,
        "worked_minutes": 45,
        "job_type": "network",
        "level": "L1",
        "note": "",
        "status": "submitted",
    }
    return TimeEntry(**{**default, **given})


def a_client(client_id: UUID, *, code: str = "HLO", name: str = "Harbour & Lowe") -> ClientRegistered:
    """Return what contracts says of a client."""
    return ClientRegistered(
        occurred_at=MONDAY,
        client_id=client_id,
        revision=1,
        code=code,
        name=name,
        timezone="Europe/London",
        currency="GBP",
    )


def a_contract(client_id: UUID, **given: Any) -> ContractActivated:
    """Return what contracts says of an active bucket contract that began in 2016."""
    default: dict[str, Any] = {
        "occurred_at": MONDAY,
        "contract_id": new_id(),
        "client_id": client_id,
        "revision": 1,
        "ref": "C-0001",
        "name": "Bucket 50 h",
        "kind": "bucket",
        "status": "active",
        "version": 1,
        "effective_from": date(2016, 1, 1),
        "starts_on": date(2016, 1, 1),
        "currency": "GBP",
        "job_types": JOB_TYPES,
        "levels": ("L1", "L2", "L3"),
        "calendar": {"timezone": "Europe/London", "weekly": {"mon": [["09:00", "17:00"]]}},
        "rate_card_id": new_id(),
        "rate_card_version": 1,
        "rates": (RateTerms(rule_id="rate-1", rate_minor=9200),),
    }
    return ContractActivated(**{**default, **given})


def a_job_type(code: str) -> JobTypeDefined:
    """Return what contracts says of a job type."""
    return JobTypeDefined(occurred_at=MONDAY, job_type_id=new_id(), revision=1, code=code, name=code.capitalize())
