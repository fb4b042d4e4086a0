"""The managers' pages: operations across all clients, approvals, billing runs, invoices, clients."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.periods import month_of
from portal_gateway.pages import shown
from portal_gateway.pages.clocks import escalates
from portal_gateway.pages.desk import nav
from portal_gateway.pages.portal import pdf
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.pages.sla import BROKEN, DAYS, WEEKS, all_of, link
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk")
MANAGERS = ("manager", "admin", "finance", "dispatcher")
APPROVERS = ("manager", "admin")
BILLERS = ("manager", "admin", "finance")


@page_route(router, "/ops")
async def operations(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show every client at once; each card fails alone."""
    caller = need_staff(visitor, *MANAGERS)
    get = site.services.get
    month = month_of(shown.now().date())
    period = {"from": month.starts_on.isoformat(), "to": month.ends_on.isoformat()}
    until = shown.now().date() + timedelta(days=1)
    lately = {"from": (until - timedelta(weeks=WEEKS)).isoformat(), "to": until.isoformat()}
    risk, kept, weeks, balances, workload, waiting, summary, tickets, clients, side = await site.parts(
        get(caller, "/at-risk", which="running", limit=8),
        get(caller, "/compliance", **period),
        get(caller, "/compliance", **lately),
        get(caller, "/contracts/balances"),
        get(caller, "/workload"),
        get(caller, "/time-entries/waiting"),
        get(caller, "/billing-summary"),
        get(caller, "/tickets", status="open_any", sort="time_left", limit=100),
        all_of(site, caller, "/clients"),
        nav(site, visitor),
    )
    names = {} if isinstance(clients, Failed) else {one["id"]: one["name"] for one in clients["items"]}
    rows = {} if isinstance(tickets, Failed) else {one["id"]: one for one in tickets["items"]}
    return site.page(
        "desk/operations.html",
        visitor=visitor,
        title="Operations",
        month=month,
        period=period,
        risk=risk,
        kept=kept,
        weeks=weeks,
        days=DAYS,
        escalates=escalates,
        link=lambda **more: link({**period, **more}),
        still_open=link({**lately, "outcome": "open_overdue"}),
        broken=lambda **more: link({**lately, **more, "outcome": list(BROKEN)}),
        hour=lambda weekday, at: link({**lately, "weekday": weekday, "hour": at, "outcome": list(BROKEN)}),
        balances=balances,
        workload=workload,
        waiting=waiting,
        summary=summary,
        names=names,
        rows=rows,
        topics="ops",
        **side,
    )


