"""One contract: its terms, promises and rates, its history, what the linter says, its tests, and what work would cost."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from portal_gateway.language import gettext, mark, symbols
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import ZONE, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/contracts")
MANAGERS = ("manager", "finance", "admin")
PARTS = (
    ("", mark("Terms"), "desk/contract_terms.html"),
    ("sla", mark("Promises"), "desk/contract_sla.html"),
    ("rates", mark("Rates"), "desk/contract_rates.html"),
    ("history", mark("History"), "desk/contract_history.html"),
    ("lint", mark("Check"), "desk/contract_lint.html"),
    ("tests", mark("Tests"), "desk/contract_tests.html"),
    ("simulate", mark("Simulate"), "desk/contract_simulate.html"),
)
FUNDERS = ("manager", "finance", "admin")
"""Who sees buckets and adds to them."""
NUMBERS = ("due_in_minutes", "billed_minutes", "bucket_minutes", "overage_minutes")


async def contract_of(site: Site, visitor: Visitor, ref: str) -> dict[str, Any]:
    """Return the contract with a ref."""
    found = await site.services.get(need_staff(visitor), "/contracts", ref=ref.upper())
    if not found["items"]:
        raise Refused(404, {})
    one: dict[str, Any] = found["items"][0]
    return one


async def contract_page(
    site: Site,
    visitor: Visitor,
    contract: dict[str, Any],
    part: str,
    *,
    problem: str = "",
    template: str = "",
    **context: Any,
) -> Response:
    """Show one part of a contract; ``template`` when it is none of its standing parts."""
    client_name, side = await site.parts(site.client_names(contract["client_id"]), nav(site, visitor))
    return site.page(
        template or next(template for key, _, template in PARTS if key == part),
        visitor=visitor,
        title=f"{contract['ref']} {contract['name']}",
        status=422 if problem else 200,
        contract=contract,
        client_name=client_name,
        part=part,
        parts=[(key, gettext(text), page) for key, text, page in PARTS],
        problem=problem,
        is_author=visitor.caller.has_role(*MANAGERS),
        is_funder=visitor.caller.has_role(*FUNDERS),
        **context,
        **side,
    )


@page_route(router, "/{ref}")
async def terms(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show the terms in force, and the button that brings a draft into force."""
    return await contract_page(site, visitor, await contract_of(site, visitor, ref), "")


