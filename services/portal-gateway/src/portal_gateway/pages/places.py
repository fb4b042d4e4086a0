"""Where people can go, and which keys do what: what the palette and the list of keys offer."""

from __future__ import annotations

from dataclasses import dataclass

from portal_gateway.language import mark
from portal_gateway.scope import Visitor

_MANAGERS = ("manager", "admin", "finance", "dispatcher")
_BILLERS = ("manager", "admin", "finance")
_AUTHORS = ("manager", "admin")
_DISPATCH = ("dispatcher", "manager", "admin")
PAGE, ACTION = mark("page"), mark("action")


@dataclass(frozen=True, slots=True)
class Place:
    """A page somebody may open."""

    icon: str
    name: str
    href: str
    roles: tuple[str, ...] = ()
    """Who may open it; empty: every role of the side."""
    hint: str = PAGE
    go: str = ""
    """The key that leads there after ``g``."""


DESK = (
    Place("bell", mark("Inbox"), "/desk/inbox", go="n"),
    Place("ticket", mark("My tickets"), "/desk/my", go="m"),
    Place("inbox", mark("All queues"), "/desk/queues", go="q"),
    Place("plus", mark("New ticket"), "/desk/tickets/new", hint=ACTION),
    Place("search", mark("Search"), "/desk/search"),
    Place("clock", mark("Time"), "/desk/time", go="t"),
    Place("lock", mark("Locked time"), "/desk/time/locks"),
    Place("folder-kanban", mark("Projects"), "/desk/projects", go="p"),
    Place("plus", mark("New project"), "/desk/projects/new", _DISPATCH, hint=ACTION),
    Place("users", mark("Workload"), "/desk/workload"),
    Place("layout-dashboard", mark("Operations"), "/desk/ops", _MANAGERS, go="d"),
    Place("gauge", mark("Wall board"), "/desk/ops?wall=1", _MANAGERS),
    Place("gauge", mark("SLA compliance"), "/desk/sla", _MANAGERS),
    Place("octagon-alert", mark("SLA breaches"), "/desk/sla/breaches", _MANAGERS),
    Place("list-checks", mark("SLA verdicts"), "/desk/sla/verdicts", _MANAGERS),
    Place("circle-alert", mark("SLA refusals"), "/desk/sla/refusals", _MANAGERS),
    Place("route", mark("SLA what-if"), "/desk/sla/what-if", _MANAGERS),
    Place("hourglass", mark("Buckets"), "/desk/buckets", _BILLERS),
    Place("list-checks", mark("Time approvals"), "/desk/approvals", _AUTHORS, go="a"),
    Place("receipt", mark("Invoice runs"), "/desk/billing/runs", _BILLERS),
    Place("eye", mark("Preview of invoices"), "/desk/billing/preview", _BILLERS),
    Place("file-text", mark("Invoices"), "/desk/billing/invoices", _BILLERS, go="i"),
    Place("wallet", mark("Receivables"), "/desk/billing/receivables", _BILLERS),
    Place("wallet", mark("Payments"), "/desk/billing/payments", _BILLERS),
    Place("plus", mark("Record a payment"), "/desk/billing/payments/new", _BILLERS, hint=ACTION),
    Place("wallet", mark("Bank statements"), "/desk/billing/bank", _BILLERS),
    Place("bell", mark("Reminders"), "/desk/billing/reminders", _BILLERS),
    Place("file-text", mark("Write-offs"), "/desk/billing/write-offs", _BILLERS),
    Place("chart-no-axes-column", mark("Financial health"), "/desk/billing/health", _BILLERS),
    Place("settings", mark("Billing settings"), "/desk/admin/billing", _BILLERS),
    Place("users", mark("Clients and contracts"), "/desk/clients", go="c"),
    Place("plus", mark("New client"), "/desk/new-client", _AUTHORS, hint=ACTION),
    Place("calendar", mark("Calendars"), "/desk/admin/calendars", _BILLERS),
    Place("plus", mark("New calendar"), "/desk/admin/calendars/new", _AUTHORS, hint=ACTION),
    Place("list-checks", mark("Job types and levels"), "/desk/admin/job-types", _BILLERS),
    Place("receipt", mark("Rate cards"), "/desk/admin/rate-cards", _BILLERS),
    Place("plus", mark("New rate card"), "/desk/admin/rate-cards/new", _AUTHORS, hint=ACTION),
    Place("route", mark("Routing"), "/desk/admin/routing"),
    Place("route", mark("Priorities"), "/desk/admin/priorities"),
    Place("message-square", mark("Replies and templates"), "/desk/texts"),
    Place("upload", mark("Import"), "/desk/admin/imports", _DISPATCH),
    Place("sun-moon", mark("Branding"), "/desk/admin/branding", ("admin",)),
)
PORTAL = (
    Place("layout-dashboard", mark("Home"), "/portal", go="d"),
    Place("bell", mark("Inbox"), "/portal/inbox", go="n"),
    Place("ticket", mark("Tickets"), "/portal/tickets", go="m"),
    Place("plus", mark("New ticket"), "/portal/tickets/new", hint=ACTION),
    Place("search", mark("Search"), "/portal/search"),
    Place("folder-kanban", mark("Projects"), "/portal/projects", go="p"),
    Place("hourglass", mark("Hours"), "/portal/hours", go="h"),
    Place("list-checks", mark("Approvals"), "/portal/approvals", ("approver", "admin"), go="a"),
    Place("receipt", mark("Invoices"), "/portal/invoices", go="i"),
    Place("wallet", mark("Statement of account"), "/portal/account"),
    Place("gauge", mark("Reports"), "/portal/reports", go="r"),
)
SETTINGS = (
    Place("lock", mark("Security"), "/settings/security"),
    Place("bell", mark("Notifications"), "/settings/notifications"),
    Place("settings", mark("Preferences"), "/settings/preferences", go="s"),
)
READERS = (
    Place("user-round", mark("People"), "/settings/people"),
    Place("scroll-text", mark("Audit log"), "/settings/audit"),
)
ADMINS = (Place("lock", mark("API keys"), "/settings/keys"),)


