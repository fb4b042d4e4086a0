"""Work added up costs what it costs entry by entry, to the cent, on the same lines."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import example, given, strategies as st

from billing.domain.invoice import broken_sums, content_of
from billing.domain.pricing import price_work, rate_for
from billing.domain.work import Summed, Work, WorkSpan
from billing.testing import CONTRACT, MONDAY, a_rate, some_terms, some_work
from msp_kernel.money import half_up

OTHER = UUID("01900000-0000-7000-8000-00000000c002")
RATES = (a_rate(9200), a_rate(20_111, condition="weekend"))
TERMS = {
    (CONTRACT, 1): some_terms(rates=RATES, multiplier_applies_to_overage=True),
    # The same prices under another version: the same lines.
    (CONTRACT, 2): some_terms(rates=RATES, multiplier_applies_to_overage=True),
    (OTHER, 1): some_terms(contract_id=OTHER, ref="C-0002", rates=RATES, overage_rates=(a_rate(5001),)),
}
SPANS = st.builds(
    WorkSpan,
    condition=st.sampled_from(("regular", "weekend")),
    overage_minutes=st.integers(0, 90),
    time_and_materials_minutes=st.sampled_from((0, 0, 7)),
    weight_percent=st.sampled_from((100, 150)),
)
WORKS = st.lists(
    st.builds(
        lambda key, level, section, spans, quarter: some_work(
            contract_id=key[0],
            contract_version=key[1],
            level=level,
            section=section,
            spans=tuple(spans),
            worked_from=MONDAY + timedelta(minutes=15 * quarter),
        ),
        st.sampled_from(sorted(TERMS)),
        st.sampled_from(("L1", "L3")),
        st.sampled_from(("support", "project")),
        st.lists(SPANS, max_size=3),
        st.integers(0, 5),
    ),
    max_size=25,
)


def one_by_one(works: list[Work]) -> dict[tuple[Any, ...], list[Any]]:
    """Price every span of every entry by itself; return the lines as (minutes, version, entries).

    The version is that of the first entry; of several at one instant, the oldest.
    """
    first: dict[tuple[Any, ...], tuple[datetime, int]] = {}
    lines: dict[tuple[Any, ...], list[Any]] = {}
    for work in sorted(works, key=lambda one: (one.worked_from, one.time_entry_id)):
        of = TERMS[work.contract_id, work.contract_version]
        for span in work.spans:
            for kind, minutes in (
                ("overage", span.overage_minutes),
                ("time_and_materials", span.time_and_materials_minutes),
            ):
                keys: dict[str, Any] = {"job_type": work.job_type, "level": work.level, "condition": span.condition}
                rate = rate_for(of.overage_rates if kind == "overage" else (), **keys) or rate_for(of.rates, **keys)
                assert rate is not None
                counts = span.weight_percent if kind == "overage" and of.multiplier_applies_to_overage else 100
                unit = half_up(rate.rate_minor * counts, 100)
                key = (of.ref, kind, work.level, span.condition, rate.rule_id, unit, work.section)
                if minutes:
                    stands_at = (work.worked_from, work.contract_version)
                    first[key] = min(first.get(key, stands_at), stands_at)
                    line = lines.setdefault(key, [0, 0, []])
                    line[0] += minutes
                    line[1] = first[key][1]
                    line[2].append((str(work.time_entry_id), minutes))
    return lines


@example(
    works=[
        some_work(contract_version=version, worked_from=MONDAY, spans=(WorkSpan("regular", 1, 0, 100),))
        for version in (2, 1)
    ],
    seed=0,
)
@given(works=WORKS, seed=st.integers(0, 2**32))
def test_work_added_up_costs_what_it_costs_one_by_one(works: list[Work], seed: int) -> None:
    expected = one_by_one(works)
    shuffled = list(works)
    random.Random(seed).shuffle(shuffled)

    content = content_of(lines=price_work(shuffled, TERMS), works=shuffled, currency="GBP", header={}, statement=[])

    found = {
        (
            line["ref"],
            line["kind"],
            line["clause"]["level"],
            line["clause"]["condition"],
            line["rule_id"],
            line["unit_minor"],
            line["clause"]["section"],
        ): [
            line["quantity_minutes"],
            line["clause"]["contract_version"],
            [(one["time_entry_id"], one["minutes"]) for one in line["entries"]],
        ]
        for line in content["lines"]
    }
    assert found == expected
    assert content["net_minor"] == sum(half_up(line[0] * key[5], 60) for key, line in expected.items())
    assert content["worked_minutes"] == sum(work.worked_minutes for work in works)
    assert broken_sums(content) == []


@given(works=WORKS, seed=st.integers(0, 2**32))
def test_the_sum_does_not_depend_on_the_order_and_grows_with_the_kinds_of_work_only(
    works: list[Work], seed: int
) -> None:
    shuffled = list(works)
    random.Random(seed).shuffle(shuffled)

    found = Summed.of(shuffled)

    assert list(found.asked.items()) == list(Summed.of(works).asked.items())
    assert sum(found.asked.values()) == sum(
        span.overage_minutes + span.time_and_materials_minutes for work in works for span in work.spans
    )
    assert len(found.asked) <= len(TERMS) * 2 * 2 * 2 * 2 * 2
