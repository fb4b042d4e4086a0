"""The billing pages of the desk: runs, receivables, what clients are worth."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from fastapi import APIRouter, Request, Response

from msp_kernel.periods import month_of
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.desk import nav
from portal_gateway.pages.lists import ROWS, Listing, client_options
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk")
BILLERS = ("manager", "admin", "finance")
SELLERS = ("admin", "finance")
RUN_ROWS = 40
REVIEW_ROWS = 20
REFS_MAX = 5
OF_RATES = ("prices-missing", "same-specificity", "rate-not-possible")
OF_CONTRACTS = ("mixed-currencies",)
HEALTH_PAGE = 25
OWED_ROWS = 15
HEALTH_DAYS = 92
LINKS = {"seller": "/desk/admin/billing", "profile": "/desk/admin/billing/{client_id}"}


@page_route(router, "/billing/runs")
async def runs(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the billing runs and a form for the next one."""
    return await _runs(request, site, visitor)


async def _runs(request: Request, site: Site, visitor: Visitor, *, problem: str = "") -> Response:
    caller = need_staff(visitor, *BILLERS)
    # Beside what was refused stand the newest runs: the position in the address is that of another list.
    listing = Listing() if problem else Listing.of(request)
    found, side = await site.parts(
        site.services.get(caller, "/billing-runs", **listing.query(), limit=ROWS), nav(site, visitor)
    )
    this_month = month_of(shown.now().date())
    last_month = month_of(this_month.starts_on - timedelta(days=1))
    return site.page(
        "desk/runs.html",
        visitor=visitor,
        title=gettext("Invoice runs"),
        status=422 if problem else 200,
        found=found,
        listing=listing,
        problem=problem,
        months=[last_month, this_month],
        **side,
    )


@page_route(router, "/billing/runs", "POST")
async def start_run(request: Request, site: Site, visitor: Visitor) -> Response:
    """Start the run of a month, or go to it when it was started before."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    period = _period(form.get("month", ""))
    if period is None:
        return await _runs(request, site, visitor, problem=gettext("Choose a month."))
    try:
        run = await site.services.post(caller, "/billing-runs", period)
    except Refused as refused:
        return await _runs(request, site, visitor, problem=str(refused))
    return go(f"/desk/billing/runs/{segment(run['id'])}")


def _period(month: str) -> dict[str, str] | None:
    try:
        found = month_of(date.fromisoformat(f"{month}-01"))
    except ValueError:
        return None
    return {"starts_on": found.starts_on.isoformat(), "ends_on": found.ends_on.isoformat()}


@page_route(router, "/billing/preview")
async def preview(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the invoices of a month, by default the last one that is over, as they would be: nothing is changed."""
    caller = need_staff(visitor, *BILLERS)
    last_month = shown.now().date().replace(day=1) - timedelta(days=1)
    month = request.query_params.get("month", f"{last_month:%Y-%m}")
    period = _period(month)
    if period is None:
        return await _runs(request, site, visitor, problem=gettext("Choose a month."))
    after = request.query_params.get("after")
    found, side = await site.parts(
        site.services.get(caller, "/billing-runs/preview", **period, after=after, limit=HEALTH_PAGE), nav(site, visitor)
    )
    return site.page(
        "desk/preview.html",
        visitor=visitor,
        title=gettext("Invoice run preview"),
        found=found,
        period=period,
        month=month,
        **side,
    )


@page_route(router, "/billing/runs/{run_id}")
async def run(request: Request, site: Site, visitor: Visitor, run_id: str) -> Response:
    """Show a run: steps, progress, drafts, what to fix and where."""
    return await _run(site, visitor, run_id, listing=Listing.of(request))


async def _run(site: Site, visitor: Visitor, run_id: str, *, listing: Listing, problem: str = "") -> Response:
    caller = need_staff(visitor, *BILLERS)
    path = f"/billing-runs/{segment(run_id)}"
    found = await site.services.get(caller, path)
    review, side = await site.parts(site.services.get(caller, f"{path}/review"), nav(site, visitor))
    states = found["counts"]
    return site.page(
        "desk/run.html",
        visitor=visitor,
        title=gettext("Invoice run %(starts_on)s") % {"starts_on": shown.day(found["starts_on"])},
        status=422 if problem else 200,
        run=found,
        rows=rows_of(found["items"], listing.after),
        listing=listing,
        review=review,
        most=REVIEW_ROWS,
        states=states,
        steps=steps(states),
        mend=mend,
        solve=solve,
        settled=sum(states.get(name, 0) for name in ("drafted", "issuing", "issued", "blocked", "nothing")),
        problem=problem,
        topics=f"run-{found['id']},invoices",
        **side,
    )


def steps(states: dict[str, int]) -> list[tuple[str, int, int, str]]:
    """Return the steps of a run: what, how many clients are past it, of how many, and its state."""
    of = sum(states.values())
    blocked = states.get("blocked", 0)
    reached = {
        gettext("Approved time sealed"): ("sealed", "closed", "drafted", "issuing", "issued", "nothing"),
        gettext("Hours ledger closed"): ("closed", "drafted", "issuing", "issued", "nothing"),
        gettext("Drafts made, three counts compared"): ("drafted", "issuing", "issued", "nothing"),
        gettext("Issued"): ("issued", "nothing"),
    }
    found = []
    for text, past in reached.items():
        done = sum(states.get(name, 0) for name in past)
        is_done = of > 0 and done == of
        state = "ok" if is_done else "risk" if blocked and done + blocked == of else "run" if done else ""
        found.append((text, done, of, state))
    return found


