"""Tables in by a plain form: tried first, and every row that was not taken is named."""

from __future__ import annotations

import csv
import io
from typing import Any

import httpx2 as httpx
import pytest
from upstream import Pages, words

from portal_gateway.pages.imports import FAILURES_BYTES_MAX, failures_of

PAGE = "/desk/admin/imports"
FILE = b'\xef\xbb\xbfclient_code;title\nHLO;"VPN\ndrops"\nXXX;Mail\nHLO;Printer\n'
DONE = {
    "taken": 1,
    "refused": [
        {"line": 4, "column": None, "detail": "there is no client XXX"},
        {"line": 5, "column": "level", "detail": "Field required"},
        {"line": 5, "column": "job_type", "detail": "Field required"},
    ],
    "ignored_columns": ["colour"],
    "is_trial": False,
}


@pytest.fixture
def seen(house: Pages) -> Pages:
    house.upstream.answers |= {"/tables/tickets": DONE, "/tickets/counts": {"open": 1, "unassigned": 0}}
    return house


async def sent(seen: Pages, *, by: str = "manager", file: bytes = FILE, **typed: str) -> httpx.Response:
    headers = {"authorization": f"Bearer {seen.tokens[by]}"}
    return await seen.client.post(PAGE, data=typed, files={"file": ("rows.csv", file)}, headers=headers)


async def test_a_file_goes_on_as_it_is_and_its_errors_are_named_by_line(seen: Pages) -> None:
    answer = await sent(seen, kind="tickets", intent="import")

    assert seen.upstream.body("/tables/tickets") == FILE
    assert seen.upstream.query("/tables/tickets") == []
    text = words(answer.text)
    assert "1 tickets were imported, 2 rows were not. Columns nobody asked for: colour." in text
    assert "4 – there is no client XXX" in text
    assert "5 level Field required" in text


async def test_a_file_can_be_tried_first(seen: Pages) -> None:
    seen.upstream.answers["/tables/tickets"] = {**DONE, "refused": [], "is_trial": True}

    answer = await sent(seen, kind="tickets", intent="try")

    assert seen.upstream.query("/tables/tickets") == [("trial", "true")]
    assert "Tried only: 1 tickets would be imported, 0 rows would not." in words(answer.text)


async def test_the_rows_that_failed_come_back_as_a_file(seen: Pages) -> None:
    rows, count = failures_of(FILE, DONE["refused"])  # type: ignore[arg-type]

    answer = await seen.post(f"{PAGE}/failures", {"rows": rows})

    assert count == 2
    assert answer.headers["content-disposition"] == 'attachment; filename="not-imported.csv"'
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["client_code", "title", "problem"],
        ["XXX", "Mail", "there is no client XXX"],
        ["HLO", "Printer", "level: Field required; job_type: Field required"],
    ]


def test_of_many_rows_that_failed_a_page_carries_the_first() -> None:
    content = b"title\n" + b"".join(b"\xe9\x9b\xbb%05d\n" % number for number in range(5000))
    refused: list[dict[str, Any]] = [{"line": n + 2, "column": None, "detail": "no"} for n in range(5000)]

    rows, count = failures_of(content, refused)

    assert 0 < count < 5000
    assert len(rows.encode()) <= FAILURES_BYTES_MAX
    assert len(list(csv.reader(io.StringIO(rows)))) == count + 1


async def test_no_file_and_a_refused_file_are_said(seen: Pages) -> None:
    seen.upstream.answers["/tables/agents"] = (422, {"detail": "the columns name, levels are missing"})

    nothing = await sent(seen, kind="tickets", file=b"")
    refused = await sent(seen, kind="agents")

    assert (nothing.status_code, refused.status_code) == (422, 422)
    assert "Choose a CSV file." in nothing.text
    assert "Nothing was imported. the columns name, levels are missing" in refused.text
    assert '<option value="agents" selected>' in refused.text


async def test_importing_is_for_those_who_dispatch(seen: Pages) -> None:
    assert (await sent(seen, by="agent", kind="tickets")).status_code == 403
    assert (await sent(seen, by="client", kind="tickets")).status_code == 403
    assert (await seen.get(PAGE, by="agent")).status_code == 403
    assert seen.upstream.changes() == []
    assert PAGE not in (await seen.get("/desk/queues", by="agent")).text
    assert f'href="{PAGE}"' in (await seen.get(PAGE)).text
