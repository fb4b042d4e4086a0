"""Money that came: payments and where they go, refunds, write-offs by two people, reminders."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from msp_kernel.ids import new_id
from portal_gateway.language import gettext, mark
from portal_gateway.pages import shown
from portal_gateway.pages.billing import BILLERS, SELLERS
from portal_gateway.pages.desk import nav
from portal_gateway.pages.forms import AMOUNT, Form
from portal_gateway.pages.lists import ROWS, Listing, client_options
from portal_gateway.pages.site import Failed, Site, form_of, go, page_route
from portal_gateway.scope import Visitor, need_staff
from portal_gateway.services import Refused, segment

router = APIRouter(prefix="/desk/billing")
REMINDER_DAYS = (3, 14, 30)
REMINDER_ROWS = 25
NOT_CHANGED, NOT_PROPOSED = mark("Nothing was changed."), mark("Nothing was proposed.")


@page_route(router, "/payments")
async def payments(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show payments with what is left of them; on demand only those with money that is on no invoice."""
    caller = need_staff(visitor, *BILLERS)
    filters = ("client_id", "from", "to", "has_left")
    listing = Listing.of(request, *filters)
    found, left, clients, side = await site.parts(
        site.services.get(caller, "/payments", **listing.query(*filters), limit=ROWS),
        site.services.get(caller, "/payments/left-over"),
        client_options(site, visitor),
        nav(site, visitor),
    )
    return site.page(
        "desk/payments.html",
        visitor=visitor,
        title=gettext("Payments"),
        found=found,
        left=left,
        listing=listing,
        clients=clients,
        **side,
    )


@page_route(router, "/payments/{payment_id}")
async def payment(_request: Request, site: Site, visitor: Visitor, payment_id: str) -> Response:
    """Show a payment: where it went, and what can be done with what is left."""
    return await _payment(site, visitor, payment_id)


async def _payment(
    site: Site,
    visitor: Visitor,
    payment_id: str,
    *,
    form: Form | None = None,
) -> Response:
    caller, form = need_staff(visitor, *BILLERS), form or Form()
    found = await site.services.get(caller, f"/payments/{segment(payment_id)}")
    still_open, side = await site.parts(
        site.services.get(caller, "/receivables", client_id=found["client_id"], limit=100), nav(site, visitor)
    )
    return site.page(
        "desk/payment.html",
        visitor=visitor,
        title=gettext("Payment of %(received_on)s") % {"received_on": shown.day(found["received_on"])},
        status=form.status,
        payment=found,
        still_open=still_open,
        owed=_owed(still_open, found["currency"]),
        given=_given(found),
        today=shown.now().date(),
        base=f"/desk/billing/payments/{found['id']}",
        form=form,
        key=str(new_id()),
        **side,
    )


def _owed(still_open: Any, currency: str) -> list[tuple[str, str]]:
    """Return the invoices a payment can pay, and how they are called."""
    listed = [] if isinstance(still_open, Failed) else still_open["items"]
    return [
        (one["id"], f"{one['number']}, {shown.money(one['open_minor'], currency)} open")
        for one in listed
        if one["currency"] == currency and one["open_minor"] > 0
    ]


def given_minor(payment: dict[str, Any]) -> dict[str, int]:
    """Return what a payment gave to each invoice and did not take back."""
    found: dict[str, int] = {}
    for one in payment["allocations"]:
        found[one["invoice_id"]] = found.get(one["invoice_id"], 0) + one["amount_minor"]
    return {invoice_id: amount for invoice_id, amount in found.items() if amount > 0}


def _given(payment: dict[str, Any]) -> list[tuple[str, str]]:
    numbers = {one["invoice_id"]: one["number"] for one in payment["allocations"]}
    return [
        (invoice_id, f"{numbers[invoice_id]}, {shown.money(amount, payment['currency'])}")
        for invoice_id, amount in given_minor(payment).items()
    ]


