"""The appendix of an invoice: how a bucket was used in a period."""

from __future__ import annotations

from uuid import UUID

from msp_events.base import Minutes, Shape


class BucketStatement(Shape):
    """Consumption of one contract's bucket in a period: the appendix of the invoice."""

    contract_id: UUID
    opening_minutes: int
    granted_minutes: Minutes
    consumed_minutes: Minutes
    expired_minutes: Minutes
    closing_minutes: int
    overage_minutes: Minutes
    carried_in_minutes: Minutes = 0
    carried_out_minutes: Minutes = 0
    adjusted_minutes: int = 0
    """Closing is opening + granted + carried in + adjusted - consumed - expired - carried out."""
