"""Settings of the billing service."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from msp_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What billing is told besides what every service is."""

    brand_name: str = "Effigate"
    """The seller on invoices."""
    seller: dict[str, Any] = {}
    """The rest of the seller's profile (JSON, as ``PUT /seller`` takes it), until somebody gives one in the platform."""

    payment_page_url: str = ""
    """Where open invoices are paid online; empty means nowhere."""
    payment_page_secret: SecretStr = SecretStr("")
    """What the payment page signs its notices with."""

    @property
    def default_seller(self) -> dict[str, Any]:
        """Return the seller for as long as nobody gave a profile."""
        return {"name": self.brand_name, **self.seller}
