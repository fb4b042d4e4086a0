"""Everything that can happen to one client: from its first ticket to its paid invoice, and then every write the API has."""

from __future__ import annotations

import json
from typing import Any

import httpx2 as httpx
from cast import Side, a_side, sign_in
from matrix import Operation, Stage, bearer

from msp_local.api import Api
from portal_gateway.notices import KINDS
from portal_gateway.person import STAFF_ROLES

OWNED = (
    "ticket ticket_id entry_id time_entry_id contract_id client_id invoice invoice_id run_id person_id key_id clock_id"
    " notification_id attachment_id project_id payment_id"
).split()
LAST = ("people", "sessions", "api-keys")
"""What ends somebody's session comes at the end."""
NEVER = ("/api/v1/sessions/current",)
"""What the members of the staff would do to themselves."""


async def begin(stage: Stage, canary: str) -> Side:
    """Make a client with one object of each kind, and let it be told of everything at once."""
    side = await a_side(stage.n, stage.actors.cast, canary)
    await tell_at_once(stage, side)
    return side


async def tell_at_once(stage: Stage, side: Side) -> None:
    """Let everybody of a client be told by mail, at night too: some at once, the administrator in a digest each hour."""
    async with Api(stage.n.url) as person:
        for role, token in side.tokens.items():
            person.token = token
            channel = "digest" if role == "admin" else "now"
            channels = dict.fromkeys(KINDS["client"], channel)
            body = {"zone": "Europe/London", "digest": "hourly", "channels": channels}
            await person.send("PUT", "/notifications/settings", body=body)


async def go_on(stage: Stage, side: Side) -> dict[str, int]:
    """Send every write that is about something of a client, as staff and as the client's own; return what was answered."""
    tokens = {role: await sign_in(stage.n.url, f"{role}@meridian.example") for role in STAFF_ROLES}
    wanted = [one for one in stage.operations if not one.is_safe and not one.is_public and is_about(one)]
    wanted.sort(key=lambda one: (one.path.split("/")[3] in LAST, one.method == "DELETE", one.path))
    answered = {}
    async with httpx.AsyncClient(base_url=stage.n.url, timeout=30) as client:
        for one in wanted:
            body = {
                **json.loads(one.sample),
                **{name: side.objects[name] for name in OWNED if name in (one.body or ())},
            }
            roles = [tokens[role] for role in ("manager", "admin", "finance", "agent") if one.allows("staff", role)]
            own = [side.tokens["all"]] if one.access.get("client") is not None else []
            for who, token in (*(("staff", token) for token in roles[:1]), *(("client", token) for token in own)):
                answer = await client.request(
                    one.method, one.url(side.objects), headers=list(bearer(token)), content=json.dumps(body)
                )
                answered[f"{one.name} as {who}"] = answer.status_code
    # Their sessions were among what could be ended.
    side.tokens["all"] = await sign_in(stage.n.url, side.company.email)
    return answered


def is_about(one: Operation) -> bool:
    """Return whether an operation is about something of a client."""
    if one.path.startswith(NEVER):
        return False
    return bool(set(OWNED) & {*one.parameters, *(one.body or ())})


async def answer(stage: Stage, side: Side) -> None:
    """Answer the ticket of a client, as the staff does: its people hear of it."""
    body: dict[str, Any] = {"body": f"{side.canary} once more", "is_public": True}
    await stage.actors.cast.agent.post(f"/tickets/{side.objects['ticket_id']}/messages", body)
