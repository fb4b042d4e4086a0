"""Bodies and answers about corrections by hand and closed periods."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints

from contracts.schemas.fields import MINUTES_MAX, Plain
from contracts.schemas.ids import ActorName, AdjustmentId, ClientId, ContractId, LotId, PeriodCloseId
from msp_kit.api import Body, View

Reason = Annotated[str, StringConstraints(min_length=3, max_length=500, strip_whitespace=True), Plain]


def _moves_something(minutes: int) -> int:
    if minutes == 0:
        message = "an adjustment adds minutes, or takes some (below zero)"
        raise ValueError(message)
    return minutes


class NewAdjustment(Body):
    """Minutes to be added to a lot, or taken from it (below zero), and why."""

    lot_id: LotId
    minutes: Annotated[int, Field(ge=-MINUTES_MAX, le=MINUTES_MAX, strict=True), AfterValidator(_moves_something)]
    reason: Reason


class AdjustmentView(View):
    """A correction of a lot: who asked, who decided."""

    id: AdjustmentId
    contract_id: ContractId
    lot_id: LotId
    minutes: int
    reason: str
    status: Literal["asked", "confirmed", "declined"]
    asked_by: ActorName
    asked_at: datetime
    decided_by: ActorName | None
    decided_at: datetime | None


class Reopening(Body):
    """Why a closed period is opened again."""

    reason: Reason


class PeriodCloseView(View):
    """A period of a client that was closed, with the totals that matched those of tickets."""

    period_close_id: PeriodCloseId
    client_id: ClientId
    closing: int
    """1, or how often it has been closed."""
    starts_on: date
    ends_on: date
    entry_count: int
    worked_minutes: int
    checksum: str
    closed_at: datetime
    reopened_at: datetime | None
    reopened_by: ActorName | None
    reopen_reason: str | None
    invoice: str | None
    """Number of an issued invoice: the period stays closed."""
