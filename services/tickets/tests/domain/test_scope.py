"""Which contract of a client takes a ticket."""

from __future__ import annotations

from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from tickets.domain.scope import AmbiguousContract, JobTypeOutsideContract, Terms, choose_contract

TODAY = date(2026, 11, 9)
CLIENT = uuid4()


def terms(ref: str, **given: Any) -> Terms:
    default: dict[str, Any] = {
        "contract_id": uuid4(),
        "client_id": CLIENT,
        "ref": ref,
        "name": ref,
        "version": 1,
        "starts_on": date(2026, 1, 1),
        "ends_on": None,
        "job_types": ("network",),
        "levels": ("L1", "L2"),
    }
    return Terms(**{**default, **given})


def chosen(*contracts: Terms, level: str = "L1", wanted: Terms | None = None) -> str:
    wanted_id = None if wanted is None else wanted.contract_id
    return choose_contract(contracts, on=TODAY, job_type="network", level=level, wanted=wanted_id).ref


def test_the_smallest_priority_that_covers_the_work_takes_it() -> None:
    usual, special = terms("C-1"), terms("C-2", priority=10, levels=("L1",))

    assert chosen(usual, special) == "C-2"
    assert chosen(usual, special, level="L2") == "C-1", "the first does not cover it"
    assert chosen(usual, special, wanted=usual) == "C-1", "who names one gets it"
    assert chosen(usual, terms("C-3", priority=10, ends_on=TODAY)) == "C-1", "the end is exclusive"


def test_contracts_of_the_same_priority_are_refused_with_both_named() -> None:
    with pytest.raises(AmbiguousContract, match=r"C-1 and C-2 cover this with priority 50") as refused:
        chosen(terms("C-2", priority=50), terms("C-1", priority=50), terms("C-3"))

    assert "C-3" not in str(refused.value)


def test_what_no_contract_covers_is_refused_with_what_the_first_one_does() -> None:
    with pytest.raises(JobTypeOutsideContract, match="C-2; it covers server"):
        chosen(terms("C-1", job_types=("desktop",)), terms("C-2", job_types=("server",), priority=1))
