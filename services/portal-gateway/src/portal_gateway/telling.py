"""How somebody wants to be told: per kind, in the inbox, by mail at once, in a digest, or not at all. Values, no clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, Literal, cast
from zoneinfo import ZoneInfo, available_timezones

from portal_gateway.notices import KINDS

Channel = Literal["off", "app", "digest", "now"]
Digest = Literal["off", "hourly", "daily"]
CHANNELS: tuple[Channel, ...] = ("off", "app", "digest", "now")
"""Not at all; in the inbox only; there and in the digest; there and by mail at once."""
DAILY_AT = 8 * 60
AT_ONCE = frozenset(
    {
        "sla-breach",
        "time-unsubmitted",
        "run-ready",
        "answer-needed",
        "answered",
        "approval-needed",
        "invoice-issued",
        "invoice-overdue",
    }
)
IN_APP = frozenset({"approval-waiting", "import-finished"})
_ZONES = available_timezones()


class BadNotificationSettings(Exception):
    """A kind, a way of telling, a zone or a time of day does not exist."""


def default_channel(kind: str) -> Channel:
    """Return how somebody is told of a kind while they have not said otherwise."""
    return "now" if kind in AT_ONCE else "app" if kind in IN_APP else "digest"


@dataclass(frozen=True, slots=True)
class Telling:
    """How one person wants to be told."""

    zone: str = "Europe/London"
    digest: Digest = "daily"
    quiet: tuple[int, int] | None = (20 * 60, 7 * 60)
    """Minutes of the day between which no mail leaves but of critical tickets; ``None`` for no quiet hours."""
    channels: Mapping[str, Channel] = field(default_factory=dict)
    refusal: str = ""
    """What the mail server said when it last refused the person's address."""

    def channel(self, kind: str) -> Channel:
        """Return how the person is told of a kind."""
        return self.channels.get(kind, default_channel(kind))

    def mail_due_at(self, kind: str, *, at: datetime, is_critical: bool) -> datetime | None:
        """Return when mail about something may leave at the earliest; ``None`` for none."""
        channel = self.channel(kind)
        if channel == "now":
            return at if is_critical else self.after_quiet(at)
        if channel != "digest" or self.digest == "off":
            return None
        minutes = (DAILY_AT,) if self.digest == "daily" else tuple(range(0, 24 * 60, 60))
        return self.after_quiet(self._next(at, minutes))

    def is_quiet(self, at: datetime) -> bool:
        """Return whether an instant lies in the quiet hours of the person's wall clock."""
        if self.quiet is None or self.quiet[0] == self.quiet[1]:
            return False
        starts, ends = self.quiet
        local = at.astimezone(ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        return starts <= minute < ends if starts < ends else minute >= starts or minute < ends

    def after_quiet(self, at: datetime) -> datetime:
        """Return the instant itself, or when the quiet hours around it end."""
        while self.is_quiet(at):
            assert self.quiet is not None, "there are quiet hours"
            at = self._next(at, (self.quiet[1],))
        return at

    def _next(self, at: datetime, minutes: tuple[int, ...]) -> datetime:
        """Return the first instant after ``at`` at which the person's clock shows one of the minutes of the day."""
        zone = ZoneInfo(self.zone)
        today = at.astimezone(zone).date()
        # Clocks go back and forth: each reading is tried on both sides of the change.
        found = (
            datetime.combine(today + timedelta(days=day), _time(minute), tzinfo=zone).replace(fold=fold).astimezone(UTC)
            for day in (0, 1, 2)
            for minute in minutes
            for fold in (0, 1)
        )
        return min(one for one in found if one > at)

    def snoozed_until(self, choice: str, *, now: datetime) -> datetime:
        """Return when something put off comes back: in an hour, tomorrow or on Monday morning.

        Raises:
            BadNotificationSettings: there is no such choice.
        """
        if choice == "hour":
            return now + timedelta(hours=1)
        today = now.astimezone(ZoneInfo(self.zone)).date()
        days = {"tomorrow": 1, "monday": 7 - today.weekday()}.get(choice)
        if days is None:
            raise BadNotificationSettings(f"{choice[:40]!r} is none of hour, tomorrow, monday")
        return self._morning(today + timedelta(days=days))

    def _morning(self, day: date) -> datetime:
        return datetime.combine(day, _time(DAILY_AT), tzinfo=ZoneInfo(self.zone)).astimezone(UTC)


def checked(kind_of_person: str, wanted: Mapping[str, Any], *, refusal: str = "") -> Telling:
    """Return settings made of what a form or a body says.

    Raises:
        BadNotificationSettings: something does not exist; says what would be accepted.
    """
    kinds = KINDS[kind_of_person]
    channels = dict(wanted.get("channels", {}))
    for kind, channel in channels.items():
        if kind not in kinds:
            raise BadNotificationSettings(f"{kind[:40]!r} is no kind of notification; there are {', '.join(kinds)}")
        if channel not in CHANNELS:
            raise BadNotificationSettings(f"{kind}: {str(channel)[:40]!r} is none of {', '.join(CHANNELS)}")
    zone, digest = (str(wanted.get(name, "")) for name in ("zone", "digest"))
    if not is_zone(zone):
        raise BadNotificationSettings(f"{zone[:60]!r} is no time zone; one looks like Europe/London")
    if digest not in ("off", "hourly", "daily"):
        raise BadNotificationSettings(f"{digest[:20]!r} is no digest; there are off, hourly, daily")
    return Telling(
        zone=zone,
        digest=cast("Digest", digest),
        quiet=_quiet(wanted.get("quiet_from"), wanted.get("quiet_until")),
        channels=channels,
        refusal=refusal,
    )


def is_zone(name: str) -> bool:
    """Return whether there is such a time zone."""
    return name in _ZONES


def clock(minute: int) -> str:
    """Return a minute of the day as ``07:30``."""
    return f"{minute // 60:02}:{minute % 60:02}"


def _quiet(starts: Any, ends: Any) -> tuple[int, int] | None:
    if not starts and not ends:
        return None
    read = [_minute(str(one or "")) for one in (starts, ends)]
    return read[0], read[1]


def _minute(text: str) -> int:
    try:
        read = time.fromisoformat(text)
    except ValueError:
        read = None
    if read is None or read.tzinfo is not None:
        raise BadNotificationSettings(
            f"{text[:20]!r} is no time of day; one looks like 20:00, and quiet hours have two"
        )
    return read.hour * 60 + read.minute


def _time(minute: int) -> time:
    return time(minute // 60, minute % 60)
