"""Events that could not be taken, in HTTP answers."""

from __future__ import annotations

from datetime import datetime

from msp_kit.api import View


class RefusalView(View):
    """An event that is not taken (yet): ``parked`` needs a person, ``retry`` and ``waiting`` settle by themselves."""

    event_id: str
    source: str
    type: str
    subject: str
    seq: int
    status: str
    attempts: int
    error_code: str | None
    error_text: str | None
    received_at: datetime
