"""Stamped work: one entry as an invoice lists it, and any number of entries added up as far as prices can tell."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple
from uuid import UUID

from billing.domain.profile import cleaned

Section = Literal["support", "project"]
WorkKind = Literal["overage", "time_and_materials"]


@dataclass(frozen=True, slots=True)
class WorkSpan:
    """A stamped part of a time entry, in billed minutes."""

    condition: str
    overage_minutes: int
    time_and_materials_minutes: int
    weight_percent: int


@dataclass(frozen=True, slots=True)
class Work:
    """A posted time entry with its stamp."""

    time_entry_id: UUID
    contract_id: UUID
    contract_version: int
    worked_from: datetime
    worked_minutes: int
    billed_minutes: int
    bucket_minutes: int
    job_type: str
    level: str
    agent_name: str
    note: str
    is_late: bool
    spans: tuple[WorkSpan, ...]
    section: Section = "support"
    """Whether it was done on a ticket or on a task of a project."""
    excluded_minutes: int = 0
    rule_ids: tuple[str, ...] = ()


class Ask(NamedTuple):
    """Everything the price of some minutes depends on: minutes that ask the same have one price."""

    contract_id: UUID
    contract_version: int
    kind: WorkKind
    job_type: str
    level: str
    condition: str
    weight_percent: int
    section: Section


@dataclass(frozen=True, slots=True)
class Summed:
    """Work added up: as small for a million entries as for ten."""

    worked: Mapping[tuple[UUID, int], int]
    """Worked minutes by contract and version, of every entry."""
    asked: Mapping[Ask, int]
    """Minutes to be priced; those first that were first worked."""

    @classmethod
    def of(cls, works: Iterable[Work]) -> Summed:
        """Return some work added up. The database adds up in the same way what waits for its invoice."""
        worked: dict[tuple[UUID, int], int] = {}
        asked: dict[Ask, tuple[datetime, int]] = {}
        for work in works:
            key = (work.contract_id, work.contract_version)
            worked[key] = worked.get(key, 0) + work.worked_minutes
            for ask, minutes in asks_of(work):
                first, so_far = asked.get(ask, (work.worked_from, 0))
                asked[ask] = (min(first, work.worked_from), so_far + minutes)
        return cls.by_first(worked, ((first, ask, minutes) for ask, (first, minutes) in asked.items()))

    @classmethod
    def by_first(cls, worked: Mapping[tuple[UUID, int], int], asked: Iterable[tuple[datetime, Ask, int]]) -> Summed:
        """Return sums with what was worked first in front; at one instant, the older version."""
        return cls(worked, {ask: minutes for _, ask, minutes in sorted(asked)})


def in_order(works: Iterable[Work]) -> list[Work]:
    """Return entries as invoices list them: oldest first."""
    return sorted(works, key=lambda one: (one.worked_from, one.time_entry_id))


def asks_of(work: Work) -> Iterator[tuple[Ask, int]]:
    """Return what an entry asks a price for, with the minutes: what is beyond a bucket, and time and materials."""
    for span in work.spans:
        minutes: tuple[tuple[WorkKind, int], ...] = (
            ("overage", span.overage_minutes),
            ("time_and_materials", span.time_and_materials_minutes),
        )
        for kind, asked in minutes:
            if asked:
                yield (
                    Ask(
                        work.contract_id,
                        work.contract_version,
                        kind,
                        work.job_type,
                        work.level,
                        span.condition,
                        span.weight_percent,
                        work.section,
                    ),
                    asked,
                )


def entry_of(work: Work) -> dict[str, Any]:
    """Return what an invoice says of an entry, whatever it costs."""
    return {
        "time_entry_id": str(work.time_entry_id),
        "contract_id": str(work.contract_id),
        "worked_from": work.worked_from.isoformat(),
        "worked_minutes": work.worked_minutes,
        "billed_minutes": work.billed_minutes,
        "bucket_minutes": work.bucket_minutes,
        "overage_minutes": sum(span.overage_minutes + span.time_and_materials_minutes for span in work.spans),
        "job_type": work.job_type,
        "level": work.level,
        "agent_name": work.agent_name,
        "note": cleaned(work.note),
        "is_late": work.is_late,
        "section": work.section,
        "excluded_minutes": work.excluded_minutes,
        "contract_version": work.contract_version,
        "rule_ids": list(work.rule_ids),
    }
