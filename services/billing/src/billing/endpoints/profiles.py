"""Who bills and is billed, over HTTP."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from billing.actions import profiles
from billing.endpoints.who import ADMINS, BILLERS, PICTURE, READERS, DefaultSeller, logo_answer
from billing.reports import invoices as reports, profiles as shown
from billing.schemas.ids import ChargeId, ClientId, CreditId
from billing.schemas.profiles import (
    AgreeCharge,
    ChargeView,
    CostRates,
    CreditView,
    EarnCredit,
    EarnedView,
    EndCharge,
    LogoBody,
    ProfileBody,
    ProfileView,
    SellerBody,
)
from msp_kit import ids
from msp_kit.api import CallerNow, Tx, guarded_router
from msp_kit.pagination import After, Limit, Page
from msp_kit.problems import NotFound

router: APIRouter = guarded_router(tags=["billing profiles"])


@router.get("/seller", openapi_extra=BILLERS)
async def seller(tx: Tx, default: DefaultSeller) -> dict[str, Any]:
    """Return the MSP as its invoices name it."""
    return await profiles.seller_of(tx, default)


@router.put("/seller", openapi_extra=ADMINS)
async def change_seller(body: SellerBody, tx: Tx) -> SellerBody:
    """Change the MSP as its invoices name it; issued ones keep what they say."""
    await profiles.change_seller(tx, ids.stored(body))
    return body


@router.get("/seller/logo", openapi_extra=BILLERS, **PICTURE)
async def logo(tx: Tx, default: DefaultSeller) -> Response:
    """Return the logo of the documents as it is kept: PNG or SVG."""
    return logo_answer(await profiles.logo_of(tx, await profiles.seller_of(tx, default)))


@router.put("/seller/logo", status_code=204, openapi_extra=ADMINS)
async def change_logo(body: LogoBody, tx: Tx, default: DefaultSeller) -> None:
    """Put a logo on the documents from now on; issued ones keep theirs."""
    await profiles.change_logo(tx, body.content, default_seller=default)


@router.delete("/seller/logo", status_code=204, openapi_extra=ADMINS)
async def drop_logo(tx: Tx, default: DefaultSeller) -> None:
    """Put no logo on the documents from now on; issued ones keep theirs."""
    await profiles.change_logo(tx, None, default_seller=default)


@router.get("/billing-profiles/{client_id}", openapi_extra=READERS)
async def profile(client_id: ClientId, tx: Tx, caller: CallerNow) -> ProfileView:
    """Return how a client is billed; empty where it has nothing of its own."""
    found = await shown.profile_for(tx, caller, client_id=client_id)
    if found is None:
        raise NotFound
    return ProfileView(client_id=client_id, profile=found)


@router.put("/billing-profiles/{client_id}", openapi_extra=BILLERS)
async def change_profile(client_id: ClientId, body: ProfileBody, tx: Tx, default: DefaultSeller) -> ProfileView:
    """Change how a client is billed; its drafts are made anew."""
    given = {name: value for name, value in ids.stored(body).items() if value is not None}
    seller = await profiles.seller_of(tx, default)
    await profiles.change_profile(tx, client_id=client_id, profile=given, seller=seller)
    return ProfileView(client_id=client_id, profile=given)


@router.get("/billing-profiles/{client_id}/charges", openapi_extra=BILLERS)
async def list_charges(client_id: ClientId, tx: Tx, limit: Limit = 50, after: After = None) -> Page[ChargeView]:
    """Return a page of the items, discounts and minimums agreed beside a client's contracts, the latest beginning first."""
    found, cursor = await shown.list_charges(tx, client_id=client_id, limit=limit, after=after)
    return Page[ChargeView](items=[ChargeView.model_validate(one) for one in found], next=cursor)


@router.post("/billing-profiles/{client_id}/charges", status_code=201, openapi_extra=BILLERS)
async def agree_charge(client_id: ClientId, body: AgreeCharge, tx: Tx) -> ChargeView:
    """Agree an item, a discount or a minimum beside a contract."""
    charge = body.to_charge()
    await profiles.agree(tx, client_id=client_id, charge=charge)
    return ChargeView.model_validate(charge)


@router.post("/billing-charges/{charge_id}/end", status_code=204, openapi_extra=BILLERS)
async def end_charge(charge_id: ChargeId, body: EndCharge, tx: Tx) -> None:
    """End a charge on a day."""
    await profiles.end_charge(tx, charge_id=charge_id, ends_on=body.ends_on)


@router.post("/credits", status_code=201, openapi_extra=BILLERS)
async def earn_credit(body: EarnCredit, tx: Tx) -> EarnedView:
    """Take in a credit with its evidence; it is given on the next draft that has room for it."""
    await profiles.earn(tx, client_id=body.client_id, credit=body.to_credit())
    return EarnedView(id=body.id)


@router.get("/credits", openapi_extra=READERS)
async def list_credits(
    tx: Tx, client_id: ClientId | None = None, limit: Limit = 50, after: After = None
) -> Page[CreditView]:
    """Return a page of credits with their evidence, newest first."""
    found, cursor = await reports.list_credits(tx, client_id=client_id, limit=limit, after=after)
    return Page[CreditView](items=[CreditView(**one) for one in found], next=cursor)


@router.post("/credits/{credit_id}/withdraw", status_code=204, openapi_extra=BILLERS)
async def withdraw_credit(credit_id: CreditId, tx: Tx, default: DefaultSeller) -> None:
    """Take back a credit that is on no issued invoice; a draft it is on is made anew without it."""
    await profiles.withdraw(tx, credit_id=credit_id, default_seller=default)


@router.get("/cost-rates", openapi_extra=ADMINS)
async def cost_rates(tx: Tx) -> CostRates:
    """Return what an hour of each level costs the MSP."""
    return CostRates.model_validate({"rates": await reports.cost_rates(tx)})


@router.put("/cost-rates", openapi_extra=ADMINS)
async def set_cost_rates(body: CostRates, tx: Tx) -> CostRates:
    """Set what an hour of each level costs the MSP."""
    await profiles.set_cost_rates(tx, [(one.level, one.currency, one.rate_minor) for one in body.rates])
    return body
