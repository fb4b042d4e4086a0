"""SELECTs shaped for a screen, and the proof that the ledger holds."""

from contracts.reports.verification import verify

__all__ = ["verify"]