def rows_of(items: list[dict[str, Any]], after: str | None) -> dict[str, Any]:
    """Return a page of the clients of a run: those to be solved first, then those to be looked at, by name."""
    ordered = sorted(items, key=lambda one: (one["status"] != "blocked", not one["findings"]))
    first = int(after) if after and after.isascii() and after.isdecimal() and len(after) < 9 else 0
    following = first + RUN_ROWS
    return {"items": ordered[first:following], "next": str(following) if following < len(ordered) else None}


def mend(finding: dict[str, Any], item: dict[str, Any]) -> tuple[str, str]:
    """Return the page on which a finding is mended, or looked at, and what its link says."""
    if "profile" in finding["where"]:
        name = "seller" if "seller" in finding["where"] else "profile"
        return LINKS[name].format(client_id=item["client_id"]), gettext("Fix it")
    return f"/desk/billing/invoices/{item['invoice_id']}", gettext("Look at the draft")


def solve(item: dict[str, Any]) -> list[tuple[str, str]]:
    """Return where a blocked client is solved: pages, and what their links say."""
    reason, refs = item.get("reason", ""), item.get("contract_refs") or []
    if reason == "unapproved":
        return [(f"/desk/approvals?client_id={item['client_id']}", gettext("Approve"))]
    if reason in OF_RATES:
        said = gettext("Rates of %(ref)s")
        return [(f"/desk/contracts/{segment(ref)}/rates", said % {"ref": ref}) for ref in refs[:REFS_MAX]]
    if reason in OF_CONTRACTS and item.get("client_code"):
        return [(f"/desk/clients/{segment(item['client_code'])}", gettext("Contracts"))]
    return [("#retry", gettext("Try it again"))]


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
        if refused.document.get("code") == "step-up-required":
            raise
        return await _run(site, visitor, run_id, listing=Listing(), problem=str(refused))
    return go(f"/desk/billing/runs/{segment(run_id)}")


# ---- what is owed, and what clients are worth -----------------------------------------------------------------------


@page_route(router, "/billing/receivables")
async def receivables(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show what is owed by age, and the open invoices with their reminders."""
    caller = need_staff(visitor, *BILLERS)
    # Two lists on one page: going on in one of them keeps the place in the other.
    owing, listing = Listing.of(request, "client_id", "after", name="owing"), Listing.of(request, "client_id", "owing")
    ageing, still_open, clients, side = await site.parts(
        site.services.get(caller, "/receivables/ageing", **owing.query(), limit=OWED_ROWS),
        site.services.get(caller, "/receivables", **listing.query("client_id"), limit=OWED_ROWS),
        client_options(site, visitor),
        nav(site, visitor),
    )
    return site.page(
        "desk/receivables.html",
        visitor=visitor,
        title=gettext("Receivables"),
        ageing=ageing,
        still_open=still_open,
        owing=owing,
        listing=listing,
        clients=clients,
        **side,
    )


@page_route(router, "/billing/receivables/{client_id}")
async def account(request: Request, site: Site, visitor: Visitor, client_id: str) -> Response:
    """Show the statement of account of a client."""
    caller = need_staff(visitor, *BILLERS)
    client = await client_of(site, visitor, client_id)
    currency = request.query_params.get("currency") or client["currency"]
    found = await site.services.get(caller, "/receivables/statement", **account_of(client_id, currency))
    side = await nav(site, visitor)
    title = gettext("Statement of account, %(name)s") % {"name": client["name"]}
    return site.page("desk/account.html", visitor=visitor, title=title, found=found, **side)


def account_of(client_id: str, currency: str) -> dict[str, str]:
    """Return the query for a statement of account of the last twelve months."""
    today = shown.now().date()
    return {
        "client_id": client_id,
        "currency": currency,
        "from_": (today - timedelta(days=365)).isoformat(),
        "to_": (today + timedelta(days=1)).isoformat(),
    }


@page_route(router, "/billing/health")
async def health(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show revenue, rate, margin and unbilled work of each client."""
    caller = need_staff(visitor, *BILLERS)
    today = shown.now().date()
    period = {
        "from_": (today - timedelta(days=HEALTH_DAYS)).isoformat(),
        "to_": (today + timedelta(days=1)).isoformat(),
    }
    after = request.query_params.get("after")
    found, side = await site.parts(
        site.services.get(caller, "/financial-health", **period, limit=HEALTH_PAGE, after=after), nav(site, visitor)
    )
    return site.page(
        "desk/health.html",
        visitor=visitor,
        title=gettext("Financial health"),
        found=found,
        days=HEALTH_DAYS,
        **side,
    )


async def client_of(site: Site, visitor: Visitor, client_id: str) -> dict[str, Any]:
    """Return a client by its id; what is no id is no client.

    Raises:
        Refused: there is none.
    """
    try:
        path = f"/clients/{UUID(client_id)}"
    except ValueError as error:
        raise Refused(404, {}) from error
    found: dict[str, Any] = await site.services.get(visitor.caller, path)
    return found
