"""Changing who bills and is billed, and what is agreed beside contracts."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from billing.actions import drafting
from billing.documents import logo as logos
from billing.documents.logo import Logo
from billing.documents.pdf import try_out
from billing.domain.items import Charge, Credit
from billing.domain.pricing import MixedCurrencies
from billing.store import intake, profiles as store
from msp_kit.database import Transaction
from msp_kit.problems import NotFound

LOGO = "logo_sha256"


class CreditNotOpen(Exception):
    """The credit is on an issued invoice, or was withdrawn."""


async def seller_of(tx: Transaction, default: dict[str, Any]) -> dict[str, Any]:
    """Return who sends the invoices: the profile, or what the settings say as long as there is none."""
    return await store.seller(tx) or default


async def change_seller(tx: Transaction, given: dict[str, Any]) -> None:
    """Change who sends the invoices but for the logo; issued ones keep what they say."""
    profile = {**given, **{name: one for name, one in (await store.seller(tx) or {}).items() if name == LOGO}}
    await store.save_seller(tx, profile)
    await drafting.look_again(tx, seller=profile)


async def change_logo(tx: Transaction, body: bytes | None, *, default_seller: dict[str, Any]) -> None:
    """Put a logo on the documents from now on, or none; issued ones keep theirs.

    Raises:
        LogoNotUsable: the file is no logo that could be put on a document.
    """
    seller = {name: one for name, one in (await seller_of(tx, default_seller)).items() if name != LOGO}
    if body is not None:
        logo = await asyncio.to_thread(_usable, body)
        await store.add_logo(tx, sha256=logo.sha256, media_type=logo.media_type, body=logo.body)
        seller[LOGO] = logo.sha256
    await store.save_seller(tx, seller)


def _usable(body: bytes) -> Logo:
    logo = logos.read(body)
    try_out(logo)
    return logo


async def logo_of(tx: Transaction, seller: Mapping[str, Any]) -> Logo | None:
    """Return the logo a seller's profile names, ``None`` when it names none."""
    if not seller.get(LOGO):
        return None
    body = await store.logo(tx, sha256=seller[LOGO])
    assert body is not None, "a logo that is named stays for ever"
    return logos.read(body)


async def change_profile(tx: Transaction, *, client_id: UUID, profile: dict[str, Any], seller: dict[str, Any]) -> None:
    """Change how a client is billed; its drafts follow, issued invoices keep what they say.

    Raises:
        NotFound: the client is unknown.
    """
    if await intake.client(tx, client_id=client_id) is None:
        raise NotFound
    await store.save_profile(tx, client_id=client_id, profile=profile)
    await drafting.make_drafts_anew(tx, client_id=client_id, seller=seller)


async def _contract(tx: Transaction, *, client_id: UUID, contract_id: UUID) -> str:
    terms = await intake.terms_of_client(tx, client_id=client_id)
    for (known, _), of in terms.items():
        if known == contract_id:
            return of.currency
    raise NotFound


async def agree(tx: Transaction, *, client_id: UUID, charge: Charge) -> None:
    """Agree a charge, a discount or a minimum beside a contract; it counts from the next draft on.

    Raises:
        NotFound: the client has no such contract.
    """
    await _contract(tx, client_id=client_id, contract_id=charge.contract_id)
    await store.add_charge(tx, client_id=client_id, charge=charge)


async def end_charge(tx: Transaction, *, charge_id: UUID, ends_on: date) -> None:
    """End a charge on a day.

    Raises:
        NotFound: there is no such charge.
    """
    if not await store.end_charge(tx, charge_id=charge_id, ends_on=ends_on):
        raise NotFound


async def earn(tx: Transaction, *, client_id: UUID, credit: Credit) -> None:
    """Take in a credit with its evidence; the same one again changes nothing.

    Raises:
        NotFound: the client has no such contract.
        MixedCurrencies: the credit is not in the currency of its contract.
    """
    currency = await _contract(tx, client_id=client_id, contract_id=credit.contract_id)
    if currency != credit.currency:
        raise MixedCurrencies(f"the credit is in {credit.currency}, its contract in {currency}")
    await store.add_credit(tx, client_id=client_id, credit=credit)


async def withdraw(tx: Transaction, *, credit_id: UUID, default_seller: dict[str, Any]) -> None:
    """Take back a credit; a draft it is on is made anew without it.

    Raises:
        CreditNotOpen: it is on an issued invoice, was withdrawn, or never was.
    """
    is_open, draft_id = await store.withdraw_credit(tx, credit_id=credit_id)
    if not is_open:
        raise CreditNotOpen("only credits that are on no issued invoice can be withdrawn")
    if draft_id is not None:
        await drafting.make_anew(tx, invoice_id=draft_id, seller=await seller_of(tx, default_seller))


async def set_cost_rates(tx: Transaction, rates: Sequence[tuple[str, str, int]]) -> None:
    """Set what an hour of each level costs the MSP."""
    await store.save_cost_rates(tx, rates)
