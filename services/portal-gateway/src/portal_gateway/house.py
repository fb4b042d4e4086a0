"""What the verbs must know of this installation, told once when a process starts."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from portal_gateway.sealing import Sealer


@dataclass(frozen=True, slots=True)
class House:
    """One installation of the platform."""

    public_url: str
    brand: str
    sealer: Sealer
    has_mail: bool
    """Whether mail leaves the house; otherwise whoever invites somebody hands over the link."""

    @property
    def host(self) -> str:
        """Return the host people see; passkeys are bound to it."""
        return urlsplit(self.public_url).hostname or "localhost"
