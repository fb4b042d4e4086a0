"""Who is named in a note."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from tickets.domain.mention import mentioned

ADA, BYRON, BRON = UUID(int=1), UUID(int=2), UUID(int=3)
DESK = {ADA: "Ada Lovelace", BYRON: "Ada Byron-King", BRON: "Bron Ö. Nair"}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("@Ada Lovelace, look", (ADA,)),
        ("look, @ada.lovelace!", (ADA,)),
        ("(@ADA_LOVELACE)", (ADA,)),
        ("@ada byron king and @bron", (BYRON, BRON)),
        ("@bron ö nair", (BRON,)),
        # Two have this first name, a longer word is no name, and an address names nobody.
        ("@Ada, look", ()),
        ("@bronson", ()),
        ("write to x@bron or .@bron", ()),
        ("@@bron", ()),
        ("bron", ()),
    ],
)
def test_a_name_after_an_at_names_a_person(text: str, named: tuple[UUID, ...]) -> None:
    assert mentioned(text, DESK) == named


@given(st.text(max_size=200), st.dictionaries(st.uuids(), st.text(max_size=30), max_size=8))
def test_whatever_is_written_names_people_of_the_desk_only(text: str, names: dict[UUID, str]) -> None:
    found = mentioned(text, names)

    assert set(found) <= set(names)
    assert list(found) == sorted(set(found))


@given(
    st.lists(st.from_regex(r"[a-z]{2,8} [a-z]{2,8}", fullmatch=True), min_size=1, max_size=6, unique=True), st.data()
)
def test_a_full_name_always_names_its_person(names: list[str], data: st.DataObject) -> None:
    desk = {UUID(int=at): name for at, name in enumerate(names)}
    person = data.draw(st.sampled_from(sorted(desk)))

    assert person in mentioned(f"hello @{desk[person].title()}: see", desk)
