"""Time that waits for approval: what is odd or out of scope comes first, says why, and is not ticked before it was looked at."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.prose import refusal
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/approvals")
APPROVERS = ("manager", "admin")
SHOWN_MAX = 25
CHIPS_MAX = 12
"""So many clients stand beside each other; more of them in a list to choose from."""
ODD = {
    "out_of_scope": (mark("Out of scope"), "breach", "circle-alert", mark("not in the contract any more")),
    "overage": (mark("Overage"), "breach", "hourglass", mark("%(time)s beyond the bucket")),
    "overlaps": (mark("Overlaps"), "risk", "triangle-alert", mark("shares minutes with other time of the agent")),
    "very_long": (mark("Very long"), "risk", "clock", mark("%(time)s in one entry")),
    "unlike_usual": (mark("Unlike the usual"), "risk", "chart-no-axes-column", mark("%(time)s is usual here")),
    "period_sealed": (mark("Late"), "risk", "calendar", mark("its period is sealed")),
    "late": (mark("Late"), "risk", "calendar", mark("logged %(number)s days after the work")),
    "holiday": (mark("Holiday"), "risk", "sun-moon", mark("%(time)s outside the opening hours")),
    "weekend": (mark("Weekend"), "risk", "sun-moon", mark("%(time)s outside the opening hours")),
    "after_hours": (mark("After hours"), "risk", "sun-moon", mark("%(time)s outside the opening hours")),
}
"""What is odd about an entry: word, tone, icon, and in which way."""
DONE = {"approved": mark("%(number)s approved."), "returned": mark("%(number)s sent back.")}
NOT_DONE = {
    "approved": mark("%(number)s not approved: %(reasons)s."),
    "returned": mark("%(number)s not sent back: %(reasons)s."),
}


@page_route(router, "")
async def approvals(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the time that waits for approval, by client."""
    done, _, count = request.query_params.get("done", "").partition("-")
    told = _told(done, int(count)) if done in DONE and count.isdecimal() and len(count) < 6 else ""
    return await _approvals(request, site, visitor, Form(), told=told)


async def _approvals(request: Request, site: Site, visitor: Visitor, form: Form, *, told: str = "") -> Response:
    caller = need_staff(visitor, *APPROVERS)
    client_id = request.query_params.get("client_id") or None
    waiting, entries, side = await site.parts(
        site.services.get(caller, "/time-entries/waiting"),
        site.services.get(caller, "/time-entries/to-approve", client_id=client_id, limit=SHOWN_MAX),
        nav(site, visitor),
    )
    return site.page(
        "desk/approvals.html",
        visitor=visitor,
        title=gettext("Time approvals"),
        status=form.status,
        form=form,
        waiting=waiting,
        chips_max=CHIPS_MAX,
        entries=entries,
        odd=said_of,
        client_id=client_id,
        here=_here(client_id),
        told=told,
        topics="approvals",
        **side,
    )


def said_of(oddity: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Return word, tone, icon and phrase for what is odd; what this page has no words for speaks for itself."""
    if oddity["code"] not in ODD:
        return oddity["code"].replace("_", " ").capitalize(), "risk", "triangle-alert", oddity["detail"]
    word, tone, icon, phrase = ODD[oddity["code"]]
    figure = oddity["figure"]
    return gettext(word), tone, icon, gettext(phrase) % {"number": figure, "time": shown.duration(figure)}


def _told(done: str, count: int) -> str:
    return gettext(DONE[done]) % {"number": count}


def _here(client_id: str | None, done: str = "") -> str:
    given = [f"client_id={segment(client_id)}"] if client_id else []
    given += [f"done={done}"] if done else []
    return "/desk/approvals" + ("?" + "&".join(given) if given else "")


@page_route(router, "", "POST")
async def decide(request: Request, site: Site, visitor: Visitor) -> Response:
    """Approve the chosen entries, or send them back with a reason."""
    need_staff(visitor, *APPROVERS)
    typed = await form_of(request, visitor)
    ids = [one for one in typed.get("id", "").split(",") if one]
    is_return = typed.get("intent") == "reject"
    wrong = {}
    if is_return and not typed.get("reason", "").strip():
        wrong["reason"] = gettext("say what has to change")
    if not ids:
        wrong[""] = gettext("Tick the entries first.")
    if wrong:
        form = Form.wrong("entries", typed, wrong, said=gettext("Nothing was decided."))
        return await _approvals(request, site, visitor, form)
    decided = _send_back if is_return else _approve
    try:
        count, refused = await decided(site, visitor, ids, typed.get("reason", "").strip())
    except (Refused, ServiceAway) as error:
        form = Form.refused("entries", typed, error, said=gettext("Nothing was decided."))
        return await _approvals(request, site, visitor, form)
    done = "returned" if is_return else "approved"
    if not refused:
        return go(_here(request.query_params.get("client_id"), f"{done}-{count}"))
    problem = gettext(NOT_DONE[done]) % {"number": len(refused), "reasons": "; ".join(sorted(set(refused)))}
    form = Form("entries", {}, {}, problem, 409)
    return await _approvals(request, site, visitor, form, told=_told(done, count) if count else "")


async def _approve(site: Site, visitor: Visitor, ids: list[str], _reason: str) -> tuple[int, list[str]]:
    """Approve entries; return how many were, and why the others were not."""
    answer = await site.services.post(visitor.caller, "/time-entries/approve", {"ids": ids})
    return answer["approved"], [refusal(one["reason"]) for one in answer["refused"]]


async def _send_back(site: Site, visitor: Visitor, ids: list[str], reason: str) -> tuple[int, list[str]]:
    """Reject entries one by one; return how many were, and why the others were not."""
    refused = []
    for one in ids:
        try:
            await site.services.post(visitor.caller, f"/time-entries/{segment(one)}/reject", {"reason": reason})
        except Refused as error:
            refused.append(str(error))
    return len(ids) - len(refused), refused
