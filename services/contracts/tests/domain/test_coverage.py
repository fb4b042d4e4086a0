"""What is in scope, and how it is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from contracts.domain.allocation import Level, Split, allocate
from contracts.domain.contract import Contract, Weight
from contracts.domain.coverage import AmbiguousContract, Work, answer, choose_contract, resolve
from contracts.domain.rounding import Rounding
from contracts.testing import START, a_contract, a_fact, a_lot, at, some_terms


def _work(minutes: int = 60, worked: str = "Mon 09:00", *, job_type: str = "network", level: Level = "L1") -> Work:
    return Work(job_type, level, at(worked), minutes)


def _refusal(contract: Contract, work: Work) -> str | None:
    refusal = resolve(contract, work).refusal
    return None if refusal is None else refusal.rule


def test_a_job_type_outside_the_contract_is_refused_with_what_is_allowed() -> None:
    coverage = resolve(a_contract(), _work(job_type="cabling"))

    assert coverage.refusal is not None
    assert coverage.refusal.rule == "job-type-outside-contract"
    assert coverage.refusal.text == "C-0001 covers network, server, not cabling"


def test_a_level_outside_the_contract_is_refused() -> None:
    assert _refusal(a_contract(), _work(level="SA")) == "level-outside-contract"


def test_work_after_the_end_is_refused_and_work_at_the_last_instant_is_not() -> None:
    contract = a_contract(ends=at("Wed 00:00"))

    assert _refusal(contract, _work(worked="Tue 23:59")) is None
    assert _refusal(contract, _work(worked="Wed 00:00")) == "worked-within-contract"


def test_work_is_cut_where_the_calendar_opens_and_closes() -> None:
    coverage = resolve(a_contract(), _work(90, "Mon 16:30"))

    spans = [(one.condition, one.starts_at, one.worked_minutes) for one in coverage.demands]
    assert spans == [("regular", at("Mon 16:30"), 30), ("after_hours", at("Mon 17:00"), 60)]


def test_weekend_work_has_its_own_condition() -> None:
    assert [one.condition for one in resolve(a_contract(), _work(30, "Sat 10:00")).demands] == ["weekend"]


def test_rounded_minutes_are_shared_by_the_spans_in_proportion() -> None:
    contract = a_contract(rounding=Rounding(increment_minutes=60))

    coverage = resolve(contract, _work(50, "Mon 16:30"))

    assert [one.billed_minutes for one in coverage.demands] == [36, 24]


def test_seconds_at_the_edges_are_not_lost() -> None:
    work = Work("network", "L1", at("Mon 16:30") + timedelta(seconds=40), 60)

    demands = resolve(a_contract(), work).demands

    assert sum(one.worked_minutes for one in demands) == 60
    assert [one.worked_minutes for one in demands] == [29, 31]


def test_the_largest_weight_counts_and_weights_are_not_multiplied() -> None:
    contract = a_contract(weights=(Weight(150, level="L2"), Weight(200, condition="after_hours"), Weight(120)))

    def weights(worked: str, level: Level) -> list[int]:
        return [one.weight_percent for one in resolve(contract, _work(10, worked, level=level)).demands]

    assert weights("Mon 09:00", "L1") == [120]
    assert weights("Mon 09:00", "L2") == [150]
    assert weights("Mon 20:00", "L2") == [200]


def test_the_version_in_force_when_the_work_was_done_counts() -> None:
    first, second = some_terms(), some_terms(version=2, effective_at=at("Wed 00:00"), levels=frozenset({"L1", "SA"}))
    contract = a_contract(versions=[first, second])

    assert _refusal(contract, _work(worked="Tue 12:00", level="SA")) == "level-outside-contract"
    assert _refusal(contract, _work(worked="Wed 12:00", level="SA")) is None
    assert resolve(contract, _work(worked="Wed 12:00")).terms.version == 2


def test_non_billable_work_is_excluded_and_bills_nothing() -> None:
    (demand,) = resolve(a_contract(non_billable_job_types=frozenset({"server"})), _work(45, job_type="server")).demands

    assert (demand.route, demand.worked_minutes, demand.billed_minutes) == ("excluded", 45, 0)


def test_time_and_materials_never_draws_on_a_bucket() -> None:
    (demand,) = resolve(a_contract(kind="time_and_materials"), _work()).demands

    assert demand.route == "time_and_materials"


def test_spans_carry_the_rules_that_made_them() -> None:
    contract = a_contract(rounding=Rounding(increment_minutes=15), weights=(Weight(200, level="L1"),))

    (demand,) = resolve(contract, _work(50)).demands

    assert demand.rule_ids == ("contract.C-0001.v1", "route.bucket", "rounding.up.0.15.entry", "weight.L1.200")


def _overage(minutes: int) -> Split:
    fact = a_fact(minutes, weight=150)
    return allocate([a_lot(minutes=1, starts=START + timedelta(days=90))], [fact]).splits[fact.entry_id]


def test_the_short_answer_follows_from_scope_and_split() -> None:
    coverage = resolve(a_contract(), _work())
    asks = resolve(a_contract(policy="needs_approval"), _work())

    assert answer(coverage, _overage(10)) == "overage"
    assert answer(asks, _overage(10)) == "needs_approval"
    assert answer(resolve(a_contract(), _work(level="SA")), None) == "not_covered"


def test_the_smallest_priority_that_covers_the_work_takes_it() -> None:
    project = replace(a_contract(job_types=frozenset({"server"})), ref="C-0002", priority=50)
    support = a_contract()

    assert choose_contract([support, project], _work(job_type="server")).ref == "C-0002"
    assert choose_contract([support, project], _work(job_type="network")).ref == "C-0001"


def test_contracts_that_go_first_together_are_refused_with_both_names() -> None:
    contracts = [a_contract(), replace(a_contract(), ref="C-0002"), replace(a_contract(), ref="C-0003", priority=200)]

    with pytest.raises(AmbiguousContract, match="C-0001 and C-0002 cover network at L1 with priority 100"):
        choose_contract(contracts, _work())


def test_when_no_contract_covers_the_work_the_first_one_says_why() -> None:
    contracts = [replace(a_contract(), ref="C-0002"), a_contract()]

    assert choose_contract(contracts, _work(level="SA")).ref == "C-0001"