def places(visitor: Visitor) -> tuple[Place, ...]:
    """Return every page the visitor may open."""
    caller = visitor.caller
    side = DESK if caller.kind == "staff" else PORTAL
    found = tuple(one for one in side if not one.roles or caller.has_role(*one.roles))
    if visitor.is_viewing:
        return found
    if caller.has_role("admin") or (caller.kind == "staff" and caller.has_role("manager")):
        found += READERS
    return (*found, *SETTINGS, *(ADMINS if caller.has_role("admin") else ()))


@dataclass(frozen=True, slots=True)
class Key:
    """What a key does, and what a page must hold for it to do something."""

    keys: tuple[str, ...]
    what: str
    needs: str = ""
    """A CSS selector; empty: it works on every page."""


KEYS = (
    Key((mark("Ctrl"), "K"), mark("Search or run a command")),
    Key(("/",), mark("Search or run a command")),
    Key(("j",), mark("Next row"), "tr[data-href]"),
    Key(("k",), mark("Previous row"), "tr[data-href]"),
    Key((mark("Enter"),), mark("Open the row"), "tr[data-href]"),
    Key((".",), mark("Show what came to the list"), '[data-key="."]'),
    Key(("c",), mark("New ticket"), '[data-key="c"]'),
    Key(("i",), mark("Take the ticket"), '[data-key="i"]'),
    Key(("p",), mark("Wait for the client"), '[data-key="p"]'),
    Key(("e",), mark("Escalate"), '[data-key="e"]:not(tr *)'),
    Key(("e",), mark("Mark the row as done"), 'tr [data-key="e"]'),
    Key(("x",), mark("Resolve"), '[data-key="x"]'),
    Key(("r",), mark("Reply"), ".composer textarea"),
    Key(("n",), mark("Internal note"), '.composer [value="note"]'),
    Key(("a",), mark("Assign"), 'details [name="assignee_id"]'),
    Key((mark("Ctrl"), mark("Enter")), mark("Send what is written"), "textarea"),
    Key(("t",), mark("Log time"), '[name="duration"]'),
    Key(("s",), mark("Start or stop the timer"), '[data-key="s"]'),
    Key(("?",), mark("This list")),
    Key((mark("Esc"),), mark("Close what is open")),
)
