"""What-if in HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from msp_events.base import Level, Priority
from msp_kernel.business_time import Calendar
from msp_kit.api import Body, View
from sla.domain.compliance import Outcome
from sla.domain.targets import TARGET_MINUTES_MAX, Flags, Metric, Rule, refuse_ties
from sla.domain.whatif import Change, Replayed
from sla.reports import WhatIf
from sla.schemas.compliance import TallyView, tally_fields
from sla.schemas.ids import ClientId, ClockId, ContractId, TicketId


class FlagsBody(Body):
    """How targets would widen the windows of the calendar."""

    after_hours: bool = False
    weekends: bool = False
    holidays: bool = False


class TargetBody(Body):
    """One target that would have been promised; null keys match anything, a null budget says: no target."""

    metric: Metric
    priority: Priority | None = None
    level: Level | None = None
    job_type: Annotated[str, StringConstraints(max_length=40)] | None = None
    budget_minutes: Annotated[int, Field(gt=0, le=TARGET_MINUTES_MAX, strict=True)] | None = None
    after_hours: bool = False
    weekends: bool = False
    holidays: bool = False

    def rule(self, number: int) -> Rule:
        """Return the rule this asks for."""
        names = [self.metric, self.priority, self.level, self.job_type]
        return Rule(
            rule_id=f"{'-'.join(name for name in names if name)}#{number}",
            metric=self.metric,
            priority=self.priority,
            level=self.level,
            job_type=self.job_type,
            budget_minutes=self.budget_minutes,
            flags=Flags(self.after_hours, self.weekends, self.holidays),
        )


class WhatIfBody(Body):
    """The clocks of a period, and what would be promised instead; what is absent stays as it was."""

    from_: Annotated[date, Field(alias="from")]
    to: date
    client_id: ClientId | None = None
    contract_id: ContractId | None = None
    calendar: dict[str, Any] | None = None
    targets: Annotated[list[TargetBody], Field(max_length=300)] | None = None
    flags: FlagsBody | None = None

    def change(self) -> Change:
        """Return the change.

        Raises:
            CalendarWithoutHours, UnknownTimezone, BadWindow, BadDay: the calendar is none.
            TiedRules: two targets are equally specific.
        """
        rules = None
        if self.targets is not None:
            rules = tuple(target.rule(number) for number, target in enumerate(self.targets, 1))
            refuse_ties(rules)
        calendar = None if self.calendar is None else Calendar.from_json(self.calendar)
        if calendar is not None:
            calendar.refuse_overlaps()
        return Change(
            calendar=calendar,
            rules=rules,
            flags=None if self.flags is None else Flags(**self.flags.model_dump()),
        )


class ChangedView(View):
    """A clock that would count otherwise; outcomes are null where it would not count at all."""

    clock_id: ClockId
    ticket_id: TicketId
    ticket_ref: str
    client_id: ClientId
    metric: Metric
    outcome_before: Outcome | None
    outcome_after: Outcome | None
    budget_minutes_before: int
    budget_minutes_after: int | None
    consumed_seconds_before: int
    consumed_seconds_after: int | None

    @staticmethod
    def of(one: Replayed, *, ref: str) -> ChangedView:
        """Shape a clock that would count otherwise."""
        before, after = one.before, one.after
        return ChangedView(
            clock_id=before.id,
            ticket_id=before.ticket_id,
            ticket_ref=ref,
            client_id=before.client_id,
            metric=before.metric,
            outcome_before=one.outcome_before,
            outcome_after=one.outcome_after,
            budget_minutes_before=before.promise.budget_minutes,
            budget_minutes_after=None if after is None else after.budget_minutes,
            consumed_seconds_before=before.settled_seconds,
            consumed_seconds_after=None if after is None else after.settled_seconds,
        )


class WhatIfView(View):
    """Compliance of a period as it was and as it would have been, and the first 1,000 clocks that differ."""

    from_: date = Field(serialization_alias="from")
    to: date
    clock_count: int
    before: TallyView
    after: TallyView
    changed_count: int
    changed: Sequence[ChangedView]

    @staticmethod
    def of(found: WhatIf, body: WhatIfBody) -> WhatIfView:
        """Shape what a change would have done."""
        return WhatIfView(
            from_=body.from_,
            to=body.to,
            clock_count=found.clock_count,
            before=TallyView(**tally_fields(found.before)),
            after=TallyView(**tally_fields(found.after)),
            changed_count=found.changed_count,
            changed=[ChangedView.of(one, ref=found.refs[one.before.ticket_id]) for one in found.changed],
        )
