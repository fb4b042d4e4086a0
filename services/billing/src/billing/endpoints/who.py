"""Who may call what, and who sends the invoices."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Query, Request, Response

from billing.documents.logo import Logo
from billing.providers import NoProvider, PaymentProvider
from msp_kit.api import allows
from msp_kit.description import file_of
from msp_kit.problems import NotFound

BILLERS = allows(staff=("manager", "finance", "admin"))
ISSUERS = allows(staff=("manager", "finance", "admin"), step_up=True)
READERS = allows(staff=("manager", "finance", "admin"), client=("billing", "approver", "admin"))
ADMINS = allows(staff=("finance", "admin"))
APPROVERS = allows(staff=("finance", "admin"), step_up=True)


PICTURE = file_of("image/png", "image/svg+xml")


async def _default_seller(request: Request) -> dict[str, Any]:
    seller: dict[str, Any] = request.app.state.default_seller
    return seller


def logo_answer(logo: Logo | None) -> Response:
    """Return a logo as a picture that runs nothing.

    Raises:
        NotFound: there is none.
    """
    if logo is None:
        raise NotFound
    return Response(
        logo.body, media_type=logo.media_type, headers={"content-security-policy": "default-src 'none'; sandbox"}
    )


DefaultSeller = Annotated[dict[str, Any], Depends(_default_seller)]
"""The seller of the settings, for as long as nobody gave a profile."""


async def _provider(request: Request) -> PaymentProvider:
    provider: PaymentProvider | None = request.app.state.provider
    if provider is None:
        raise NoProvider("online payment is not set up; pay by bank transfer")
    return provider


FirstDay = Annotated[date | None, Query(alias="from", ge=date(2000, 1, 1), description="The first day of the list")]
EndDay = Annotated[
    date | None, Query(alias="to", le=date(2199, 12, 31), description="The day after the last of the list")
]
Provider = Annotated[PaymentProvider, Depends(_provider)]
"""Who takes money online."""
