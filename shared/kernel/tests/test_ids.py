"""Identifiers sort by the time they were made."""

from __future__ import annotations

from msp_kernel.ids import new_id


def test_ids_are_version_7_and_made_in_order() -> None:
    made = [new_id() for _ in range(1000)]

    assert {one.version for one in made} == {7}
    assert made == sorted(set(made))
