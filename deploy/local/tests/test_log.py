from __future__ import annotations

import csv
import gzip
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from msp_local.replay import log as incident_log
from msp_local.replay.log import NotALog, client_code, job_type, parse

GOOD = {
    "number": "INC0000045",
    "incident_state": "New",
    "reassignment_count": "0",
    "sys_mod_count": "0",
    "caller_id": "Caller 2403",
    "opened_at": "29/2/2016 01:16",
    "sys_updated_by": "Updated by 21",
    "sys_updated_at": "29/2/2016 01:23",
    "location": "Location 143",
    "category": "Category 55",
    "subcategory": "Subcategory 170",
    "priority": "3 - Moderate",
    "assignment_group": "Group 56",
    "assigned_to": "?",
}


def lines(*rows: dict[str, str]) -> list[str]:
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=incident_log.REQUIRED)
    writer.writeheader()
    writer.writerows({**GOOD, **row} for row in rows)
    return out.getvalue().splitlines(keepends=True)


def test_the_first_row_opens_and_an_agents_update_stands_for_fifteen_minutes() -> None:
    found = parse(
        lines(
            {},
            {"sys_mod_count": "1", "incident_state": "Active", "assigned_to": "Resolver 89"},
            {"sys_mod_count": "2", "incident_state": "Closed"},
        )
    )

    (incident,) = found.incidents
    assert [update.worked_minutes for update in incident.updates] == [0, 15, 0]
    assert [update.agent for update in incident.updates] == ["Updated by 21", "Resolver 89", "Updated by 21"]
    assert [update.status for update in incident.updates] == ["new", "open", "closed"]
    assert incident.opened_at == datetime(2016, 2, 29, 1, 16, tzinfo=UTC)


def test_times_are_local_times_of_the_client() -> None:
    found = parse(lines({"opened_at": "1/7/2016 12:00", "sys_updated_at": "1/7/2016 12:30"}))

    assert found.incidents[0].opened_at == datetime(2016, 7, 1, 11, 0, tzinfo=UTC)


def test_an_update_before_its_opening_moves_the_opening() -> None:
    found = parse(lines({"opened_at": "29/2/2016 05:00", "sys_updated_at": "29/2/2016 04:00"}))

    assert found.incidents[0].opened_at == datetime(2016, 2, 29, 4, 0, tzinfo=UTC)


def test_updates_keep_the_order_and_the_number_they_came_with() -> None:
    found = parse(lines({"sys_mod_count": "9"}, {"sys_mod_count": "2"}, {"sys_mod_count": "2"}))

    assert [update.seq for update in found.incidents[0].updates] == [9, 2, 2]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"incident_state": "-100"}, "incident_state '-100' is not one of New, Active,"),
        ({"priority": "?"}, "priority '?' is not one of 1 to 4"),
        ({"number": "a b"}, "number is not an incident number"),
        ({"number": ""}, "number is not an incident number"),
        ({"sys_mod_count": "-1"}, "sys_mod_count '-1' is not a count"),
        ({"sys_mod_count": "9999999"}, "is not a count"),
        ({"reassignment_count": "１"}, "is not a count"),
        ({"sys_updated_at": "?"}, "sys_updated_at '?' is not a date of the form d/m/Y H:M"),
        ({"sys_updated_at": "31/2/2016 01:00"}, "is not a date"),
        ({"opened_at": "1/1/0001 00:00"}, "lies before the year 2000"),
    ],
)
def test_a_row_that_cannot_be_used_is_refused_with_its_line_and_a_reason(change: dict[str, str], reason: str) -> None:
    found = parse(lines({}, {"number": "INC0000046", **change}))

    (refusal,) = [one for one in found.refusals if reason in one.reason]
    assert refusal.row == 3
    assert sum(len(one.updates) for one in found.incidents) == 1


def test_a_row_that_is_cut_short_is_refused() -> None:
    whole = lines({}, {"sys_mod_count": "1"})
    found = parse([*whole[:-1], "INC0000045,Active\r\n"])

    assert [one.reason for one in found.refusals] == ["the row has fewer fields than the header"]


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(incident_log.REQUIRED),
            st.sampled_from(["?", "-100", "1", "2 - High", "29/2/2016 01:23", "Active", "Closed", "é", " "]),
            max_size=3,
        ),
        max_size=20,
    )
)
def test_every_row_is_an_update_or_a_refusal(rows: list[dict[str, str]]) -> None:
    found = parse(lines(*rows))

    assert found.row_count == len(rows)
    assert sum(len(one.updates) for one in found.incidents) + len(found.refusals) == len(rows)


def test_what_is_no_log_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("number,priority\n1,2\n")
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "c.csv.gz").write_text("not gzip")

    for name in ("a.csv", "b.csv", "c.csv.gz", "missing.csv"):
        with pytest.raises(NotALog):
            incident_log.read(tmp_path / name)


def test_a_log_may_be_gzipped_and_begin_with_a_byte_order_mark(tmp_path: Path) -> None:
    text = "".join(lines({}))
    (tmp_path / "log.csv.gz").write_bytes(gzip.compress(("\ufeff" + text).encode()))

    assert len(incident_log.read(tmp_path / "log.csv.gz").incidents) == 1


def test_codes_of_clients_and_job_types_are_what_the_platform_takes() -> None:
    codes = [client_code(f"Location {number}") for number in range(2000)]

    assert len(set(codes)) == 2000
    assert all(code.isalpha() and code.isupper() and 2 <= len(code) <= 5 for code in [*codes, client_code("?")])
    assert (job_type("Category 26"), job_type("?")) == ("category-26", "category-unknown")