@page_route(router, "/approvals")
async def approvals(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the time that waits for approval, by client."""
    return await _approvals(request, site, visitor)


async def _approvals(request: Request, site: Site, visitor: Visitor, *, problem: str = "", done: str = "") -> Response:
    caller = need_staff(visitor, *APPROVERS)
    client_id = request.query_params.get("client_id")
    waiting, entries, side = await site.parts(
        site.services.get(caller, "/time-entries/waiting"),
        site.services.get(caller, "/time-entries", status="submitted", client_id=client_id, limit=100),
        nav(site, visitor),
    )
    return site.page(
        "desk/approvals.html",
        visitor=visitor,
        title="Time approvals",
        waiting=waiting,
        entries=entries,
        client_id=client_id,
        problem=problem,
        done=done,
        topics="approvals",
        **side,
    )


@page_route(router, "/approvals", "POST")
async def decide(request: Request, site: Site, visitor: Visitor) -> Response:
    """Approve the chosen entries, or send them back with a reason."""
    caller = need_staff(visitor, *APPROVERS)
    form = await form_of(request, visitor)
    ids = [one for one in form.get("id", "").split(",") if one]
    try:
        if form.get("intent") == "reject":
            for one in ids:
                reason = {"reason": form.get("reason", "")}
                await site.services.post(caller, f"/time-entries/{segment(one)}/reject", reason)
            return await _approvals(request, site, visitor, done=f"{len(ids)} sent back.")
        answer = await site.services.post(caller, "/time-entries/approve", {"ids": ids})
    except Refused as refused:
        return await _approvals(request, site, visitor, problem=str(refused))
    refusals = "; ".join(sorted({one["reason"] for one in answer["refused"]}))
    problem = f"{len(answer['refused'])} not approved: {refusals}." if answer["refused"] else ""
    return await _approvals(request, site, visitor, problem=problem, done=f"{answer['approved']} approved.")


# ---- billing ------------------------------------------------------------------------------------------------------


@page_route(router, "/billing/runs")
async def runs(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the billing runs and a form for the next one."""
    return await _runs(site, visitor)


async def _runs(site: Site, visitor: Visitor, *, problem: str = "") -> Response:
    caller = need_staff(visitor, *BILLERS)
    found, side = await site.parts(site.services.get(caller, "/billing-runs", limit=50), nav(site, visitor))
    this_month = month_of(shown.now().date())
    last_month = month_of(this_month.starts_on - timedelta(days=1))
    return site.page(
        "desk/runs.html",
        visitor=visitor,
        title="Invoice runs",
        status=422 if problem else 200,
        found=found,
        problem=problem,
        months=[last_month, this_month],
        **side,
    )


@page_route(router, "/billing/runs", "POST")
async def start_run(request: Request, site: Site, visitor: Visitor) -> Response:
    """Start the run of a month, or go to it when it was started before."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    try:
        month = month_of(date.fromisoformat(f"{form.get('month', '')}-01"))
    except ValueError:
        return await _runs(site, visitor, problem="Choose a month.")
    body = {"starts_on": month.starts_on.isoformat(), "ends_on": month.ends_on.isoformat()}
    try:
        run = await site.services.post(caller, "/billing-runs", body)
    except Refused as refused:
        return await _runs(site, visitor, problem=str(refused))
    return go(f"/desk/billing/runs/{segment(run['id'])}")


@page_route(router, "/billing/runs/{run_id}")
async def run(_request: Request, site: Site, visitor: Visitor, run_id: str) -> Response:
    """Show a run: progress, drafts, what blocks it."""
    return await _run(site, visitor, run_id)


async def _run(site: Site, visitor: Visitor, run_id: str, *, problem: str = "") -> Response:
    caller = need_staff(visitor, *BILLERS)
    found = await site.services.get(caller, f"/billing-runs/{segment(run_id)}")
    side = await nav(site, visitor)
    states: dict[str, int] = {}
    for item in found["items"]:
        states[item["status"]] = states.get(item["status"], 0) + 1
    return site.page(
        "desk/run.html",
        visitor=visitor,
        title=f"Invoice run {shown.day(found['starts_on'])}",
        run=found,
        states=states,
        settled=sum(states.get(name, 0) for name in ("drafted", "issued", "blocked")),
        problem=problem,
        topics=f"run-{found['id']}",
        **side,
    )


@page_route(router, "/billing/runs/{run_id}/issue", "POST")
async def issue(request: Request, site: Site, visitor: Visitor, run_id: str) -> Response:
    """Issue the drafts of a run: they cannot change any more."""
    return await _act(request, site, visitor, run_id, "issue")


@page_route(router, "/billing/runs/{run_id}/retry", "POST")
async def retry(request: Request, site: Site, visitor: Visitor, run_id: str) -> Response:
    """Ask again for what was blocked."""
    return await _act(request, site, visitor, run_id, "retry")


async def _act(request: Request, site: Site, visitor: Visitor, run_id: str, verb: str) -> Response:
    caller = need_staff(visitor, *BILLERS)
    await form_of(request, visitor)
    try:
        await site.services.post(caller, f"/billing-runs/{segment(run_id)}/{verb}", {})
    except Refused as refused:
        return await _run(site, visitor, run_id, problem=str(refused))
    return go(f"/desk/billing/runs/{segment(run_id)}")


@page_route(router, "/billing/invoices")
async def invoices(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show invoices of every client."""
    caller = need_staff(visitor, *BILLERS)
    status = request.query_params.get("status") or None
    found, side = await site.parts(
        site.services.get(caller, "/invoices", status=status, limit=100, after=request.query_params.get("after")),
        nav(site, visitor),
    )
    return site.page("desk/invoices.html", visitor=visitor, title="Invoices", found=found, wanted=status, **side)


@page_route(router, "/billing/invoices/{number}.pdf")
async def invoice_pdf(_request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Download an invoice."""
    need_staff(visitor, *BILLERS)
    return await pdf(site, visitor, number)


@page_route(router, "/billing/invoices/{number}")
async def invoice(_request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Show an invoice or a draft."""
    caller = need_staff(visitor, *BILLERS)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    side = await nav(site, visitor)
    title = f"Invoice {found['number']}" if found["number"] else "Draft invoice"
    return site.page("desk/invoice.html", visitor=visitor, title=title, invoice=found, **side)


# ---- clients ------------------------------------------------------------------------------------------------------


@page_route(router, "/clients")
async def clients(_request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the clients with their contracts and balances."""
    caller = need_staff(visitor)
    found, contracts, balances, side = await site.parts(
        site.services.get(caller, "/clients", limit=200),
        site.services.get(caller, "/contracts", limit=200),
        site.services.get(caller, "/contracts/balances"),
        nav(site, visitor),
    )
    return site.page(
        "desk/clients.html",
        visitor=visitor,
        title="Clients and contracts",
        found=found,
        contracts=_by_client(contracts),
        balances=_by_contract(balances),
        **side,
    )


def _by_client(contracts: Any) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    if not isinstance(contracts, Failed):
        for one in contracts["items"]:
            found.setdefault(one["client_id"], []).append(one)
    return found


def _by_contract(balances: Any) -> dict[str, dict[str, Any]]:
    if isinstance(balances, Failed):
        return {}
    items = balances["items"] if isinstance(balances, dict) else balances
    return {one["contract_id"]: one for one in items}
