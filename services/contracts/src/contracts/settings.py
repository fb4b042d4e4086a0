"""What the processes of the contracts service are told by their environment."""

from __future__ import annotations

from msp_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing beyond what every service is told."""