@page_route(router, "/payments/{payment_id}/allocations", "POST")
async def allocate(request: Request, site: Site, visitor: Visitor, payment_id: str) -> Response:
    """Pay an invoice with what is left of a payment."""
    caller = need_staff(visitor, *BILLERS)
    typed = await form_of(request, visitor)
    found = await site.services.get(caller, f"/payments/{segment(payment_id)}")
    invoice = await site.services.get(caller, f"/invoices/{segment(typed.get('invoice', ''))}")
    text = typed.get("amount", "").strip()
    fits = min(found["left_minor"], invoice["open_minor"] or 0)
    amount = shown.minor_units(text, found["currency"]) if text else fits
    if amount is None:
        return await _payment(site, visitor, payment_id, form=_no_amount("pay", typed))
    body = {"shares": [{"invoice_id": invoice["id"], "amount_minor": amount}]}
    places = {"more-than-there-is": "amount", "shares": "amount", "currency-differs": "invoice"}
    return await _act(site, visitor, payment_id, "allocations", body, form=Form("pay", typed), places=places)


@page_route(router, "/payments/{payment_id}/release", "POST")
async def release(request: Request, site: Site, visitor: Visitor, payment_id: str) -> Response:
    """Take money of a payment back from an invoice."""
    caller = need_staff(visitor, *BILLERS)
    typed = await form_of(request, visitor)
    found = await site.services.get(caller, f"/payments/{segment(payment_id)}")
    text, invoice_id = typed.get("amount", "").strip(), typed.get("invoice", "")
    amount = shown.minor_units(text, found["currency"]) if text else given_minor(found).get(invoice_id)
    if amount is None:
        return await _payment(site, visitor, payment_id, form=_no_amount("back", typed))
    body = {"invoice_id": invoice_id, "amount_minor": amount, "reason": typed.get("reason", "").strip()}
    places = {"amount_minor": "amount", "invoice_id": "invoice", "more-than-there-is": "amount"}
    return await _act(site, visitor, payment_id, "release", body, form=Form("back", typed), places=places)


@page_route(router, "/payments/{payment_id}/refunds", "POST")
async def refund(request: Request, site: Site, visitor: Visitor, payment_id: str) -> Response:
    """Record that money was paid back to the client."""
    caller = need_staff(visitor, *BILLERS)
    typed = await form_of(request, visitor)
    found = await site.services.get(caller, f"/payments/{segment(payment_id)}")
    amount = shown.minor_units(typed.get("amount", ""), found["currency"])
    if amount is None:
        return await _payment(site, visitor, payment_id, form=_no_amount("refund", typed))
    body = {
        "amount_minor": amount,
        "refunded_on": typed.get("on", ""),
        "reason": typed.get("reason", "").strip(),
    }
    places = {"amount_minor": "amount", "refunded_on": "on", "more-than-there-is": "amount"}
    return await _act(site, visitor, payment_id, "refunds", body, form=Form("refund", typed), places=places)


async def _act(
    site: Site,
    visitor: Visitor,
    payment_id: str,
    verb: str,
    body: dict[str, Any],
    *,
    form: Form,
    places: dict[str, str],
) -> Response:
    path = f"/payments/{segment(payment_id)}/{verb}"
    try:
        await site.services.post(visitor.caller, path, body, key=form.value("key") or None)
    except Refused as refused:
        again = Form.refused(form.name, form.values, refused, said=gettext(NOT_CHANGED), places=places)
        return await _payment(site, visitor, payment_id, form=again)
    return go(f"/desk/billing/payments/{segment(payment_id)}")


def _no_amount(name: str, typed: dict[str, str]) -> Form:
    return Form.wrong(name, typed, {"amount": gettext(AMOUNT)}, said=gettext(NOT_CHANGED))


# ---- write-offs -----------------------------------------------------------------------------------------------------


