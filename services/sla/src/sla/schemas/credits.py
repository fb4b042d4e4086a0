"""Credits in HTTP answers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from uuid import UUID

from msp_kit.api import View
from sla.domain.targets import CreditKind


class EvidenceView(View):
    """A broken promise behind a credit."""

    clock_id: UUID
    ticket_id: UUID
    ticket_ref: str
    metric: str
    priority: str
    budget_minutes: int
    breached_at: datetime
    breach_reason: str


class CreditView(View):
    """A credit of a contract's rule: an amount, or a share of the monthly items; ``because`` says why it was taken back."""

    credit_id: UUID
    client_id: UUID
    contract_id: UUID
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
    clock_id: UUID | None
    met_count: int
    missed_count: int
    earned_at: datetime
    changed_at: datetime
    revision: int
    evidence: Sequence[EvidenceView]
