"""What monitoring systems say, from outside the platform: an alert fires or is over."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from msp_events.base import Event, Level

Severity = Literal["critical", "major", "warning", "info"]


class AlertState(Event):
    """An alert as its monitoring system sees it. Alerts of one ``system`` with one ``dedup_key`` are one and the same."""

    owner: ClassVar[str] = "monitoring"
    stream: ClassVar[str] = "alert"
    subject_field: ClassVar[str] = "alert_id"

    alert_id: UUID
    """Any id of the sender's for this telling."""
    client_id: UUID
    system: Annotated[str, Field(min_length=1, max_length=60)]
    """The monitoring system: ``zabbix``, ``prometheus``."""
    dedup_key: Annotated[str, Field(min_length=1, max_length=200)]
    """What is wrong where, the same while it goes on: ``gw-01:ping``."""
    severity: Severity
    title: Annotated[str, Field(min_length=1, max_length=500)]
    description: Annotated[str, Field(max_length=10_000)] = ""
    job_type: str
    level: Level = "L1"


class AlertFired(AlertState):
    """Something is wrong: a ticket is opened, or the one there is told."""


class AlertCleared(AlertState):
    """It is over: the ticket is resolved."""
