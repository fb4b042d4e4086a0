"""What the processes of this service are told by their environment."""

from __future__ import annotations

from msp_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing beyond what every service needs."""
