"""Settings of the billing service."""

from __future__ import annotations

from msp_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What billing is told besides what every service is."""

    brand_name: str = "Effigate"
    """The seller on invoices."""
