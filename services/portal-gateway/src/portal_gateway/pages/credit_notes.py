"""Credit notes: what of an invoice is given back, seen before it is issued."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext
from portal_gateway.pages import shown
from portal_gateway.pages.billing import BILLERS
from portal_gateway.pages.desk import nav
from portal_gateway.pages.site import Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter()


@page_route(router, "/desk/billing/invoices/{number}/credit")
async def credit(_request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Show what is left of each line to be credited."""
    return await _credit(site, visitor, number, form={})


@page_route(router, "/desk/billing/invoices/{number}/credit", "POST")
async def issue_credit_note(request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Show what the credit note would say; then issue it."""
    caller = need_staff(visitor, *BILLERS)
    form = await form_of(request, visitor)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    chosen, wrong = _chosen(form, found["currency"])
    hours, not_hours = returned(form)
    wrong = wrong or not_hours
    if wrong or not chosen or not form.get("reason", "").strip():
        said = wrong or (
            gettext("Choose at least one line.")
            if not chosen
            else gettext("Say why: the reason is printed on the credit note.")
        )
        return await _credit(site, visitor, number, form=form, problem=said)
    if form.get("intent") != "issue":
        return await _credit(site, visitor, number, form=form, chosen=chosen)
    lines = [{"n": n, "net_minor": net} for n, net in chosen.items()]
    body = {"reason": form["reason"].strip(), "lines": lines, "return_hours": hours}
    try:
        path = f"/invoices/{found['id']}/credit-notes"
        note = await site.services.post(caller, path, body, key=form.get("key") or None)
    except Refused as refused:
        _unless_proof_is_asked(refused)
        return await _credit(site, visitor, number, form=form, problem=shown.why(gettext("Not issued:"), refused))
    return go(f"/desk/billing/invoices/{note['id']}")


def _unless_proof_is_asked(refused: Refused) -> None:
    # The page leads to the proof by itself when the refusal reaches it.
    if refused.document.get("code") == "step-up-required":
        raise refused


def _chosen(form: dict[str, str], currency: str) -> tuple[dict[int, int | None], str]:
    """Return the chosen lines with their amounts (``None``: what is left), and what is wrong with them."""
    chosen: dict[int, int | None] = {}
    for one in form.get("line", "").split(","):
        if not one.isdecimal():
            continue
        text = form.get(f"net{one}", "").strip()
        negative = text.startswith(("-", "\N{MINUS SIGN}"))
        amount = shown.minor_units(text[negative:], currency) if text else None
        if text and amount is None:
            return {}, gettext("Line %(one)s: the amount is a number, as 125.50; empty means all that is left.") % {
                "one": one
            }
        chosen[int(one)] = -amount if negative and amount else amount
    return chosen, ""


def returned(form: dict[str, str]) -> tuple[list[dict[str, Any]], str]:
    """Return the bucket minutes to be given back, by contract, and what is wrong with them."""
    hours: list[dict[str, Any]] = []
    for name, text in form.items():
        if not name.startswith("back-") or not text.strip():
            continue
        minutes = shown.exact_minutes(text)
        if not minutes:
            return [], gettext(
                "The hours to give back are whole minutes above zero, as 1:20 or 0.25; empty means none."
            )
        hours.append({"contract_id": name.removeprefix("back-"), "bucket_minutes": minutes})
    return hours, ""


def _from_buckets(invoice: dict[str, Any]) -> list[tuple[str, str, int]]:
    """Return what an invoice took from buckets: contract, what it is called, minutes."""
    refs = {
        one["contract_id"]: one.get("ref", "")
        for one in (*invoice["statement"], *invoice["lines"])
        if "contract_id" in one
    }
    taken: dict[str, int] = {}
    for one in invoice["entries"]:
        taken[one["contract_id"]] = taken.get(one["contract_id"], 0) + one["bucket_minutes"]
    return [(contract, refs.get(contract, ""), minutes) for contract, minutes in taken.items() if minutes]


async def _credit(
    site: Site,
    visitor: Visitor,
    number: str,
    *,
    form: dict[str, str],
    chosen: dict[int, int | None] | None = None,
    problem: str = "",
) -> Response:
    caller = need_staff(visitor, *BILLERS)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    left = await site.services.get(caller, f"/invoices/{segment(number)}/left")
    side = await nav(site, visitor)
    return site.page(
        "desk/credit.html",
        visitor=visitor,
        title=gettext("Credit note for %(number)s") % {"number": found["number"]},
        status=422 if problem else 200,
        invoice=found,
        texts={one["n"]: one["text"] for one in found["lines"]},
        left=left["items"],
        from_buckets=_from_buckets(found),
        returned={one["contract_id"]: one["bucket_minutes"] for one in returned(form)[0]},
        chosen=chosen,
        net=sum(
            one["left_net_minor"] if chosen[one["n"]] is None else chosen[one["n"]]
            for one in left["items"]
            if chosen and one["n"] in chosen
        ),
        form=form,
        key=str(new_id()),
        problem=problem,
        **side,
    )
