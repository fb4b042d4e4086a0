"""Bodies and views of notifications."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from msp_kit.api import Body, View
from msp_kit.ids import Subject
from portal_gateway.schemas.ids import (
    ClientId,
    NotificationId,
)
from portal_gateway.telling import Telling, clock


class NotificationView(View):
    """Something the person was told; `text` is one sentence in their language, `link` the page about it."""

    id: NotificationId
    kind: str
    text: str
    link: str
    about: Subject
    """What belongs together: notifications about one thing have the same."""
    client_id: ClientId | None
    """Whose affair it is; `null` when it is the house's own."""
    at: datetime
    is_critical: bool
    done_at: datetime | None
    snoozed_until: datetime | None


class UnreadView(View):
    """How much is open; counted up to 100."""

    unread: int


def _of_this_time(at: datetime) -> datetime:
    if not YEAR_MIN <= at.year <= YEAR_MAX:
        message = f"instants lie in the years {YEAR_MIN} to {YEAR_MAX}"
        raise ValueError(message)
    return at


YEAR_MIN, YEAR_MAX = 2000, 2199
Instant = Annotated[AwareDatetime, AfterValidator(_of_this_time)]


class SetNotification(Body):
    """What becomes of a notification; `until` says when a snoozed one comes back."""

    state: Literal["open", "done", "snoozed"]
    until: Instant | None = None


class SettleNotifications(Body):
    """Up to when what is open is done; without it, all of it."""

    before: Instant | None = None


class SettledView(View):
    """What was open and is done now."""

    ids: list[NotificationId]


class NotificationSettings(Body):
    """How somebody wants to be told. Kinds that are not named are told as they are by default."""

    zone: Annotated[str, Field(max_length=60)]
    digest: Literal["off", "hourly", "daily"]
    quiet_from: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    quiet_until: Annotated[str, Field(pattern=r"^\d\d:\d\d$")] | None = None
    channels: Annotated[
        dict[Annotated[str, Field(max_length=40)], Literal["off", "app", "digest", "now"]], Field(max_length=40)
    ] = {}


class NotificationSettingsView(View):
    """How the person is told; `refusal` is what the mail server said when it last refused their address."""

    zone: str
    digest: str
    quiet_from: str | None
    quiet_until: str | None
    channels: dict[str, str]
    refusal: str

    @classmethod
    def of(cls, telling: Telling, kinds: tuple[str, ...]) -> NotificationSettingsView:
        """Return the view of settings, every kind named."""
        starts, ends = telling.quiet or (None, None)
        return cls(
            zone=telling.zone,
            digest=telling.digest,
            quiet_from=None if starts is None else clock(starts),
            quiet_until=None if ends is None else clock(ends),
            channels={kind: telling.channel(kind) for kind in kinds},
            refusal=telling.refusal,
        )