@page_route(router, "/write-offs")
async def write_offs(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show what nobody asks for any more, and what waits for a second person."""
    return await _write_offs(site, visitor, Form(), Listing.of(request))


async def _write_offs(site: Site, visitor: Visitor, form: Form, listing: Listing) -> Response:
    caller = need_staff(visitor, *BILLERS)
    found, side = await site.parts(
        site.services.get(caller, "/write-offs", **listing.query(), limit=ROWS), nav(site, visitor)
    )
    return site.page(
        "desk/write_offs.html",
        visitor=visitor,
        title=gettext("Write-offs"),
        status=form.status,
        found=found,
        listing=listing,
        me=str(caller.id),
        may_approve=caller.has_role(*SELLERS),
        form=form,
        **side,
    )


@page_route(router, "/write-offs/{write_off_id}/approve", "POST")
async def approve_write_off(request: Request, site: Site, visitor: Visitor, write_off_id: str) -> Response:
    """Approve what somebody else proposed."""
    caller = need_staff(visitor, *SELLERS)
    await form_of(request, visitor)
    try:
        await site.services.post(caller, f"/write-offs/{segment(write_off_id)}/approve")
    except Refused as refused:
        return await _write_offs(
            site, visitor, Form.refused("approve", {}, refused, said=gettext("It was not approved.")), Listing()
        )
    return go("/desk/billing/write-offs")


@page_route(router, "/invoices/{number}/write-off")
async def write_off(_request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Show a form to propose that what is open is not asked for any more."""
    return await _write_off(site, visitor, number, Form())


async def _write_off(site: Site, visitor: Visitor, number: str, form: Form) -> Response:
    caller = need_staff(visitor, *BILLERS)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    side = await nav(site, visitor)
    return site.page(
        "desk/write_off.html",
        visitor=visitor,
        title=gettext("Propose a write-off"),
        status=form.status,
        invoice=found,
        form=form,
        key=str(new_id()),
        **side,
    )


@page_route(router, "/invoices/{number}/write-off", "POST")
async def propose_write_off(request: Request, site: Site, visitor: Visitor, number: str) -> Response:
    """Propose that an amount is not asked for any more."""
    caller = need_staff(visitor, *BILLERS)
    typed = await form_of(request, visitor)
    found = await site.services.get(caller, f"/invoices/{segment(number)}")
    amount = shown.minor_units(typed.get("amount", ""), found["currency"])
    if amount is None:
        form = Form.wrong("write-off", typed, {"amount": gettext(AMOUNT)}, said=gettext(NOT_PROPOSED))
        return await _write_off(site, visitor, number, form)
    body = {"invoice_id": found["id"], "amount_minor": amount, "reason": typed.get("reason", "").strip()}
    try:
        await site.services.post(caller, "/write-offs", body, key=typed.get("key") or None)
    except Refused as refused:
        places = {"amount_minor": "amount", "more-than-there-is": "amount"}
        form = Form.refused("write-off", typed, refused, said=gettext(NOT_PROPOSED), places=places)
        return await _write_off(site, visitor, number, form)
    return go("/desk/billing/write-offs")


# ---- reminders ------------------------------------------------------------------------------------------------------


@page_route(router, "/reminders")
async def reminders(request: Request, site: Site, visitor: Visitor) -> Response:
    """Show who will be reminded next, and the reminders that fell due."""
    caller = need_staff(visitor, *BILLERS)
    upcoming, listing = Listing.of(request, "after", name="next"), Listing.of(request, "next")
    still_open, found, side = await site.parts(
        site.services.get(caller, "/receivables", **upcoming.query(), limit=REMINDER_ROWS),
        site.services.get(caller, "/reminders", **listing.query(), limit=REMINDER_ROWS),
        nav(site, visitor),
    )
    listed = [] if isinstance(still_open, Failed) else still_open["items"]
    return site.page(
        "desk/reminders.html",
        visitor=visitor,
        title=gettext("Reminders"),
        still_open=still_open,
        coming=sorted((one for one in listed if one["next_on"]), key=lambda one: (one["next_on"], one["number"])),
        found=found,
        upcoming=upcoming,
        listing=listing,
        days=REMINDER_DAYS,
        **side,
    )
