"""Figures counted a second way: from what was worked and what stands on the documents, not from the tables."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from math import floor
from typing import Any

from hypothesis import HealthCheck, given, settings, strategies as st
from office import Office, an_office

from billing.testing import MONDAY, a_contract, posted
from msp_events.base import Span
from msp_events.contracts import HoursHeld, HoursPosted, HoursReleased, HoursState, RateTerms

RANGE = "from=2026-10-01&to=2026-11-01"
RATES, COSTS = {"L1": 9200, "L2": 12_500}, {"L1": 4000, "L2": 5555}
FEE = 410_000


@dataclass(frozen=True)
class Piece:
    """Some work as a person would note it down."""

    worked: int
    rounded_up: int
    over: int
    level: str
    fate: str

    @property
    def billed(self) -> int:
        return self.worked + self.rounded_up

    @property
    def excluded(self) -> int:
        return self.billed if self.fate == "free" else 0

    @property
    def overage(self) -> int:
        return 0 if self.fate == "free" else min(self.over, self.billed)

    def told(self, office: Office, number: int) -> HoursState:
        """Return what contracts says of it."""
        bucket = self.billed - self.overage - self.excluded
        minutes = {
            "worked_minutes": self.worked,
            "billed_minutes": self.billed,
            "bucket_minutes": bucket,
            "overage_minutes": self.overage,
            "excluded_minutes": self.excluded,
        }
        span = Span(condition="regular", starts_at=MONDAY, bucket_billed_minutes=bucket, **minutes)
        worked_from = MONDAY + timedelta(minutes=number)
        entry = posted(
            office.client, office.contract, **minutes, spans=(span,), level=self.level, worked_from=worked_from,
            is_late=self.fate == "late",
        )  # fmt: skip
        kind: type[HoursState] = {"held": HoursHeld, "released": HoursReleased}.get(self.fate, HoursPosted)
        return kind(**{**entry.model_dump(), "status": self.fate if self.fate in ("held", "released") else "posted"})


def pieces(*fates: str) -> st.SearchStrategy[list[Piece]]:
    one = st.builds(
        Piece, st.integers(1, 500), st.integers(0, 30), st.integers(0, 530), st.sampled_from(["L1", "L2"]),
        st.sampled_from(fates),
    )  # fmt: skip
    return st.lists(one, min_size=1, max_size=8)


def rounded(value: Fraction) -> int:
    """Return a value above zero rounded half up."""
    return floor(value + Fraction(1, 2))


def priced(work: list[Piece]) -> int:
    """Return what work beyond the bucket costs: one line for each level, rounded once."""
    minutes = {level: sum(one.overage for one in work if one.level == level) for level in RATES}
    return sum(rounded(Fraction(minutes[level] * rate, 60)) for level, rate in RATES.items())


def cost(work: list[Piece]) -> int:
    return sum(
        rounded(Fraction(sum(one.worked for one in work if one.level == level) * rate, 60))
        for level, rate in COSTS.items()
    )


async def with_two_levels(office: Office) -> None:
    rates = tuple(RateTerms(rule_id=level, level=level, rate_minor=rate) for level, rate in RATES.items())
    await office.speaker.say(a_contract(office.client, office.contract, revision=2, levels=("L1", "L2"), rates=rates))


async def credited(office: Office, invoice: dict[str, Any]) -> dict[str, int]:
    """Credit a third of the last line, and return what the credit note says."""
    line = invoice["lines"][-1]
    part = {"n": line["n"], "net_minor": max(line["net_minor"] // 3, 1)}
    note = await office.post(f"/invoices/{invoice['id']}/credit-notes", {"reason": "x", "lines": [part]})
    over = part["net_minor"] if line["kind"] == "overage" else 0
    return {"net": -note["net_minor"], "gross": -note["gross_minor"], "over": over}


@settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces("billed", "free"), pieces("billed", "free"), st.integers(1, 400_000))
async def test_financial_health_is_what_a_person_counts_from_the_documents(
    invoiced: list[Piece], waiting: list[Piece], paid: int
) -> None:
    async with an_office() as office:
        await with_two_levels(office)
        await office.put(
            "/cost-rates", {"rates": [{"level": k, "currency": "GBP", "rate_minor": v} for k, v in COSTS.items()]}
        )
        invoice = await office.issued(*(one.told(office, number) for number, one in enumerate(invoiced)))
        back = await credited(office, invoice)
        body = {"client_id": str(office.client), "amount_minor": paid, "currency": "GBP", "method": "card"}
        shares = [{"invoice_id": invoice["id"], "amount_minor": paid}]
        await office.post("/payments", {**body, "received_on": "2026-11-20", "shares": shares})
        await office.speaker.say(*(one.told(office, 100 + number) for number, one in enumerate(waiting)))

        (found,) = (await office.get(f"/financial-health/{office.client}?{RANGE}"))["items"]

    everything = [*invoiced, *waiting]
    worked, billed = sum(one.worked for one in everything), sum(one.billed - one.excluded for one in everything)
    revenue, gross = FEE + priced(invoiced) - back["net"], invoice["gross_minor"]
    assert invoice["net_minor"] == FEE + priced(invoiced)
    assert found == {
        "currency": "GBP",
        "revenue_minor": revenue,
        "overage_minor": priced(invoiced) - back["over"],
        "worked_minutes": worked,
        "billed_minutes": billed,
        "effective_hourly_rate_minor": rounded(Fraction(revenue * 60, worked)),
        "realisation_basis_points": rounded(Fraction(billed * 10_000, worked)),
        "cost_minor": cost(everything),
        "margin_minor": revenue - cost(everything),
        "days_sales_outstanding": rounded(Fraction((gross - back["gross"] - paid) * 90, gross)),
        "unbilled_minutes": sum(one.worked for one in waiting),
        "unbilled_net_minor": priced(waiting),
    }


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(pieces("billed", "free", "late", "held", "released"))
async def test_the_coverage_report_is_the_sum_of_what_every_entry_says_of_itself(work: list[Piece]) -> None:
    async with an_office() as office:
        entries = [one.told(office, number) for number, one in enumerate(work)]
        await office.speaker.say(*entries)

        whole = await office.get(f"/billing-coverage?client_id={office.client}&{RANGE}")
        single = [await office.get(f"/whereabouts/{one.time_entry_id}") for one in entries]

    def minutes(*fates: str) -> int:
        return sum(one.worked for one in work if one.fate in fates)

    assert (whole["entry_count"], whole["worked_minutes"], whole["unaccounted_minutes"]) == (
        len(work), minutes("billed", "free", "late", "held", "released"), 0
    )  # fmt: skip
    for place, total in whole["places"].items():
        assert total == sum(one["places"][place] for one in single), place
    in_one_place = {"non_billable": "free", "late": "late", "unapproved": "held", "rejected": "released"}
    assert {place: whole["places"][place] for place in in_one_place} == {
        place: minutes(fate) for place, fate in in_one_place.items()
    }
    # What was rounded up is split as what was billed: never more beyond the bucket than one minute an entry away from it.
    exact = sum(Fraction(one.worked * one.overage, one.billed) for one in work if one.fate == "billed")
    assert abs(whole["places"]["overage"] - exact) <= len(work)
    assert whole["places"]["overage"] + whole["places"]["bucket"] == minutes("billed")
