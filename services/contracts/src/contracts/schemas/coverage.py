"""Questions and answers about coverage, and the client's word on work beyond the bucket."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from contracts.schemas.fields import Instant, Plain, Word
from contracts.schemas.ids import ClientId, ContractId, CoverageDecisionId, TaskId, TicketId, TimeEntryId
from msp_events.base import Level, Span
from msp_kit.api import Body, View


class CoverageQuestion(Body):
    """Work somebody thinks of doing. Without a contract the client's contracts are asked in order of priority."""

    contract_id: ContractId | None = None
    client_id: ClientId | None = None
    job_type: Word
    level: Level
    worked_from: Instant
    worked_minutes: Annotated[int, Field(ge=1, le=1440, strict=True)]


class CheckView(View):
    """One rule that was looked at."""

    rule: str
    is_passed: bool
    text: str


class CoverageView(View):
    """What would become of the work, or what became of it."""

    contract_id: ContractId
    contract_ref: str
    contract_version: int
    answer: Literal["covered", "overage", "not_covered", "needs_approval"]
    policy: Literal["overage", "next_lot", "needs_approval", "reject"]
    checks: list[CheckView]
    worked_minutes: int
    billed_minutes: int
    bucket_minutes: int
    excluded_minutes: int
    time_and_materials_minutes: int
    spans: list[Span]
    available_before_minutes: int | None
    """``null`` about work that is in the ledger: the balance has moved on."""
    available_after_minutes: int | None
    overage_minutes: int
    overage_price_minor: int | None
    """``null`` when a rate is missing."""
    price_minor: int | None
    """Of overage, and of time and materials."""
    currency: str


class DecisionBody(Body):
    """What the client decides. ``overage_minutes`` are those they were shown."""

    decision: Literal["approved", "declined"]
    overage_minutes: Annotated[int, Field(ge=1, strict=True)]
    reason: Annotated[str, StringConstraints(max_length=500), Plain] = ""

    @model_validator(mode="after")
    def _declined_with_reason(self) -> Self:
        if self.decision == "declined" and not self.reason:
            message = "say why you decline"
            raise ValueError(message)
        return self


class WaitingView(View):
    """A time entry that waits for its client."""

    time_entry_id: TimeEntryId
    client_id: ClientId
    contract_id: ContractId
    contract_ref: str
    contract_name: str
    ticket_id: TicketId | None
    task_id: TaskId | None
    worked_from: datetime
    worked_minutes: int
    billed_minutes: int
    bucket_minutes: int
    overage_minutes: int
    price_minor: int | None
    currency: str
    job_type: str
    level: str
    agent_name: str
    note: str
    state: Literal["waiting", "approved", "declined"]
    """Decided entries leave the list a moment later, when the ledger has followed."""


class DecisionView(View):
    """What a client decided."""

    id: CoverageDecisionId
    client_id: ClientId
    contract_id: ContractId
    contract_ref: str
    time_entry_id: TimeEntryId
    decision: Literal["approved", "declined"]
    overage_minutes: int
    price_minor: int | None
    currency: str
    worked_from: datetime
    worked_minutes: int
    job_type: str
    level: str
    reason: str
    decided_by_name: str
    decided_at: datetime
    outcome: Literal["applied", "outdated"] | None
    """``null`` until the ledger has followed; ``outdated`` when the work had changed by then."""


class DecidedView(View):
    """The receipt of a decision."""

    time_entry_id: TimeEntryId
    decision: Literal["approved", "declined"]
    overage_minutes: int
    price_minor: int | None
    currency: str
    decided_at: datetime
