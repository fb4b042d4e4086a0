"""A bucket as the contracts service tells it: its contract, balance, forecast and a line of its statement."""

from __future__ import annotations

from typing import Any

CONTRACT, CLIENT, LOT = ("00000000-0000-0000-0000-0000000000" + digits for digits in ("c1", "a1", "b1"))
FORECAST: dict[str, Any] = {
    "contract_id": CONTRACT,
    "client_id": CLIENT,
    "ref": "C-0001",
    "name": "Managed support",
    "kind": "bucket",
    "today": "2026-11-25",
    "available_minutes": 600,
    "history_days": 60,
    "weekly_minutes": 420,
    "exhausts_on": "2026-12-04",
    "earliest_on": "2026-12-02",
    "latest_on": "2026-12-07",
    "confidence_percent": 80,
    "horizon_days": 400,
    "period_ends_on": "2026-12-25",
    "is_short": True,
    "band": [
        {"on": f"2026-11-{day}", "expected_minutes": left, "low_minutes": left - 60, "high_minutes": left + 30}
        for day, left in ((25, 540), (26, 480), (27, 420))
    ],
    "back_test": {"held_count": 8, "interval_count": 10, "coverage_percent": 80},
}
ACCOUNTS = ("granted", "available", "held", "consumed", "overage", "expired", "carried_in", "carried_out", "adjusted")
BALANCE: dict[str, Any] = {
    "contract_id": CONTRACT,
    "client_id": CLIENT,
    **{f"{account}_minutes": 0 for account in ACCOUNTS},
    "granted_minutes": 3000,
    "available_minutes": 600,
    "consumed_minutes": 2400,
    "lots": [
        {
            "id": LOT,
            "minutes": 3000,
            "left_minutes": 600,
            "valid_from": "2026-09-01",
            "expires_on": None,
            "origin": "purchase",
            "priority": 0,
        }
    ],
}
LINE: dict[str, Any] = {
    "at": "2026-11-20T09:00:00Z",
    "kind": "posting",
    "text": "<script>alert(1)</script>",
    "minutes": -90,
    "overage_minutes": 0,
    "balance_minutes": 600,
    "time_entry_id": "00000000-0000-0000-0000-0000000000f1",
    "ref": "HLO-1482",
    "ticket_id": "00000000-0000-0000-0000-0000000000e1",
    "agent_name": "Ana Reyes",
    "level": "L1",
    "job_type": "network",
    "is_late": True,
    "is_correction": True,
    "posting_seqs": [7, 8],
}
AGREED = {
    "id": CONTRACT,
    "ref": "C-0001",
    "name": "Managed support",
    "kind": "bucket",
    "currency": "GBP",
    "starts_on": "2026-09-01",
}
STATEMENT: dict[str, Any] = {"opening_minutes": 690, "closing_minutes": 600, "items": [LINE]}
