"""Every event there is, by its CloudEvents type, and who hears which stream."""

from __future__ import annotations

from collections.abc import Mapping

from msp_events import billing, contracts, monitoring, portal, sla, tickets
from msp_events.base import Event

EVENTS: tuple[type[Event], ...] = (
    contracts.ClientRegistered,
    contracts.ClientUpdated,
    contracts.JobTypeDefined,
    contracts.ContractActivated,
    contracts.ContractAmended,
    contracts.ContractEnded,
    contracts.HoursHeld,
    contracts.HoursPosted,
    contracts.HoursReleased,
    contracts.TimeRefused,
    contracts.ApprovalRequested,
    contracts.ApprovalDecided,
    contracts.BucketBalanceChanged,
    contracts.BucketThresholdCrossed,
    contracts.BucketShortfallForecast,
    contracts.BucketExhausted,
    contracts.PeriodClosed,
    contracts.PeriodReopened,
    tickets.TicketRaised,
    tickets.TicketUpdated,
    tickets.TicketAssigned,
    tickets.TicketResolved,
    tickets.TicketClosed,
    tickets.TicketReopened,
    tickets.MessagePosted,
    tickets.ProjectCreated,
    tickets.ProjectUpdated,
    tickets.TaskAdded,
    tickets.TaskUpdated,
    tickets.TimeLogged,
    tickets.TimeApproved,
    tickets.TimeRejected,
    tickets.TimeVoided,
    tickets.WorklogSealed,
    tickets.PeriodSealRefused,
    tickets.ImportFinished,
    tickets.TimeWaiting,
    tickets.TimeUnsubmitted,
    sla.ClockStarted,
    sla.ClockPaused,
    sla.ClockResumed,
    sla.ClockRetargeted,
    sla.SlaMet,
    sla.SlaMissed,
    sla.ClockExcluded,
    sla.SlaAtRisk,
    sla.SlaBreached,
    sla.SlaBreachVoided,
    sla.EscalationRequested,
    sla.SlaCreditEarned,
    sla.SlaCreditWithdrawn,
    billing.PeriodCloseRequested,
    billing.BillingRunReady,
    billing.BillingRunFinished,
    billing.InvoiceDrafted,
    billing.InvoiceIssued,
    billing.CreditNoteIssued,
    billing.PaymentRecorded,
    billing.InvoiceBalanceChanged,
    billing.InvoiceSentAgain,
    billing.InvoiceReminderDue,
    portal.PersonJoined,
    portal.PersonUpdated,
    portal.InboxChanged,
    monitoring.AlertFired,
    monitoring.AlertCleared,
)

BY_TYPE: dict[str, type[Event]] = {event.type_name(): event for event in EVENTS}

SERVICES: tuple[str, ...] = ("tickets", "sla", "contracts", "billing", "portal-gateway")

OUTSIDE: tuple[str, ...] = ("monitoring",)
"""Owners of events that are no service of the platform: other systems, on the same bus."""

HEARS: dict[str, tuple[str, ...]] = {
    "tickets": (
        "contracts.client",
        "contracts.job_type",
        "contracts.contract",
        "contracts.hours",
        "contracts.bucket",
        "contracts.period",
        "sla.clock",
        "billing.run",
        "portal-gateway.person",
        "monitoring.alert",
    ),
    "sla": ("contracts.client", "contracts.contract", "tickets.ticket"),
    "contracts": ("tickets.time_entry", "tickets.period", "billing.invoice", "billing.credit_note"),
    "billing": (
        "contracts.client",
        "contracts.contract",
        "contracts.hours",
        "contracts.period",
        "tickets.period",
        "sla.credit",
    ),
    "portal-gateway": (
        "contracts.client",
        "contracts.contract",
        "contracts.bucket",
        "contracts.approval",
        "tickets.ticket",
        "sla.clock",
        "billing.invoice",
        "billing.receivable",
        "billing.billing_run",
        "tickets.import",
        "tickets.worklog",
        "portal-gateway.inbox",
    ),
}
"""Whole streams (``<owner>.<stream>``) each service is bound to. Never single types: numbers would have holes."""

KIND_OF: Mapping[str, str] = {
    **{event.stream: event.subject_field.removesuffix("_id").replace("_", " ") for event in EVENTS},
    # A credit note is read where invoices are, and has an id of their kind.
    "credit_note": "invoice",
}
"""What the subjects of a stream are, in the words of ``msp_kernel.ids.PREFIXES``."""


def streams_of(owner: str) -> tuple[str, ...]:
    """Return the streams ``owner`` speaks on, in catalogue order."""
    return tuple(dict.fromkeys(event.stream for event in EVENTS if event.owner == owner))


def hearers(owner: str, stream: str) -> tuple[str, ...]:
    """Return the services bound to a stream; empty when nobody listens."""
    return tuple(service for service, streams in HEARS.items() if f"{owner}.{stream}" in streams)
