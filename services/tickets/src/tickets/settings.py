"""Settings of the tickets service: those of every service."""

from __future__ import annotations

from msp_kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Nothing of its own yet."""
