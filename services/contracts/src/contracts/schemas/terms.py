"""Versions, their differences, what the linter says, and contract tests."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from contracts.domain.cases import instant
from contracts.schemas.contracts import FindingView, RuleId
from contracts.schemas.fields import MINUTES_MAX, Name, Word, sane_year
from contracts.schemas.ids import ActorName, ContractId, ContractTestId, Document
from msp_events.base import Level, Priority, RateCondition
from msp_events.contracts import ClockMetric
from msp_kit.api import Body, View

_MONDAY = datetime.fromisoformat("2026-01-05T00:00:00+00:00")


def _readable(text: str) -> str:
    sane_year(instant(text, since=_MONDAY, timezone="UTC"))
    return text


At = Annotated[str, StringConstraints(max_length=40), AfterValidator(_readable)]
"""``Sun 10:00`` in the contract's zone, or an ISO 8601 instant with its offset."""
Count = Annotated[int, Field(ge=0, le=MINUTES_MAX, strict=True)]
Amount = Annotated[str, StringConstraints(pattern=r"^[0-9]{1,12}(\.[0-9]{1,3})?$")]


class DifferenceView(View):
    """One thing that changed, in words and as data."""

    term: str
    key: str
    kind: Literal["added", "removed", "changed"]
    before: Any
    after: Any
    text: str


class VersionView(View):
    """One version of a contract: from when to when it holds, who made it, and what it changed."""

    version: int
    effective_from: date
    effective_to: date | None
    """Exclusive; ``null`` runs on."""
    state: Literal["past", "in_force", "future", "replaced"]
    """``replaced``: another version of the same day took its place."""
    recorded_at: datetime
    actor: ActorName
    changes: list[DifferenceView]
    """Against the version before it."""


class VersionTermsView(View):
    """The whole terms of one version."""

    version: int
    effective_from: date
    terms: Document


class DiffView(View):
    """What changed between two versions."""

    from_version: int
    to_version: int
    changes: list[DifferenceView]


class LintView(View):
    """What the linter says about the newest terms."""

    contract_id: ContractId
    version: int
    is_refused: bool
    items: list[FindingView]


class GivenBody(Body):
    """What is so before anything happens."""

    available_minutes: Count = 0
    """What the bucket has left."""


class TicketWhen(Body):
    """A ticket is raised."""

    event: Literal["ticket"]
    priority: Priority
    level: Level
    job_type: Word
    at: At
    metric: ClockMetric = "resolution"


class WorkWhen(Body):
    """Time is logged."""

    event: Literal["work"]
    job_type: Word
    level: Level
    at: At
    minutes: Annotated[int, Field(ge=1, le=1440, strict=True)]


_OF_TICKET = {"has_target", "rule_id", "budget_minutes", "due_in_minutes", "due_at"}


class ExpectBody(Body):
    """What must come of it; only what is given is compared."""

    has_target: bool | None = None
    rule_id: RuleId | None = None
    budget_minutes: Count | None = None
    due_in_minutes: Count | None = None
    """Minutes on the clock on the wall, not business minutes."""
    due_at: At | None = None
    answer: Literal["covered", "overage", "not_covered", "needs_approval"] | None = None
    refusal: RuleId | None = None
    billed_minutes: Count | None = None
    bucket_minutes: Count | None = None
    overage_minutes: Count | None = None
    time_and_materials_minutes: Count | None = None
    excluded_minutes: Count | None = None
    price: Amount | None = None
    """Of everything the bucket does not pay, in the contract's currency: ``138.00``."""
    overage_price: Amount | None = None
    conditions: Annotated[list[RateCondition], Field(max_length=20)] | None = None


class CaseBody(Body):
    """A contract test: given, when, expect."""

    name: Name
    given: GivenBody = GivenBody()
    when: Annotated[TicketWhen | WorkWhen, Field(discriminator="event")]
    expect: ExpectBody

    @model_validator(mode="after")
    def _expects_what_can_come_of_it(self) -> Self:
        expected = set(self.expect.model_dump(exclude_none=True))
        possible = _OF_TICKET if self.when.event == "ticket" else set(ExpectBody.model_fields) - _OF_TICKET
        if not expected or expected - possible:
            wrong = f", not {', '.join(sorted(expected - possible))}" if expected else ""
            message = f"after a {self.when.event}, expect at least one of {', '.join(sorted(possible))}{wrong}"
            raise ValueError(message)
        return self

    def document(self) -> dict[str, Any]:
        """Return the test as it is kept."""
        return {**self.model_dump(exclude={"expect"}), "expect": self.expect.model_dump(exclude_none=True)}


class CaseView(View):
    """A contract test as it was written."""

    id: ContractTestId
    name: str
    given: dict[str, Any]
    when: dict[str, Any]
    expect: dict[str, Any]


class CasesView(View):
    """The tests of a contract."""

    items: list[CaseView]


class ComparisonView(View):
    """One expectation and what was found."""

    what: str
    expected: Any
    found: Any
    is_met: bool


class OutcomeView(View):
    """What became of a test."""

    name: str
    is_passed: bool
    text: str
    comparisons: list[ComparisonView]


class OutcomesView(View):
    """What became of all tests of a contract under one version."""

    contract_id: ContractId
    version: int
    is_passed: bool
    items: list[OutcomeView]


class ProposalView(View):
    """What an amendment would change, and what speaks against it."""

    contract_id: ContractId
    version: int
    effective_from: date
    changes: list[DifferenceView]
    lint: list[FindingView]
    tests: list[OutcomeView]
    """None while the linter refuses the terms."""
    is_refused: bool
    """A finding refuses the terms, or a test does not hold."""
