"""When mail may leave, by the wall clock of whoever gets it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, strategies as st

from portal_gateway.notices import KINDS
from portal_gateway.telling import BadNotificationSettings, Telling, checked

ZONES = ("Europe/London", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe", "UTC")
instants = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31)).map(lambda at: at.replace(tzinfo=UTC))
tellings = st.builds(
    Telling,
    zone=st.sampled_from(ZONES),
    digest=st.sampled_from(["off", "hourly", "daily"]),
    quiet=st.none() | st.tuples(st.integers(0, 1439), st.integers(0, 1439)),
    channels=st.fixed_dictionaries({"answered": st.sampled_from(["off", "app", "digest", "now"])}),
)


def london(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Europe/London"))


@given(tellings, instants, st.booleans())
def test_mail_leaves_soon_but_never_in_quiet_hours(telling: Telling, at: datetime, is_critical: bool) -> None:
    due_at = telling.mail_due_at("answered", at=at, is_critical=is_critical)

    channel = telling.channel("answered")
    if channel in ("off", "app") or (channel == "digest" and telling.digest == "off"):
        assert due_at is None
        return
    assert due_at is not None
    assert at <= due_at <= at + timedelta(hours=50)
    if channel == "now" and is_critical:
        assert due_at == at
    else:
        assert not telling.is_quiet(due_at)
    if channel == "now" and not telling.is_quiet(at):
        assert due_at == at


@pytest.mark.parametrize(
    ("at", "due_at"),
    [
        ("2026-03-02 19:59", "2026-03-02 19:59"),
        ("2026-03-02 20:00", "2026-03-03 07:00"),
        ("2026-03-03 06:59", "2026-03-03 07:00"),
        # The night the clocks go forward is an hour shorter.
        ("2026-03-28 23:30", "2026-03-29 07:00"),
    ],
)
def test_the_night_is_quiet(at: str, due_at: str) -> None:
    assert Telling().mail_due_at("answered", at=london(at), is_critical=False) == london(due_at)


@pytest.mark.parametrize(
    ("digest", "at", "due_at"),
    [
        ("daily", "2026-03-02 07:59", "2026-03-02 08:00"),
        ("daily", "2026-03-02 08:00", "2026-03-03 08:00"),
        ("hourly", "2026-03-02 09:10", "2026-03-02 10:00"),
        ("hourly", "2026-03-02 19:10", "2026-03-03 07:00"),
    ],
)
def test_a_digest_comes_at_its_hour(digest: Any, at: str, due_at: str) -> None:
    assert Telling(digest=digest).mail_due_at("assigned", at=london(at), is_critical=True) == london(due_at)


@given(tellings, instants, st.sampled_from(["hour", "tomorrow", "monday"]))
def test_what_is_put_off_comes_back_within_a_week(telling: Telling, now: datetime, choice: str) -> None:
    assert now < telling.snoozed_until(choice, now=now) <= now + timedelta(days=8)


GOOD = {"zone": "Europe/Berlin", "digest": "off", "quiet_from": "", "quiet_until": ""}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"zone": "Mars/Olympus"}, "looks like Europe/London"),
        ({"zone": "../etc/passwd"}, "looks like Europe/London"),
        ({"digest": "weekly"}, "off, hourly, daily"),
        ({"quiet_from": "20:00"}, "quiet hours have two"),
        ({"quiet_from": "25:00", "quiet_until": "07:00"}, "looks like 20:00"),
        ({"channels": {"assigned": "now"}}, "no kind of notification"),
        ({"channels": {"answered": "pigeon"}}, "off, app, digest, now"),
    ],
)
def test_a_wrong_wish_is_refused_with_what_would_be_right(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(BadNotificationSettings, match=says):
        checked("client", {**GOOD, **wrong})


def test_what_is_wished_is_kept() -> None:
    channels = dict.fromkeys(KINDS["client"], "app")

    found = checked("client", {**GOOD, "quiet_from": "22:00", "quiet_until": "06:30", "channels": channels})

    assert (found.zone, found.quiet) == ("Europe/Berlin", (1320, 390))
    assert {found.channel(kind) for kind in KINDS["client"]} == {"app"}
    assert checked("client", GOOD).quiet is None
