"""Settings of the gateway: where the services are, and the key that says who asks."""

from __future__ import annotations

from pydantic import Field, SecretStr

from msp_kit.settings import ServiceSettings
from portal_gateway.house import House
from portal_gateway.sealing import Sealer


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
    sealing_key: SecretStr | None = None
    """Seals what must be read again (secrets of authenticator apps and identity providers); the identity key when absent,
    and then a new identity key asks everybody to add their app anew."""
    rate_limit_factor: int = Field(default=1, ge=1, le=100_000)
    """How many times the usual number of requests an identity may send."""
    smtp_url: SecretStr = SecretStr("")
    """``smtp://user:password@host:port`` or ``smtps://…``; empty: no mail leaves the house."""
    mail_from: str = "support@localhost"
    outgoing_private_hosts: str = ""
    """Hosts that outgoing calls may reach although their addresses are private, joined by commas (own identity provider)."""

    def service_urls(self) -> dict[str, str]:
        """Return the address of each service by its name."""
        return {
            "tickets": self.tickets_url,
            "sla": self.sla_url,
            "contracts": self.contracts_url,
            "billing": self.billing_url,
        }

    def house(self) -> House:
        """Return what the verbs must know of this installation."""
        key = self.sealing_key or self.identity_private_key
        return House(
            public_url=self.public_url.rstrip("/"),
            brand=self.brand_name,
            sealer=Sealer(key.get_secret_value()),
            has_mail=bool(self.smtp_url.get_secret_value()),
        )
