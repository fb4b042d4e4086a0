"""The form of a new ticket, as the desk and clients fill it in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal_gateway.language import mark
from portal_gateway.pages.site import Failed

PRIORITIES = (
    ("critical", mark("Critical"), mark("nobody can work, or it is a security matter")),
    ("high", mark("High"), mark("several people cannot do an important part of their work")),
    ("medium", mark("Medium"), mark("one person is held up, or there is a way around")),
    ("low", mark("Low"), mark("a question or a wish")),
)
WORDS = ("title", "description", "job_type", "level")
CHOICES = ("priority", "impact", "urgency", "contract_id")


def wish_of(typed: Mapping[str, str]) -> dict[str, Any]:
    """Return what somebody typed as a wish to raise a ticket; what was not chosen is left out."""
    words = {name: typed.get(name, "") for name in WORDS}
    chosen = {name: typed[name] for name in CHOICES if typed.get(name)}
    tags = [one for one in typed.get("tags", "").split(",") if one]
    return {**words, **chosen, **({"tags": tags} if tags else {})}


def from_template(templates: Any, template_id: str | None) -> dict[str, Any]:
    """Return what the form needs: the templates, the one that was chosen, and what can be said of urgency."""
    listed = [] if isinstance(templates, Failed) else templates["items"]
    chosen: dict[str, Any] = next((one for one in listed if one["id"] == template_id), {})
    start = {name: chosen.get(name) for name in ("id", *WORDS, "priority", "tags")}
    return {"templates": listed, "start": start, "priorities": PRIORITIES}
