"""The form of a new ticket, as the desk and clients fill it in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from msp_kit.identity import Caller
from portal_gateway.language import mark
from portal_gateway.pages import shown
from portal_gateway.pages.site import Failed, Site
from portal_gateway.scope import Visitor

PRIORITIES = (
    ("critical", mark("Critical"), mark("nobody can work, or it is a security matter")),
    ("high", mark("High"), mark("several people cannot do an important part of their work")),
    ("medium", mark("Medium"), mark("one person is held up, or there is a way around")),
    ("low", mark("Low"), mark("a question or a wish")),
)
WORDS = ("title", "description", "job_type", "level")
CHOICES = ("priority", "impact", "urgency", "contract_id")
TELLING_CHARACTERS = 4
"""Shorter words of a title are in every ticket."""


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


async def keep(site: Site, visitor: Visitor, place: str, file: tuple[str, bytes], *, is_public: bool = True) -> None:
    """Put a file on the ticket or project at ``place``.

    Raises:
        Refused: the service does not keep it.
    """
    name, content = file
    path = f"{place}/attachments?{urlencode({'name': name, 'is_public': 'true' if is_public else 'false'})}"
    headers = {"content-type": "application/octet-stream"}
    answer = await site.services.send(visitor.caller, "POST", path, body=content, headers=headers)
    answer.json()  # raises what the service refused


async def foreseen(site: Site, caller: Caller, offer: Any, typed: Mapping[str, Any]) -> dict[str, Any]:
    """Return what follows from the choices of a form.

    That is what each priority is promised, since when time counts, what is left of the hours, and open tickets of the client
    with similar titles.
    """
    if isinstance(offer, Failed) or not offer or not offer["contracts"]:
        return {"foresight": None}
    contract, job_type, level = _chosen(offer["contracts"], typed)
    words = sorted(re.findall(rf"\w{{{TELLING_CHARACTERS},}}", typed.get("title") or ""), key=len)[-2:]
    of = {"contract_id": contract["contract_id"], "job_type": job_type, "level": level}
    promises, hour, similar = await site.parts(
        # A contract can be so new that the clocks have not heard of it.
        site.early(site.services.get(caller, "/promises", **of)),
        _an_hour_now(site, caller, of),
        _similar(site, caller, client_id=offer["client_id"], words=words),
    )
    return {
        "foresight": {
            "of": f"{next(one['name'] for one in contract['job_types'] if one['code'] == job_type)}, {level}",
            "promises": [] if isinstance(promises, Failed) else promises["items"],
            "similar": [] if isinstance(similar, Failed) else similar["items"],
            **_beyond(None if isinstance(hour, Failed) else hour),
        }
    }


async def _an_hour_now(site: Site, caller: Caller, of: Mapping[str, str]) -> Any:
    """Return what would become of an hour of work; ``None`` for who only looks, as it is asked with a POST."""
    if caller.is_read_only:
        return None
    work = {**of, "worked_from": shown.now().isoformat(), "worked_minutes": 60}
    return await site.services.post(caller, "/coverage/preview", work)


def _beyond(hour: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return whether the bucket is used up, and what an hour costs then."""
    if hour is None or hour["available_before_minutes"] > 0:
        return {"is_used_up": False}
    price = hour["overage_price_minor"] if hour["overage_minutes"] else None
    return {
        # Who pays by the hour, and what is free of charge, has no bucket.
        "is_used_up": not hour["time_and_materials_minutes"] and not hour["excluded_minutes"],
        "policy": hour["policy"],
        "rate": None if price is None else shown.money(price, hour["currency"]),
    }


def _chosen(contracts: list[dict[str, Any]], typed: Mapping[str, Any]) -> tuple[dict[str, Any], str, str]:
    """Return the contract, job type and level that a ticket with these choices falls under; the first that can be chosen."""
    first = contracts[0]
    job_type = typed.get("job_type") or first["job_types"][0]["code"]
    level = typed.get("level") or first["levels"][0]
    fitting = [
        one
        for one in contracts
        if typed.get("contract_id") in (None, "", one["contract_id"])
        and job_type in (kind["code"] for kind in one["job_types"])
        and level in one["levels"]
    ]
    if not fitting:
        return first, first["job_types"][0]["code"], first["levels"][0]
    return fitting[0], job_type, level


async def _similar(site: Site, caller: Caller, *, client_id: str, words: list[str]) -> Any:
    if not words:
        return {"items": []}
    of = {"client_id": client_id} if caller.kind == "staff" else {}
    return await site.services.get(caller, "/tickets", status="open_any", text=" ".join(words), limit=3, **of)
