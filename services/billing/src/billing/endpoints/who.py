"""Who may call what, and who sends the invoices."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Request

from msp_kit.api import allows

BILLERS = allows(staff=("manager", "finance", "admin"))
READERS = allows(staff=("manager", "finance", "admin"), client=("billing", "approver", "admin"))
ADMINS = allows(staff=("finance", "admin"))
ANYONE = allows(staff=(), client=())


async def _default_seller(request: Request) -> dict[str, Any]:
    seller: dict[str, Any] = request.app.state.default_seller
    return seller


DefaultSeller = Annotated[dict[str, Any], Depends(_default_seller)]
"""The seller of the settings, for as long as nobody gave a profile."""
