"""Credits in HTTP answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from msp_kit.api import View
from sla.domain.targets import CreditKind
from sla.schemas.ids import ClientId, ClockId, ContractId, CreditId, TicketId


class EvidenceView(View):
    """A broken promise behind a credit."""

    clock_id: ClockId
    ticket_id: TicketId
    ticket_ref: str
    metric: str
    priority: str
    budget_minutes: int
    breached_at: datetime
    breach_reason: str


class CreditView(View):
    """A credit of a contract's rule: an amount, or a share of the monthly items; ``because`` says why it was taken back."""

    credit_id: CreditId
    client_id: ClientId
    contract_id: ContractId
    contract_version: int
    rule_id: str
    kind: CreditKind
    starts_on: date
    status: str
    because: str
    currency: str
    amount_minor: int | None
    basis_points: int | None
    is_capped: bool
    clock_id: ClockId | None
    met_count: int
    missed_count: int
    earned_at: datetime
    changed_at: datetime
    revision: int
    evidence: Sequence[EvidenceView]
