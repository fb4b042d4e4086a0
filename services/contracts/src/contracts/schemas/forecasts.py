"""Answers about when buckets will be empty."""

from __future__ import annotations

from datetime import date

from contracts.schemas.ids import ClientId, ContractId
from msp_kit.api import View


class BackTestView(View):
    """How often intervals that would have been told in the past held."""

    held_count: int
    interval_count: int
    coverage_percent: int | None


class BandDayView(View):
    """What is likely to be left at the end of a day."""

    on: date
    expected_minutes: int
    low_minutes: int
    high_minutes: int


class ForecastView(View):
    """When a bucket is likely to be empty. ``null`` days lie beyond the horizon, or the history is too short."""

    contract_id: ContractId
    client_id: ClientId
    ref: str
    name: str
    kind: str
    today: date
    available_minutes: int
    history_days: int
    weekly_minutes: int | None
    """What a week takes; ``null`` while the history is too short."""
    exhausts_on: date | None
    earliest_on: date | None
    latest_on: date | None
    confidence_percent: int
    horizon_days: int
    period_ends_on: date | None
    is_short: bool
    """It is likely to be empty before its period ends."""


class ForecastBandView(ForecastView):
    """The forecast of one bucket, day by day."""

    band: list[BandDayView]
    back_test: BackTestView


class ForecastsView(View):
    """Forecasts of all active buckets, the first to be empty first."""

    items: list[ForecastView]
