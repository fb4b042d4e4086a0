"""Settings of the tickets service: those of every service, and where contents of files are kept."""

from __future__ import annotations

from pydantic import SecretStr

from msp_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the service is told by its environment."""

    attachments_url: str = "file:///var/lib/effigate/attachments"
    """``file:///folder``, or ``s3://bucket/prefix?endpoint=https://host&region=eu-west-1``."""
    attachments_access_key: str = ""
    attachments_secret_key: SecretStr = SecretStr("")
