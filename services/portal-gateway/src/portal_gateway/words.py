"""The words of the domain: what the services' codes are called on every page. One table, so that a thing has one name."""

from __future__ import annotations

from collections.abc import Mapping

from portal_gateway.language import CURRENT, gettext, mark

PRIORITY: Mapping[str, str] = {
    "critical": mark("Critical"),
    "high": mark("High"),
    "medium": mark("Medium"),
    "low": mark("Low"),
}
METRIC: Mapping[str, str] = {
    "first_response": mark("First response"),
    "next_response": mark("Next response"),
    "resolution": mark("Resolution"),
}
TICKET_STATUS: Mapping[str, str] = {
    "new": mark("New"),
    "open": mark("In progress"),
    "waiting_on_client": mark("Waiting for client"),
    "waiting_on_vendor": mark("Waiting for supplier"),
    "scheduled": mark("Scheduled"),
    "resolved": mark("Resolved"),
    "closed": mark("Closed"),
}
WEEKDAYS: Mapping[str, str] = {
    "mon": mark("Monday"),
    "tue": mark("Tuesday"),
    "wed": mark("Wednesday"),
    "thu": mark("Thursday"),
    "fri": mark("Friday"),
    "sat": mark("Saturday"),
    "sun": mark("Sunday"),
}
DAYS = (mark("Mon"), mark("Tue"), mark("Wed"), mark("Thu"), mark("Fri"), mark("Sat"), mark("Sun"))
CONDITION: Mapping[str, str] = {
    "regular": mark("Regular"),
    "after_hours": mark("After hours"),
    "weekend": mark("Weekend"),
    "holiday": mark("Holiday"),
    "any": mark("Any"),
}
METHODS: Mapping[str, str] = {
    "bank transfer": mark("Bank transfer"),
    "direct debit": mark("Direct debit"),
    "card": mark("Card"),
    "cheque": mark("Cheque"),
    "cash": mark("Cash"),
}
ROLES: Mapping[str, str] = {
    "agent": mark("Agent"),
    "dispatcher": mark("Dispatcher"),
    "manager": mark("Manager"),
    "finance": mark("Finance"),
    "admin": mark("Administrator"),
    "requester": mark("Requester"),
    "approver": mark("Approver"),
    "billing": mark("Billing"),
}
WORDS: Mapping[str, str] = {
    **PRIORITY,
    **METRIC,
    **TICKET_STATUS,
    **CONDITION,
    **METHODS,
    # Links between tickets.
    "relates_to": mark("Relates to"),
    "duplicates": mark("Duplicate of"),
    "blocks": mark("Blocks"),
    "caused_by": mark("Caused by"),
    # Time entries, approvals, hours.
    "submitted": mark("Submitted"),
    "approved": mark("Approved"),
    "rejected": mark("Rejected"),
    "voided": mark("Voided"),
    "waiting": mark("Waiting"),
    "declined": mark("Declined"),
    "asked": mark("Asked"),
    "confirmed": mark("Confirmed"),
    "held": mark("Held"),
    "posted": mark("Posted"),
    "released": mark("Released"),
    "refused": mark("Refused"),
    # The hours ledger: where a lot comes from, and what kind a posting is of.
    "purchase": mark("Purchase"),
    "top_up": mark("Top-up"),
    "carried": mark("Carried"),
    "grant": mark("Grant"),
    "carry": mark("Carry-over"),
    "adjust": mark("Adjustment"),
    "hold": mark("Hold"),
    "post": mark("Posting"),
    "release": mark("Release"),
    "correct": mark("Correction"),
    "expire": mark("Expiry"),
    # Contracts and their versions.
    "bucket": mark("Bucket"),
    "time_and_materials": mark("Time and materials"),
    "retainer": mark("Retainer"),
    "draft": mark("Draft"),
    "active": mark("Active"),
    "ended": mark("Ended"),
    "past": mark("Past"),
    "in_force": mark("In force"),
    "future": mark("Future"),
    "replaced": mark("Replaced"),
    "added": mark("Added"),
    "removed": mark("Removed"),
    "changed": mark("Changed"),
    "refusal": mark("Refusal"),
    "warning": mark("Warning"),
    # Clocks: why they were paused, resumed or went another way, and how they ended.
    "met": mark("Met"),
    "missed": mark("Missed"),
    "excluded": mark("Not counted"),
    "running": mark("Running"),
    "paused": mark("Paused"),
    "stopped": mark("Stopped"),
    "at_risk": mark("At risk"),
    "breach": mark("Breach"),
    "escalate": mark("Escalation"),
    "retarget": mark("Target was changed"),
    "answered": mark("Answered"),
    "raised": mark("Raised"),
    "closed without being resolved": mark("Closed without being resolved"),
    "no target any more": mark("No target any more"),
    # Invoice runs and what is on an invoice.
    "closing": mark("Closing"),
    "drafting": mark("Drafting"),
    "review": mark("Review"),
    "blocked": mark("Blocked"),
    "issuing": mark("Issuing"),
    "issued": mark("Issued"),
    "requested": mark("Requested"),
    "sealed": mark("Sealed"),
    "drafted": mark("Drafted"),
    "nothing": mark("Nothing to bill"),
    "invoice": mark("Invoice"),
    "credit_note": mark("Credit note"),
    "payment": mark("Payment"),
    "refund": mark("Refund"),
    "write_off": mark("Write-off"),
    "all": mark("Everything"),
    "time": mark("Time"),
    "items": mark("Items"),
    "overage": mark("Overage"),
    "fixed": mark("Fixed price"),
    "discount": mark("Discount"),
    "minimum": mark("Minimum"),
    "credit": mark("Credit"),
    # Fields, where a refusal names one.
    "title": mark("Title"),
    "description": mark("Description"),
    "priority": mark("Priority"),
    "status": mark("Status"),
    "level": mark("Level"),
    "handling_level": mark("Handled by"),
    "job_type": mark("Job type"),
    "queue": mark("Queue"),
    "assignee_id": mark("Assignee"),
    "tags": mark("Tags"),
    "note": mark("Note"),
    "reason": mark("Reason"),
    "body": mark("Text"),
    "worked_minutes": mark("Duration"),
    "worked_from": mark("Start"),
    "contract_version": mark("Contract version"),
    "rate_card_version": mark("Version of the rate card"),
    "rule_id": mark("Rule"),
    "rate_minor": mark("Rate"),
    "condition": mark("Condition"),
    "client_id": mark("Client"),
    "contract_id": mark("Contract"),
    "contract": mark("Contract"),
    "version": mark("Version"),
    "kind": mark("Kind"),
    "text": mark("Text"),
    # The audit log.
    "api-key-made": mark("API key made"),
    "api-key-revoked": mark("API key revoked"),
    "authenticator-app-added": mark("Authenticator app added"),
    "authenticator-app-removed": mark("Authenticator app removed"),
    "branding-changed": mark("Branding changed"),
    "identity-provider-added": mark("Identity provider added"),
    "notification-mail-stopped": mark("Notification mail stopped"),
    "passkey-added": mark("Passkey added"),
    "passkey-removed": mark("Passkey removed"),
    "password-chosen": mark("Password chosen"),
    "person-added": mark("Person added"),
    "person-changed": mark("Person changed"),
    "person-invited": mark("Person invited"),
    "recovery-codes-made": mark("Recovery codes made"),
    "second-factor-policy": mark("Second factor policy"),
    "second-factors-removed": mark("Second factors removed"),
    "session-ended": mark("Session ended"),
    "sessions-ended": mark("Sessions ended"),
    "sign-in": mark("Sign in"),
    "step": mark("Step"),
    "step-up": mark("Step up"),
    "view-as-client": mark("View as client"),
    "view-as-client-ended": mark("View as client ended"),
}


def word(code: str) -> str:
    """Return a code of a service as a word, as it begins a line."""
    if code in WORDS:
        return gettext(WORDS[code])
    plain = code.replace("_", " ").replace("-", " ")
    return plain[:1].upper() + plain[1:]


def inside(text: str) -> str:
    """Return a word as it stands inside of a sentence: English begins it small, German tells nouns by their capitals."""
    return text if CURRENT.get().startswith("de") else text[:1].lower() + text[1:]
