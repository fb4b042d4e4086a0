"""Identifiers sort by the time they were made, and say outside what they are the id of."""

from __future__ import annotations

import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis.strategies import sampled_from, text, uuids

from msp_kernel.ids import PREFIXES, NotAnId, WrongKindOfId, bare_within, is_bare, is_prefixed, new_id, parsed, prefixed

KINDS = sampled_from(sorted(PREFIXES))


def test_ids_are_version_7_and_made_in_order() -> None:
    made = [new_id() for _ in range(1000)]

    assert {one.version for one in made} == {7}
    assert made == sorted(set(made))


def test_no_two_kinds_begin_alike() -> None:
    assert len(set(PREFIXES.values())) == len(PREFIXES)
    assert all(re.fullmatch("[a-z]{3}", prefix) for prefix in PREFIXES.values())


@given(kind=KINDS, bare=uuids())
def test_reading_what_was_shown_gives_the_id(kind: str, bare: UUID) -> None:
    outside = prefixed(kind, bare)

    assert parsed(kind, outside) == bare
    assert is_prefixed(outside)
    assert not is_bare(outside)


@given(kind=KINDS, bare=uuids())
def test_a_bare_uuid_is_read_as_any_kind(kind: str, bare: UUID) -> None:
    assert parsed(kind, str(bare)) == bare
    assert is_bare(str(bare))


@given(due=KINDS, given_=KINDS, bare=uuids())
def test_the_id_of_another_kind_is_refused_with_both_named(due: str, given_: str, bare: UUID) -> None:
    if due == given_:
        return

    with pytest.raises(WrongKindOfId, match=f"{PREFIXES[given_]}_.* {given_};.* {due} begins with {PREFIXES[due]}_"):
        parsed(due, prefixed(given_, bare))


@given(kind=KINDS, nonsense=text())
def test_what_is_no_id_is_refused_with_what_would_be_one(kind: str, nonsense: str) -> None:
    if is_bare(nonsense) or is_prefixed(nonsense):
        return

    with pytest.raises(NotAnId, match=f"{PREFIXES[kind]}_ and 32"):
        parsed(kind, nonsense)


@pytest.mark.parametrize(
    "almost",
    [
        "tkt_" + "0" * 31,
        "tkt_" + "0" * 33,
        "tkt_" + "G" * 32,
        "TKT_" + "0" * 32,
        "tkt-" + "0" * 32,
        "0" * 32,
        "tkt_0190a6c8-7d1e-7d0f-a2f1-d8c0b7a1e4f3",
        "{0190a6c8-7d1e-7d0f-a2f1-d8c0b7a1e4f3}",
        " 0190a6c8-7d1e-7d0f-a2f1-d8c0b7a1e4f3",
        "0190a6c8-7d1e-7d0f-a2f1-d8c0b7a1e4f3\n",
        "tkt_" + "\u0660" * 32,
    ],
)
def test_there_is_one_way_to_write_each_form(almost: str) -> None:
    with pytest.raises(NotAnId):
        parsed("ticket", almost)


def test_a_prefix_nobody_has_is_told() -> None:
    with pytest.raises(WrongKindOfId, match="no id begins with zzz_"):
        parsed("ticket", "zzz_" + "0" * 32)


@given(kind=KINDS, bare=uuids())
def test_an_address_with_ids_is_read_as_one_with_bare_ids(kind: str, bare: UUID) -> None:
    outside = prefixed(kind, bare)

    assert bare_within(f"/desk/things/{outside}/edit?of={outside}&x=a_{outside}") == (
        f"/desk/things/{bare}/edit?of={bare}&x=a_{outside}"
    )
    assert bare_within(f"/zzz_{bare.hex}?q={outside}0") == f"/zzz_{bare.hex}?q={outside}0"
