"""The base of every event, and the shapes shared by several owners.

An event carries the whole public state of the thing it speaks of, with a revision, so that a listener can keep up from
events alone and a lost database is rebuilt by a republish. Within a major version fields are only ever added.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

Minutes = Annotated[int, Field(ge=0, le=10**12)]
Level = Literal["L1", "L2", "L3", "SA"]
Priority = Literal["critical", "high", "medium", "low"]
RateCondition = Literal["regular", "after_hours", "weekend", "holiday"]

LEVELS: tuple[Level, ...] = ("L1", "L2", "L3", "SA")
PRIORITIES: tuple[Priority, ...] = ("critical", "high", "medium", "low")
RATE_CONDITIONS: tuple[RateCondition, ...] = ("regular", "after_hours", "weekend", "holiday")


class Shape(BaseModel):
    """A part of an event: immutable, and deaf to fields it does not know (they come from a newer speaker)."""

    model_config = ConfigDict(frozen=True, extra="ignore", use_attribute_docstrings=True)


class Event(Shape):
    """Something that happened, said by its owner.

    ``owner`` is the service that may say it, ``stream`` the kind of thing it is about, ``subject_field`` the field that
    names the very thing: events of one subject are numbered 1..n without a gap, in the order in which they happened.
    """

    owner: ClassVar[str]
    stream: ClassVar[str]
    major: ClassVar[int] = 1
    subject_field: ClassVar[str]

    occurred_at: AwareDatetime
    """When it happened in the world. An imported or late fact is older than the envelope's ``time``."""

    @classmethod
    def routing_key(cls) -> str:
        """Return ``<owner>.<stream>.v<major>.<Event>``, the key on the bus."""
        return f"{cls.owner}.{cls.stream}.v{cls.major}.{cls.__name__}"

    @classmethod
    def type_name(cls) -> str:
        """Return the CloudEvents ``type``: ``msp.`` and the routing key."""
        return f"msp.{cls.routing_key()}"

    def subject_id(self) -> UUID:
        """Return the id of the thing this event is about."""
        subject: UUID = getattr(self, self.subject_field)
        return subject

    def subject(self) -> str:
        """Return the stream this event belongs to: ``<stream>:<uuid>``."""
        return f"{self.stream}:{self.subject_id()}"

    def client(self) -> UUID | None:
        """Return the client the fact belongs to; ``None`` for what concerns staff only."""
        client: UUID | None = getattr(self, "client_id", None)
        return client


class Span(Shape):
    """A part of a time entry under one rate condition, as the contracts service stamped it.

    ``worked_minutes`` of the spans add up to the entry. ``billed_minutes`` are after rounding. ``bucket_minutes`` are
    what the bucket lost (billed from the bucket times weight); ``bucket_billed_minutes`` and ``overage_minutes`` are
    billed minutes and add up to ``billed_minutes`` unless the span is excluded (non-billable or included).
    """

    condition: RateCondition
    starts_at: AwareDatetime
    worked_minutes: Minutes
    billed_minutes: Minutes
    bucket_billed_minutes: Minutes = 0
    bucket_minutes: Minutes = 0
    overage_minutes: Minutes = 0
    time_and_materials_minutes: Minutes = 0
    excluded_minutes: Minutes = 0
    weight_percent: Annotated[int, Field(ge=0, le=100_000)] = 100
    rule_ids: tuple[str, ...] = ()


__all__ = [
    "LEVELS",
    "PRIORITIES",
    "RATE_CONDITIONS",
    "UUID",
    "AwareDatetime",
    "Event",
    "Field",
    "Level",
    "Minutes",
    "Priority",
    "RateCondition",
    "Shape",
    "Span",
    "date",
    "datetime",
]
