"""Settings of the tickets service: those of every service, and where contents of files are kept."""

from __future__ import annotations

from pydantic import Field, SecretStr

from msp_kit.settings import ServiceSettings
from tickets.blobs import Blobs, blobs_at


class Settings(ServiceSettings):
    """What the service is told by its environment."""

    attachments_url: str = "file:///var/lib/effigate/attachments"
    """``file:///folder``, or ``s3://bucket/prefix?endpoint=https://host&region=eu-west-1``."""
    attachments_kept_days: int = Field(default=7, ge=0, le=3650)
    """How long contents are kept that belong to no file; 0 keeps them for ever. Each installation needs a store of its own."""
    attachments_access_key: str = ""
    attachments_secret_key: SecretStr = SecretStr("")

    def blobs(self) -> Blobs:
        """Return the store of the contents."""
        secret = self.attachments_secret_key.get_secret_value()
        return blobs_at(self.attachments_url, access_key=self.attachments_access_key, secret_key=secret)
