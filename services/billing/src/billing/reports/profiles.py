"""Profiles and charges as they are shown."""

from billing.store.profiles import charges, profile

__all__ = ["charges", "profile"]