@page_route(router, "/{ref}/activate", "POST")
async def activate(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Bring a draft into force."""
    caller = need_staff(visitor, *MANAGERS)
    await form_of(request, visitor)
    contract = await contract_of(site, visitor, ref)
    try:
        await site.services.post(caller, f"/contracts/{contract['id']}/activate")
    except Refused as refused:
        return await contract_page(
            site,
            visitor,
            contract,
            "",
            problem=shown.why(gettext("The contract was not activated."), shown.said(refused)),
        )
    return go(f"/desk/contracts/{segment(ref)}")


@page_route(router, "/{ref}/sla")
async def promises(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show what is promised, in which hours, and who is told when it is late."""
    return await contract_page(site, visitor, await contract_of(site, visitor, ref), "sla")


@page_route(router, "/{ref}/rates")
async def rates(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show what an hour costs, and the weights."""
    return await contract_page(site, visitor, await contract_of(site, visitor, ref), "rates")


@page_route(router, "/{ref}/history")
async def history(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show the versions, and what changed between two of them."""
    caller = need_staff(visitor)
    contract = await contract_of(site, visitor, ref)
    path = f"/contracts/{contract['id']}"
    query = request.query_params
    chosen = {
        "from": query.get("from") or str(max(contract["version"] - 1, 1)),
        "to": query.get("to") or str(contract["version"]),
    }
    versions, diff = await site.parts(
        site.services.get(caller, f"{path}/versions"),
        site.services.get(caller, f"{path}/diff", from_=chosen["from"], to=chosen["to"]),
    )
    return await contract_page(site, visitor, contract, "history", versions=versions, diff=diff, chosen=chosen)


@page_route(router, "/{ref}/lint")
async def lint(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show what the linter says."""
    caller = need_staff(visitor)
    contract = await contract_of(site, visitor, ref)
    found = await site.part(site.services.get(caller, f"/contracts/{contract['id']}/lint"))
    return await contract_page(site, visitor, contract, "lint", lint=found)


@page_route(router, "/{ref}/tests")
async def tests(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show the contract's tests and what becomes of them now."""
    return await _tests(site, visitor, await contract_of(site, visitor, ref))


@page_route(router, "/{ref}/tests", "POST")
async def write_test(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Add a test, or remove one."""
    caller = need_staff(visitor, *MANAGERS)
    form = await form_of(request, visitor)
    contract = await contract_of(site, visitor, ref)
    path = f"/contracts/{contract['id']}/tests"
    try:
        if form.get("remove"):
            await site.services.post(caller, f"{path}/{segment(form['remove'])}", method="DELETE")
        else:
            await site.services.post(caller, path, _case(form))
    except Refused as refused:
        return await _tests(
            site,
            visitor,
            contract,
            form=form,
            problem=shown.why(gettext("The test was not saved."), shown.said(refused)),
        )
    return go(f"/desk/contracts/{segment(ref)}/tests")


async def _tests(
    site: Site, visitor: Visitor, contract: dict[str, Any], *, form: dict[str, str] | None = None, problem: str = ""
) -> Response:
    caller = need_staff(visitor)
    path = f"/contracts/{contract['id']}/tests"
    listed, ran = await site.parts(site.services.get(caller, path), site.services.post(caller, f"{path}/run"))
    return await contract_page(
        site, visitor, contract, "tests", listed=listed, ran=ran, form=form or {}, problem=problem
    )


@page_route(router, "/{ref}/simulate")
async def simulate(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show what work would cost, and what the bucket would have left."""
    caller = need_staff(visitor)
    contract = await contract_of(site, visitor, ref)
    form = dict(request.query_params)
    minutes = shown.parse_duration(form.get("duration", "90m"))
    at = _local(form.get("at"))
    problem, effect = "", None
    if minutes is None or at is None:
        problem = gettext("Write the duration as 45m, 1h15 or 1.25, and the start as a day and a time.")
    elif contract["job_types"] and contract["levels"]:
        question = {
            "contract_id": contract["id"],
            "job_type": form.get("job_type") or contract["job_types"][0],
            "level": form.get("level") or contract["levels"][0],
            "worked_from": at.isoformat(),
            "worked_minutes": minutes,
        }
        effect = await site.part(site.services.post(caller, "/coverage/preview", question))
    shown_at = at.strftime("%Y-%m-%dT%H:%M") if at else form.get("at", "")
    return await contract_page(
        site, visitor, contract, "simulate", effect=effect, form=form, at=shown_at, problem=problem
    )


def _local(text: str | None) -> datetime | None:
    """Return the instant of a local date and time; now when none was given."""
    if not text:
        return shown.now().astimezone(ZoneInfo(ZONE)).replace(second=0, microsecond=0)
    try:
        return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(ZONE))
    except ValueError:
        return None


def _case(form: dict[str, str]) -> dict[str, Any]:
    """Return the test a form describes."""
    event = form.get("event", "ticket")
    names = ("job_type", "level", "at", *(("priority", "metric") if event == "ticket" else ()))
    when: dict[str, Any] = {"event": event, **{name: form[name] for name in names if form.get(name)}}
    if "at" in when:
        when["at"] = shown.typed_instant(when["at"])
    if event == "work":
        when["minutes"] = shown.parse_duration(form.get("duration", "")) or 0
    expected = {name: form[name] for name in ("due_at", "answer", "price", *NUMBERS) if form.get(name)}
    expected |= {"due_at": shown.typed_instant(expected["due_at"])} if "due_at" in expected else {}
    expected |= {"price": expected["price"].replace(",", ".")} if "price" in expected and symbols()[0] == "," else {}
    expect = {name: int(text[:12]) if name in NUMBERS and text.isdecimal() else text for name, text in expected.items()}
    left = shown.parse_duration(form["available"]) if form.get("available") else 0
    return {"name": form.get("name", ""), "given": {"available_minutes": left}, "when": when, "expect": expect}
