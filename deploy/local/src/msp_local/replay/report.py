"""What came of a replay: verdicts, speed, refused rows, and the proof that minutes agree everywhere."""

from __future__ import annotations

import csv
import resource
from collections import defaultdict
from datetime import timedelta
from pathlib import Path
from typing import Any

from msp_local.api import Api
from msp_local.replay.log import Log
from msp_local.replay.outcome import Outcome, say

COMPLIANCE_DAYS = 365
REFUSED_FILE = "replay-refused.csv"
PRIORITIES = ("critical", "high", "medium", "low")


async def totals(api: Api, owner: str, client_id: str) -> dict[str, Any]:
    """Return the control totals a service keeps for a client."""
    totals: dict[str, Any] = await api.get(
        f"/{owner}/totals", client_id=client_id, **{"from": "2000-01-01", "to": "2100-01-01"}
    )
    return totals


# ---- billing ------------------------------------------------------------------------------------------------------


async def report(api: Api, found: Log, outcome: Outcome, runs: list[str]) -> bool:
    """Print what the platform made of the log; return whether minutes agree everywhere."""
    for run_id in runs:
        for item in (await api.get(f"/billing-runs/{run_id}"))["items"]:
            if item["status"] == "blocked":
                say(f"  blocked: {item['client_name']}: {item['detail']}")
    say("")
    say(f"tickets        {outcome.tickets_created} new of {len(found.incidents)} incidents")
    say(f"updates        {outcome.updates_accepted} new, {outcome.already_known} known, {len(outcome.refused)} refused")
    rows = found.row_count / max(outcome.seconds, 0.001)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    say(f"speed          {rows:.0f} rows/s until the ledger had everything, importer's peak memory {peak} MB")
    verdicts = await _verdicts(api, found)
    say(f"clocks         {sum(map(sum, verdicts.values()))} judged")
    for priority, (met, missed) in verdicts.items():
        share = f"{100 * met / (met + missed):.1f} %" if met + missed else "no data"
        say(f"  {priority:10} met {met:6}  missed {missed:6}  {share}")
    return await _proof(api, outcome)


async def _verdicts(api: Api, found: Log) -> dict[str, tuple[int, int]]:
    """Return (met, missed) by priority over the days of the log, asked for in stretches the service answers."""
    starts_on = min(one.opened_at for one in found.incidents).date() - timedelta(days=1)
    last = max(update.at for one in found.incidents for update in one.updates).date() + timedelta(days=366)
    sums = dict.fromkeys(PRIORITIES, (0, 0))
    while starts_on < last:
        ends_on = min(starts_on + timedelta(days=COMPLIANCE_DAYS), last)
        answer = await api.get("/compliance", **{"from": starts_on.isoformat(), "to": ends_on.isoformat()})
        for one in answer["by_priority"]:
            met, missed = sums[one["priority"]]
            sums[one["priority"]] = (met + one["met"], missed + one["missed"])
        starts_on = ends_on
    return sums


async def _proof(api: Api, outcome: Outcome) -> bool:
    say("")
    say(
        f"{'client':24} {'logged':>9} {'ledger':>9} {'invoiced':>9} {'held':>7} {'overage':>8} {'invoices':>9} {'total':>14}"
    )
    sums: dict[str, int] = defaultdict(int)
    differing: list[str] = []
    for location, client_id in sorted(outcome.clients.items()):
        logged = await totals(api, "time-entries", client_id)
        ledger = await totals(api, "hours", client_id)
        invoiced = await totals(api, "invoices", client_id)
        issued = [one async for one in api.pages("/invoices", client_id=client_id, status="issued")]
        gross = sum(one["gross_minor"] for one in issued)
        minutes = (logged["worked_minutes"], ledger["worked_minutes"], invoiced["worked_minutes"])
        checksums = {one["checksum"] for one in (logged, ledger, invoiced)}
        if len(set(minutes)) != 1 or len(checksums) != 1:
            differing.append(location)
        say(
            f"{location:24} {minutes[0]:9} {minutes[1]:9} {minutes[2]:9} {ledger['held_minutes']:7}"
            f" {ledger['overage_minutes']:8} {len(issued):9} {gross / 100:14,.2f}"
        )
        for name, value in zip(("logged", "ledger", "invoiced"), minutes, strict=True):
            sums[name] += value
        sums["held"] += ledger["held_minutes"]
        sums["overage"] += ledger["overage_minutes"]
        sums["invoices"] += len(issued)
        sums["gross"] += gross
    say(
        f"{'all':24} {sums['logged']:9} {sums['ledger']:9} {sums['invoiced']:9} {sums['held']:7}"
        f" {sums['overage']:8} {sums['invoices']:9} {sums['gross'] / 100:14,.2f}"
    )
    say("")
    if differing:
        say(f"NOT PROVED: minutes or checksums differ for {', '.join(differing)}")
        return False
    say(
        "proved: minutes in tickets = minutes in the ledger = minutes on invoices, entry by entry (SHA-256 of all entries)"
    )
    return True


def write_refusals(found: Log, outcome: Outcome) -> None:
    """Write the refused rows with their reasons, when there are any."""
    if not found.refusals and not outcome.refused:
        return
    with Path(REFUSED_FILE).open("w", newline="", encoding="utf-8") as out:
        writer = csv.writer(out)
        writer.writerow(["row", "number", "seq", "reason"])
        writer.writerows([one.row, one.number, "", one.reason] for one in found.refusals)
        writer.writerows(["", number, seq, reason] for number, seq, reason in outcome.refused)
    say(f"{len(found.refusals) + len(outcome.refused)} refused rows are in {REFUSED_FILE}, with their reasons")
