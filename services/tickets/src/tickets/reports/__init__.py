"""SELECTs shaped for a screen."""

from tickets.reports.verify import verify

__all__ = ["verify"]
