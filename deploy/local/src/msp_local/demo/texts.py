"""What the demo's desk writes once and uses often: canned replies and ticket templates."""

from __future__ import annotations

from msp_local.api import Api

_REPLIES = (
    (
        "Ask for details",
        "Hello {{contact_name}},\n\nwhen did this start, and does it happen to others, too?",
        "waiting_on_client",
    ),
    (
        "Solved, please confirm",
        "Hello {{contact_name}},\n\n{{ref}} is solved. Tell us if anything is missing.",
        "resolved",
    ),
)
_TEMPLATES = (
    ("New starter", "Set up a new starter", "Name:\nFirst day:\nDevices:\nAccess like:", "low", ["onboarding"]),
    ("Leaver", "Lock out a leaver", "Name:\nLast day:\nForward mail to:", "medium", ["offboarding"]),
)


async def add_texts(manager: Api) -> None:
    """Add replies and templates."""
    for name, body, status in _REPLIES:
        reply = {"name": name, "body": body, "is_public": True, "set_status": status}
        await manager.post("/canned-replies", reply, key=f"demo-reply-{name}")
    for name, title, description, priority, tags in _TEMPLATES:
        template = {"name": name, "title": title, "description": description, "priority": priority, "tags": tags}
        await manager.post("/ticket-templates", {**template, "is_for_clients": True}, key=f"demo-template-{name}")
