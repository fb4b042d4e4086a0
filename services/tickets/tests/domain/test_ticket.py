"""Titles, priorities, merging: rules without a database."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from, text

from msp_kernel.ids import new_id
from tickets.domain.attachment import (
    NAME_CHARACTERS_MAX,
    FileNotWhatItSays,
    FileTypeRefused,
    media_type_of,
    safe_name,
)
from tickets.domain.priority import DEFAULT, EXTENTS, PriorityUnknown, priority_of
from tickets.domain.text import NothingToSee, filled_in, one_line
from tickets.domain.ticket import AcrossClients, MergedIntoItself, MergeIntoYounger, TicketClosed
from tickets.testing import MONDAY, a_ticket


def test_marks_that_turn_the_reading_direction_leave_a_title() -> None:
    assert one_line("invoice\u202efdp.exe\u2066") == "invoicefdp.exe"
    assert one_line("  VPN\n\tdrops  ") == "VPN drops"
    assert one_line("انقطاع الشبكة") == "انقطاع الشبكة"


@pytest.mark.parametrize("title", ["\u200f\u200f\u200f", "\u202e", "\u200b\u2060", " \u00ad "])
def test_a_title_nobody_can_see_is_refused(title: str) -> None:
    with pytest.raises(NothingToSee):
        one_line(title)


@given(text(max_size=60))
def test_a_title_is_one_line_and_stays_as_it_is(title: str) -> None:
    try:
        shown = one_line(title)
    except NothingToSee:
        return
    assert "\n" not in shown
    assert one_line(shown) == shown


@given(sampled_from(EXTENTS), sampled_from(EXTENTS))
def test_more_impact_or_urgency_is_never_a_lower_priority(impact: str, urgency: str) -> None:
    order = ("critical", "high", "medium", "low")
    higher = EXTENTS[max(EXTENTS.index(impact) - 1, 0)]

    assert order.index(DEFAULT[higher, urgency]) <= order.index(DEFAULT[impact, urgency])


def test_a_chosen_priority_overrules_the_table_and_says_so() -> None:
    own = {("low", "low"): "medium"}

    assert priority_of(own, impact="low", urgency="low", chosen=None)[0] == "medium"
    assert priority_of(own, impact="low", urgency="low", chosen="critical") == (
        "critical",
        "chosen; the table says medium for impact low, urgency low",
    )
    with pytest.raises(PriorityUnknown):
        priority_of(own, impact="low", urgency=None, chosen=None)


def test_the_older_ticket_takes_over_with_the_stricter_promise() -> None:
    older = a_ticket(priority="low", tags=("a",))
    younger = a_ticket(
        client_id=older.client_id, ref="HLO-2", raised_at=MONDAY + timedelta(hours=1), priority="critical", tags=("b",)
    )

    gone, kept = younger.merged_into(older, at=MONDAY)

    assert (gone.status, gone.merged_into_id, gone.resolved_at) == ("closed", older.id, None)
    assert (kept.priority, kept.tags) == ("critical", ("a", "b"))
    with pytest.raises(MergeIntoYounger, match="merge HLO-2 into HLO-1 instead"):
        older.merged_into(younger, at=MONDAY)


def test_what_cannot_be_merged_is_refused() -> None:
    ours = a_ticket()

    with pytest.raises(AcrossClients):
        ours.merged_into(a_ticket(client_id=new_id()), at=MONDAY)
    with pytest.raises(MergedIntoItself):
        ours.merged_into(ours, at=MONDAY)
    with pytest.raises(TicketClosed):
        ours.merged_into(a_ticket(client_id=ours.client_id, status="closed"), at=MONDAY)


@pytest.mark.parametrize(
    ("given_name", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("..\\..\\boot.log", "boot.log"),
        ("C:\\temp\\a.png", "a.png"),
        (".htaccess", "htaccess"),
        ("in\u202efdp.txt", "infdp.txt"),
        ('a"b\r\nSet-Cookie: x.txt', 'a"bSet-Cookie: x.txt'),
        ("///", "file"),
    ],
)
def test_names_lose_what_could_be_taken_wrongly(given_name: str, kept: str) -> None:
    assert safe_name(given_name) == kept


@given(text(max_size=300))
def test_a_safe_name_has_no_path_and_an_end(name: str) -> None:
    kept = safe_name(name)

    assert 1 <= len(kept) <= NAME_CHARACTERS_MAX
    assert not {"/", "\\", "\n", "\0"} & set(kept)
    assert kept not in (".", "..")


@pytest.mark.parametrize("name", ["evil.html", "evil.svg", "run.ps1", "setup.exe", "macro.docm", "x", "a.txt.js"])
def test_what_could_run_is_refused_with_what_is_accepted(name: str) -> None:
    with pytest.raises(FileTypeRefused, match="put anything else into a zip"):
        media_type_of(name, b"x")


def test_a_file_is_what_its_name_says() -> None:
    assert media_type_of("a.png", b"\x89PNG\r\n\x1a\n") == "image/png"
    with pytest.raises(FileNotWhatItSays):
        media_type_of("a.png", b"<script>")
    with pytest.raises(FileNotWhatItSays, match="empty"):
        media_type_of("a.txt", b"")


def test_filled_in_text_is_not_filled_in_again() -> None:
    assert (
        filled_in("Dear {{contact_name}}, {{ ref }}", {"contact_name": "{{ref}}", "ref": "HLO-1"})
        == "Dear {{ref}}, HLO-1"
    )
