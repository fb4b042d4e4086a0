"""What contracts asks the client, and what the client answered."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime

from msp_events.base import Level, Minutes
from msp_events.contracts.speaker import ContractsEvent


class ApprovalState(ContractsEvent):
    """Work beyond the bucket that only the client can agree to (policy ``needs_approval``)."""

    stream: ClassVar[str] = "approval"
    subject_field: ClassVar[str] = "time_entry_id"

    time_entry_id: UUID
    client_id: UUID
    contract_id: UUID
    entry_revision: int
    worked_from: AwareDatetime
    worked_minutes: Minutes
    overage_minutes: Minutes
    """Billed minutes the bucket does not pay."""
    price_minor: int | None = None
    """What they will cost; ``None`` while a rate is missing."""
    currency: str
    job_type: str
    level: Level
    ticket_id: UUID | None = None


class ApprovalRequested(ApprovalState):
    """A time entry waits for the client: its hold stands, and it is not posted before the client agrees."""


class ApprovalDecided(ApprovalState):
    """The client agreed to pay for work beyond the bucket, or declined."""

    decision: Literal["approved", "declined"]
    decided_by: str
    decided_by_name: str
    reason: str = ""
