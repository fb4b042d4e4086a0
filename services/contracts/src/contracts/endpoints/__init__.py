"""What the contracts service is asked over HTTP, and how its refusals are answered."""

from __future__ import annotations

from http import HTTPStatus

from contracts.actions import clients as client_actions, contracts as contract_actions, public_holidays
from contracts.domain import contract as rules, sla_terms
from contracts.endpoints import clients, contracts, holidays, hours
from msp_kernel.business_time import BadDay, BadWindow, CalendarWithoutHours, UnknownTimezone
from msp_kit.problems import Problem

ROUTERS = (*contracts.ROUTERS, *hours.ROUTERS, *clients.ROUTERS, *holidays.ROUTERS)

_BAD, _CONFLICT = HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT

PROBLEMS: dict[type[Exception], Problem] = {
    client_actions.ClientCodeTaken: Problem(_CONFLICT, "The client code is taken"),
    client_actions.ClientExists: Problem(_CONFLICT, "A client with this id exists"),
    client_actions.JobTypeCodeTaken: Problem(_CONFLICT, "The job type code is taken"),
    public_holidays.UnknownHolidays: Problem(_BAD, "No public holidays are known for this place"),
    contract_actions.ContractRefTaken: Problem(_CONFLICT, "The contract ref is taken"),
    contract_actions.UnknownJobTypes: Problem(_BAD, "The catalogue has no such job type"),
    contract_actions.CurrenciesDiffer: Problem(_BAD, "Rate card and contract are in different currencies"),
    contract_actions.BucketDoesNotFit: Problem(_BAD, "This type of contract has no such bucket"),
    clients.ClientNotNamed: Problem(_BAD, "Say which client it is for"),
    rules.ContractNotReady: Problem(_BAD, "The contract cannot be activated yet"),
    rules.ContractNotDraft: Problem(_CONFLICT, "The contract is not a draft"),
    rules.ContractNotActive: Problem(_CONFLICT, "The contract is not active"),
    rules.AmbiguousTargets: Problem(_BAD, "Two SLA targets are equally specific"),
    rules.AmbiguousRates: Problem(_BAD, "Two rates are equally specific"),
    sla_terms.QuietHoursNeverEnd: Problem(_BAD, "The quiet hours never end"),
    sla_terms.AmbiguousCredits: Problem(_BAD, "Two credit rules have one id"),
    rules.AmendmentTooEarly: Problem(_BAD, "The change would take effect too early"),
    rules.ContractEndsTooEarly: Problem(_BAD, "The contract cannot end on this day"),
    CalendarWithoutHours: Problem(_BAD, "The calendar has no hours"),
    UnknownTimezone: Problem(_BAD, "There is no such time zone"),
    BadWindow: Problem(_BAD, "A window of the calendar is not right"),
    BadDay: Problem(_BAD, "A day of the calendar is not right"),
}
