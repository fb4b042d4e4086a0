"""Buckets of all clients by the day they run out, and one of them with its lots, its ledger and its corrections."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.amounts import price
from portal_gateway.pages.contracts import FUNDERS, contract_of
from portal_gateway.pages.desk import nav
from portal_gateway.pages.drafts import whole
from portal_gateway.pages.forms import Form
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route, statement_file
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, ServiceAway, segment

router = APIRouter(prefix="/desk/buckets")
DAYS_SHOWN = 60
SHOWN = 40


@page_route(router, "")
async def buckets(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show the buckets, the first to run out first."""
    caller = need_staff(visitor, *FUNDERS)
    found, balances, clients, side = await site.parts(
        site.services.get(caller, "/contracts/forecasts", limit=200),
        site.services.get(caller, "/contracts/balances"),
        site.services.get(caller, "/clients", limit=200),
        nav(site, visitor),
    )
    rows, following = (
        ([], "") if isinstance(found, Failed) else _page_of(found["items"], request.query_params.get("after"))
    )
    return site.page(
        "desk/buckets.html",
        visitor=visitor,
        title=gettext("Buckets"),
        found=found,
        rows=rows,
        following=following,
        balances={} if isinstance(balances, Failed) else {one["contract_id"]: one for one in balances["items"]},
        names={} if isinstance(clients, Failed) else {one["id"]: one["name"] for one in clients["items"]},
        **side,
    )


def _page_of(items: list[dict[str, Any]], after: str | None) -> tuple[list[dict[str, Any]], str]:
    """Return the buckets that come after one, and the one the next page begins after; empty on the last page."""
    begin = next((number for number, one in enumerate(items, 1) if one["ref"] == after), 0)
    rows = items[begin : begin + SHOWN]
    return rows, rows[-1]["ref"] if begin + SHOWN < len(items) else ""


@page_route(router, "/{ref}")
async def bucket(_request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Show one bucket: how it burns and will burn, its lots, its ledger, its corrections."""
    return await _bucket(site, visitor, ref)


@page_route(router, "/{ref}/statement.{form}")
async def bucket_file(request: Request, site: Site, visitor: Visitor, ref: str, form: str) -> Response:
    """Download the ledger of the page, or of other days, as a file."""
    need_staff(visitor, *FUNDERS)
    return await statement_file(request, site, visitor, await _path(site, visitor, ref), form, days=DAYS_SHOWN)


async def _bucket(
    site: Site, visitor: Visitor, ref: str, *, refused: Refused | None = None, top_up_form: Form | None = None
) -> Response:
    caller = need_staff(visitor, *FUNDERS)
    path = await _path(site, visitor, ref)
    form = top_up_form or Form()
    since = {"from_": (shown.now().date() - timedelta(days=DAYS_SHOWN)).isoformat()}
    balance, forecast, burn, statement, adjustments, side = await site.parts(
        site.services.get(caller, f"{path}/balance"),
        site.services.get(caller, f"{path}/forecast"),
        site.services.get(caller, f"{path}/burn", **since),
        site.services.get(caller, f"{path}/statement", **since),
        site.services.get(caller, f"{path}/adjustments"),
        nav(site, visitor),
    )
    return site.page(
        "desk/bucket.html",
        visitor=visitor,
        title=gettext("Bucket %(ref)s") % {"ref": ref},
        status=refused.status if refused else form.status,
        ref=ref,
        f=form,
        form_key=str(new_id()),
        today=shown.now().date().isoformat(),
        problem=str(refused) if refused else "",
        balance=balance,
        forecast=forecast,
        burn=burn,
        statement=statement,
        adjustments=adjustments,
        me=str(caller.id),
        **side,
    )


@page_route(router, "/{ref}/top-up", "POST")
async def top_up(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Fund a bucket with another lot."""
    caller = need_staff(visitor, *FUNDERS)
    form = await form_of(request, visitor)
    contract = await contract_of(site, visitor, ref)
    body = {
        "minutes": whole(form.get("minutes", ""), times=60),
        "price_minor": price(form.get("price_minor", "") or "0", contract["currency"]),
        "valid_from": form.get("valid_from", ""),
        "expires_on": form.get("expires_on") or None,
    }
    try:
        await site.services.post(caller, f"/contracts/{contract['id']}/lots", body, key=form.get("key"))
    except (Refused, ServiceAway) as refused:
        wrong = Form.refused("top-up", form, refused, said=gettext("The hours were not added."))
        return await _bucket(site, visitor, ref, top_up_form=wrong)
    return go(f"/desk/buckets/{segment(ref)}")


@page_route(router, "/{ref}/adjust", "POST")
async def adjust(request: Request, site: Site, visitor: Visitor, ref: str) -> Response:
    """Ask for a correction of a lot, or decide about one."""
    caller = need_staff(visitor, *FUNDERS)
    form = await form_of(request, visitor)
    path = f"{await _path(site, visitor, ref)}/adjustments"
    verb = form.get("intent", "")
    try:
        if verb in ("confirm", "decline"):
            await site.services.post(caller, f"{path}/{segment(form.get('id', ''))}/{verb}")
        else:
            body = {
                "lot_id": form.get("lot_id"),
                "minutes": whole(form.get("minutes", "")),
                "reason": form.get("reason"),
            }
            await site.services.post(caller, path, body)
    except Refused as refused:
        return await _bucket(site, visitor, ref, refused=refused)
    return go(f"/desk/buckets/{segment(ref)}")


async def _path(site: Site, visitor: Visitor, ref: str) -> str:
    """Return the address of the contract of a ref.

    Raises:
        Refused: there is no such contract.
    """
    return f"/contracts/{(await contract_of(site, visitor, ref))['id']}"
