"""The five services as the machine sees them: module, database, and the environment each process needs."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass

from msp_kit import identity
from msp_kit.provisioning import DatabaseUrls


@dataclass(frozen=True, slots=True)
class LocalService:
    """One service; names as in the glossary of processes."""

    name: str
    module: str
    database: str


SERVICES: tuple[LocalService, ...] = (
    LocalService("contracts", "contracts", "contracts"),
    LocalService("tickets", "tickets", "tickets"),
    LocalService("sla", "sla", "sla"),
    LocalService("billing", "billing", "billing"),
    LocalService("portal-gateway", "portal_gateway", "portal_gateway"),
)
GATEWAY = "portal-gateway"
SELLER = {
    "address": {"lines": ["1 Dock Street"], "city": "Leeds", "postcode": "LS1 4AB", "country": "GB"},
    "tax_id": "GB123456789",
    "legal_id": "07654321",
    "email": "billing@meridian.example",
    "iban": "GB33BUKB20201555555555",
    "bic": "BUKBGB22",
}
"""Who sends the invoices of a local platform, until somebody says otherwise."""


def environment(
    service: LocalService,
    *,
    database: DatabaseUrls,
    amqp_url: str,
    ports: Mapping[str, int],
    private_key: Mapping[str, object],
    otlp_endpoint: str = "",
    brand: str = "Meridian IT",
) -> dict[str, str]:
    """Return the environment of one service process."""
    made = {
        "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
        "PYTHONUNBUFFERED": "1",
        "MSP_DATABASE_URL": database.app,
        "MSP_MIGRATE_DATABASE_URL": database.owner,
        "MSP_AMQP_URL": amqp_url,
        "MSP_HTTP_PORT": str(ports[service.name]),
        "MSP_LOG_LEVEL": os.environ.get("MSP_LOG_LEVEL", "info"),
        "MSP_IDENTITY_PUBLIC_KEYS": json.dumps(identity.public_keys([dict(private_key)])),
        "MSP_BRAND_NAME": brand,
        "MSP_SELLER": json.dumps(SELLER),
    }
    if otlp_endpoint:
        made["MSP_OTLP_ENDPOINT"] = otlp_endpoint
    if service.name == GATEWAY:
        made["MSP_IDENTITY_PRIVATE_KEY"] = json.dumps(dict(private_key))
        # One machine, one person who loads demo data: the limits of an installation would only be in the way.
        made["MSP_RATE_LIMIT_FACTOR"] = "1000"
        made["MSP_PUBLIC_URL"] = f"http://127.0.0.1:{ports[GATEWAY]}"
        for other in SERVICES:
            if other.name != GATEWAY:
                made[f"MSP_{other.module.upper()}_URL"] = f"http://127.0.0.1:{ports[other.name]}"
    return made
