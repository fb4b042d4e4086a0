"""The HTTP doors of the billing service."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus

from fastapi import APIRouter

from billing.actions import profiles as profile_actions, runs as run_actions
from billing.domain import credit_note, payments as money
from billing.domain.invoice import TotalsDiffer
from billing.domain.pricing import MixedCurrencies, PricesMissing, RateNotPossible, SameSpecificity
from billing.domain.profile import InvoiceIncomplete, LogoNotUsable
from billing.endpoints import invoices, payments, profiles, reports, runs
from billing.providers import NoProvider, NoticeNotBelieved
from msp_kit.problems import Problem

_UNPROCESSABLE, _CONFLICT = HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.CONFLICT
PROBLEMS: Mapping[type[Exception], Problem] = {
    run_actions.PeriodTooLong: Problem(_UNPROCESSABLE, "The period is not valid"),
    run_actions.PeriodOverlaps: Problem(_CONFLICT, "The period overlaps one that is billed"),
    run_actions.WorkChanged: Problem(_CONFLICT, "Work changed in the meantime"),
    run_actions.NothingToIssue: Problem(_CONFLICT, "There is nothing to issue"),
    TotalsDiffer: Problem(_CONFLICT, "Tickets, ledger and billing do not agree"),
    PricesMissing: Problem(_CONFLICT, "Prices are missing"),
    SameSpecificity: Problem(_CONFLICT, "Two rates fit equally well"),
    RateNotPossible: Problem(_CONFLICT, "A rate is not possible"),
    MixedCurrencies: Problem(_UNPROCESSABLE, "The currencies differ"),
    InvoiceIncomplete: Problem(_CONFLICT, "A draft is not ready to be issued"),
    LogoNotUsable: Problem(_UNPROCESSABLE, "The logo cannot be used"),
    profile_actions.CreditNotOpen: Problem(_CONFLICT, "The credit is not open"),
    credit_note.MoreThanIsLeft: Problem(_CONFLICT, "More than is left to be credited"),
    credit_note.NothingToCredit: Problem(_CONFLICT, "There is nothing to credit"),
    credit_note.NotAnInvoice: Problem(_CONFLICT, "Only issued invoices can be credited"),
    credit_note.LineUnknown: Problem(_UNPROCESSABLE, "The invoice has no such line"),
    money.MoreThanThereIs: Problem(_CONFLICT, "More than there is"),
    money.PaymentKnown: Problem(_CONFLICT, "The payment is recorded already"),
    money.CurrencyDiffers: Problem(_UNPROCESSABLE, "The currencies differ"),
    money.SecondPersonNeeded: Problem(HTTPStatus.FORBIDDEN, "A second person has to approve"),
    money.AlreadyDecided: Problem(_CONFLICT, "The write-off was decided before"),
    NoProvider: Problem(_CONFLICT, "Online payment is not set up"),
    NoticeNotBelieved: Problem(HTTPStatus.FORBIDDEN, "The notice is not believed"),
    money.PaymentGivenBack: Problem(_CONFLICT, "Some of the money was given back"),
    money.NotABankStatement: Problem(_UNPROCESSABLE, "The file is no bank statement"),
}
ROUTERS: tuple[APIRouter, ...] = (runs.router, invoices.router, profiles.router, payments.router, reports.router)
