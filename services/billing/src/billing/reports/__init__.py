"""SELECTs shaped for a screen."""

from billing.reports.verify import verify

__all__ = ["verify"]
