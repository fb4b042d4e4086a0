"""Events that could not be taken, in HTTP answers."""

from __future__ import annotations

from datetime import datetime

from msp_kit.api import View
from msp_kit.ids import Subject
from sla.schemas.ids import BusEventName


class RefusalView(View):
    """An event that is not taken (yet): ``parked`` needs a person, ``retry`` and ``waiting`` settle by themselves."""

    event_id: BusEventName
    source: str
    type: str
    subject: Subject
    seq: int
    status: str
    attempts: int
    error_code: str | None
    error_text: str | None
    received_at: datetime
