"""A noisy log of another system, brought in by the command, twice."""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

from msp_local.replay import log as incident_log
from msp_local.stack import ADMIN_EMAIL, Platform

# number, state, count, updated at, what else differs. INC1 is reopened, INC2 comes out of order, INC4 has a state -100.
ROWS = [
    ("INC1", "New", 0, "7/3/2016 09:05", {}),
    ("INC1", "Active", 1, "7/3/2016 09:40", {"assigned_to": "Resolver 1"}),
    ("INC1", "Awaiting User Info", 2, "7/3/2016 10:00", {"assigned_to": "Resolver 1"}),
    ("INC1", "Active", 3, "8/3/2016 10:00", {"assigned_to": "Resolver 1"}),
    ("INC1", "Resolved", 4, "8/3/2016 11:00", {"assigned_to": "Resolver 1"}),
    ("INC1", "Active", 5, "9/3/2016 11:00", {"assigned_to": "Resolver 2"}),
    ("INC1", "Resolved", 6, "9/3/2016 12:00", {"assigned_to": "Resolver 2"}),
    ("INC1", "Closed", 7, "14/3/2016 12:00", {}),
    ("INC2", "New", 0, "10/3/2016 14:00", {"location": "Location 2", "priority": "1 - Critical"}),
    ("INC2", "Resolved", 2, "10/3/2016 19:00", {"location": "Location 2", "priority": "1 - Critical"}),
    ("INC2", "Active", 1, "10/3/2016 14:30", {"location": "Location 2", "priority": "1 - Critical"}),
    (
        "INC3",
        "New",
        0,
        "10/3/2016 14:00",
        {"location": "?", "category": "?", "caller_id": "?", "assignment_group": "?"},
    ),
    ("INC3", "Active", 1, "10/4/2016 14:00", {"location": "?", "category": "?", "sys_updated_by": "?"}),
    ("INC4", "-100", 0, "11/3/2016 14:00", {}),
    ("INC4", "Active", 1, "11/3/2016 15:00", {}),
    ("INC4", "Active", 2, "?", {}),
    ("INC4", "Active", 3, "11/3/2016 16:00", {"priority": "?"}),
]
BASE = dict.fromkeys((*incident_log.REQUIRED, "made_sla"), "?") | {
    "reassignment_count": "1",
    "caller_id": "Caller 1",
    "sys_updated_by": "Updated by 4",
    "location": "Location 1",
    "category": "Category 26",
    "subcategory": "Subcategory 7",
    "priority": "3 - Moderate",
    "assignment_group": "Group 70",
}


def written(path: Path) -> Path:
    with path.open("w", newline="") as out:
        writer = csv.DictWriter(out, fieldnames=list(BASE))
        writer.writeheader()
        for number, state, count, at, more in ROWS:
            opened = next(row[3] for row in ROWS if row[0] == number)
            row = {"number": number, "incident_state": state, "sys_mod_count": count, "sys_updated_at": at}
            writer.writerow({**BASE, "opened_at": opened, **row, **more})
    return path


def replayed(platform: Platform, path: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "msp_local", "replay", str(path), "--url", platform.url],
        env={**os.environ, "MSP_EMAIL": ADMIN_EMAIL, "MSP_PASSWORD": platform.admin_password},
        cwd=path.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def figures(said: str) -> dict[str, list[str]]:
    """Return the last columns of the table by client."""
    found = re.findall(
        r"^(Location \d|\?|all) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) +([\d,.]+)$", said, re.MULTILINE
    )
    return {name: list(rest) for name, *rest in found}


def test_a_noisy_log_comes_in_once_however_often_it_is_sent(platform: Platform, tmp_path: Path) -> None:
    path = written(tmp_path / "log.csv")

    first = replayed(platform, path)
    again = replayed(platform, path)

    # By hand: INC1 six agent's updates, INC2 two, INC3 one, INC4 none (its second row is the first that counts).
    table = figures(first)
    assert [table[name][:3] for name in ("Location 1", "Location 2", "?", "all")] == [
        ["90", "90", "90"],
        ["30", "30", "30"],
        ["15", "15", "15"],
        ["135", "135", "135"],
    ], first
    assert "tickets        4 new of 4 incidents" in first
    assert "proved: minutes in tickets = minutes in the ledger = minutes on invoices" in first
    assert "tickets        0 new of 4 incidents" in again
    assert figures(again) == table
    with (tmp_path / "replay-refused.csv").open() as refused:
        reasons = [(row["row"], row["number"], row["reason"]) for row in csv.DictReader(refused)]
    assert [row[:2] for row in reasons] == [("15", "INC4"), ("17", "INC4"), ("18", "INC4")]
    assert "'-100' is not one of" in reasons[0][2]
