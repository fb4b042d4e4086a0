"""Time zones: the names of the IANA database, and the instants of local times."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

_NOT_PLACES = frozenset({"Factory", "localtime", "posixrules"})
"""Files of a zone directory that mean another zone on every machine, or none."""


class UnknownTimezone(ValueError):
    """The zone is not in the IANA time zone database."""


def zone_of(name: str) -> ZoneInfo:
    """Return the zone of an IANA name, such as ``Europe/London``.

    Raises:
        UnknownTimezone: the name is not in the IANA time zone database.
    """
    if not isinstance(name, str) or name not in _names():
        message = f"{name!r} is not an IANA time zone, such as Europe/London"
        raise UnknownTimezone(message)
    return ZoneInfo(name)


def instant_of(day: date, local: time, zone: ZoneInfo) -> datetime:
    """Return the instant of a local time, in UTC.

    A local time in a DST gap shifts forward by the gap, an ambiguous one means the first (``fold=0`` does both).
    """
    return datetime.combine(day, local, zone).astimezone(UTC)


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    # ZoneInfo itself would open any file below the zone directories, ``right/…`` with its leap seconds among them.
    return frozenset(available_timezones()) - _NOT_PLACES
