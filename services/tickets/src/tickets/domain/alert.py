"""What an alert does to its ticket: opens, tells, opens again, resolves; or nothing, when it is old news."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

State = Literal["firing", "cleared"]
Step = Literal["nothing", "open", "reopen", "tell", "resolve"]
PRIORITY_OF = {"critical": "critical", "major": "high", "warning": "medium", "info": "low"}
_ORDER = ("critical", "major", "warning", "info")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was last heard of an alert, and how its ticket stands (``None``: it has none)."""

    state: State
    severity: str
    title: str
    last_at: datetime
    ticket_status: str | None


def next_step(known: Known | None, *, state: State, severity: str, title: str, at: datetime) -> Step:
    """Return what a telling does.

    Tellings may come twice and in any order: one that is older than the last one is old news. A ticket that was closed
    stays closed, and what fires again then is a new one.
    """
    if known is not None and at < known.last_at:
        return "nothing"
    status = None if known is None else known.ticket_status
    if state == "cleared":
        return "resolve" if status not in (None, "resolved", "closed") else "nothing"
    if known is None or status in (None, "closed"):
        return "open"
    if status == "resolved":
        return "reopen"
    is_news = known.state == "cleared" or known.title != title or known.severity != severity
    return "tell" if is_news else "nothing"


def is_worse(severity: str, than: str) -> bool:
    """Return whether a severity is worse than another one."""
    return _ORDER.index(severity) < _ORDER.index(than)
