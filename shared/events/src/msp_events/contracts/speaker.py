"""Who says these events."""

from __future__ import annotations

from typing import ClassVar

from msp_events.base import Event


class ContractsEvent(Event):
    """Said by contracts."""

    owner: ClassVar[str] = "contracts"
