"""Batches of values are made without a search for cycles, and the search goes on afterwards."""

from __future__ import annotations

import gc

import pytest

from msp_kit.memory import uncollected


def test_the_search_waits_inside_and_goes_on_afterwards_whatever_happens() -> None:
    with uncollected(), uncollected():
        assert not gc.isenabled()
    assert gc.isenabled()

    with pytest.raises(ValueError, match="x"), uncollected():
        raise ValueError("x")
    assert gc.isenabled()
