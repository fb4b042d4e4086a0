"""Settings of the gateway: where the services are, and the key that says who asks."""

from __future__ import annotations

from pydantic import SecretStr

from msp_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the gateway is told by its environment."""

    identity_private_key: SecretStr
    """Private Ed25519 JWK; nobody else has it."""
    tickets_url: str
    sla_url: str
    contracts_url: str
    billing_url: str
    public_url: str = "http://127.0.0.1:8000"
    brand_name: str = "Effigate"

    def service_urls(self) -> dict[str, str]:
        """Return the address of each service by its name."""
        return {
            "tickets": self.tickets_url,
            "sla": self.sla_url,
            "contracts": self.contracts_url,
            "billing": self.billing_url,
        }
