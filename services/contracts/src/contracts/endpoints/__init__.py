"""What the contracts service is asked over HTTP, and how its refusals are answered."""

from __future__ import annotations

from http import HTTPStatus

from contracts.actions import (
    adjustments as adjustment_actions,
    approvals as approval_actions,
    cases as case_actions,
    clients as client_actions,
    contracts as contract_actions,
    periods as period_actions,
    public_holidays,
    terms as term_actions,
)
from contracts.domain import cases as case_rules, contract as rules, funding, promises, sla_terms
from contracts.domain.coverage import AmbiguousContract
from contracts.endpoints import (
    adjustments,
    clients,
    contracts,
    coverage,
    forecasts,
    holidays,
    hours,
    statements,
    terms,
)
from contracts.reports.statements import StatementTooLong
from msp_kernel.business_time import BadDay, BadWindow, CalendarWithoutHours, UnknownTimezone
from msp_kernel.periods import NotWholeMonths
from msp_kit.problems import Problem

ROUTERS = (
    *forecasts.ROUTERS,
    *contracts.ROUTERS,
    *statements.ROUTERS,
    *adjustments.ROUTERS,
    *terms.ROUTERS,
    *coverage.ROUTERS,
    *hours.ROUTERS,
    *holidays.ROUTERS,  # before a calendar of that name would be looked for
    *clients.ROUTERS,
)

_BAD, _CONFLICT = HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT

PROBLEMS: dict[type[Exception], Problem] = {
    client_actions.ClientCodeTaken: Problem(_CONFLICT, "The client code is taken"),
    client_actions.ClientExists: Problem(_CONFLICT, "A client with this id exists"),
    client_actions.JobTypeCodeTaken: Problem(_CONFLICT, "The job type code is taken"),
    public_holidays.UnknownHolidays: Problem(_BAD, "No public holidays are known for this place"),
    contract_actions.ContractRefTaken: Problem(_CONFLICT, "The contract ref is taken"),
    client_actions.CurrencyOfCardChanges: Problem(_BAD, "A rate card keeps its currency"),
    term_actions.UnknownJobTypes: Problem(_BAD, "The catalogue has no such job type"),
    contract_actions.CurrenciesDiffer: Problem(_BAD, "Rate card and contract are in different currencies"),
    contract_actions.BucketDoesNotFit: Problem(_BAD, "This type of contract has no such bucket"),
    clients.ClientNotNamed: Problem(_BAD, "Say which client it is for"),
    rules.ContractNotReady: Problem(_BAD, "The contract cannot be activated yet"),
    rules.ContractNotDraft: Problem(_CONFLICT, "The contract is not a draft"),
    rules.ContractNotActive: Problem(_CONFLICT, "The contract is not active"),
    promises.AmbiguousTargets: Problem(_BAD, "Two SLA targets are equally specific"),
    rules.AmbiguousRates: Problem(_BAD, "Two rates are equally specific"),
    rules.AmendedMeanwhile: Problem(_CONFLICT, "The contract was amended meanwhile"),
    rules.TermsRefused: Problem(_BAD, "The linter refuses these terms"),
    rules.TermsFrozen: Problem(_CONFLICT, "This is frozen since the contract was activated"),
    rules.VersionsOverlap: Problem(_BAD, "Two versions would be in force on the same day"),
    rules.VersionsLeaveGap: Problem(_BAD, "Some days would have no terms"),
    case_rules.ContractTestsFailed: Problem(_BAD, "Tests of the contract fail"),
    case_rules.BadCase: Problem(_BAD, "The contract test cannot be read"),
    case_actions.ContractTestNameTaken: Problem(_CONFLICT, "The contract has a test of this name"),
    case_actions.TooManyContractTests: Problem(_CONFLICT, "The contract has too many tests"),
    AmbiguousContract: Problem(_BAD, "Several contracts cover this"),
    approval_actions.NothingToApprove: Problem(_CONFLICT, "Nothing waits for approval here"),
    approval_actions.ApprovalOutdated: Problem(_CONFLICT, "The work has changed since you looked"),
    approval_actions.AlreadyDecided: Problem(_CONFLICT, "This was decided a moment ago"),
    sla_terms.QuietHoursNeverEnd: Problem(_BAD, "The quiet hours never end"),
    sla_terms.AmbiguousCredits: Problem(_BAD, "Two credit rules have one id"),
    rules.AmendmentTooEarly: Problem(_BAD, "The change would take effect too early"),
    rules.ContractEndsTooEarly: Problem(_BAD, "The contract cannot end on this day"),
    funding.LotCannotBeAdjusted: Problem(_CONFLICT, "The lot cannot be adjusted"),
    funding.LotHasTooLittle: Problem(_CONFLICT, "The lot has too little left"),
    adjustment_actions.AdjustmentDecided: Problem(_CONFLICT, "The adjustment is decided already"),
    adjustment_actions.SecondPersonMissing: Problem(_CONFLICT, "Somebody else must confirm"),
    period_actions.PeriodNotLatest: Problem(_CONFLICT, "A later period is closed, too"),
    period_actions.PeriodInvoiced: Problem(_CONFLICT, "The period is invoiced"),
    StatementTooLong: Problem(_BAD, "The period has too many lines"),
    NotWholeMonths: Problem(_BAD, "The period is not one of whole months"),
    CalendarWithoutHours: Problem(_BAD, "The calendar has no hours"),
    UnknownTimezone: Problem(_BAD, "There is no such time zone"),
    BadWindow: Problem(_BAD, "A window of the calendar is not right"),
    BadDay: Problem(_BAD, "A day of the calendar is not right"),
}
