"""The client's service report, on the page and on paper."""

from __future__ import annotations

import asyncio
import io
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pypdf
import pytest
from upstream import Pages, words

from msp_kernel.periods import DatePeriod, month_of, whole_months
from msp_kit import pdf
from portal_gateway import language
from portal_gateway.brand import Brand
from portal_gateway.colours import Accent
from portal_gateway.documents import service_report
from portal_gateway.documents.service_report import MonthOfService, ServiceReport
from portal_gateway.pages import shown
from portal_gateway.pages.reports import _last_months

MERIDIAN = Brand("Meridian IT")
ACME = "00000000-0000-0000-0000-000000000001"
REFUSED = {"code": "not-found", "title": "Not found", "status": 404, "detail": "Not found"}
HOSTILE = '#panic("x") $1+1$ *bold* _it_ <b>#link("https://evil.example")[Acme] @ref `raw` \\ /* " ] = head'


@pytest.fixture
def seen(house: Pages) -> Pages:
    house.upstream.answers |= {
        "/compliance": a_tally(9, 1),
        "/tickets/by-month": by_month(lambda number: {"raised": 10 + number, "resolved": 20 + number}),
        "/hours/by-month": by_month(
            lambda number: {
                "worked_minutes": 60 + number,
                "bucket_minutes": 120 + number,
                "overage_minutes": 15,
                "time_and_materials_minutes": 0,
            }
        ),
    }
    return house


def a_tally(met: int, missed: int) -> dict[str, Any]:
    percent = round(100 * met / (met + missed), 1) if met + missed else None
    whole = {"met": met, "missed": missed, "open_overdue": 0, "percent": percent}
    return {
        **whole,
        "by_priority": [{**whole, "priority": "high"}] if met + missed else [],
        "by_week": [{**whole, "week": "2026-10-26"}],
    }


def by_month(figures: Any) -> Any:
    """Answer with figures for each month that is asked for, numbered from the earliest."""

    def answer(query: dict[str, str]) -> dict[str, Any]:
        found = whole_months(date.fromisoformat(query["from"]), date.fromisoformat(query["to"]))
        months = [{"on": one.starts_on.isoformat(), **figures(number)} for number, one in enumerate(found)]
        return {"client_id": ACME, "timezone": "Europe/London", "months": months}

    return answer


def nothing(path: str) -> Any:
    names = (
        ("raised", "resolved") if path.startswith("/tickets") else (*service_report.HOURS, "time_and_materials_minutes")
    )
    return by_month(lambda _number: dict.fromkeys(names, 0))


def table(html: str, heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, row by row, head and foot included."""
    part = html.partition(f">{heading}</h2>")[2].partition("</table>")[0]
    return [
        [words(cell).strip() for cell in re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)]
        for row in part.split("<tr>")[1:]
    ]


def text_of(content: bytes) -> str:
    reader = pypdf.PdfReader(io.BytesIO(content))
    return " ".join(" ".join(page.extract_text().split()) for page in reader.pages)


# ---- the page -----------------------------------------------------------------------------------------------------


async def test_a_client_sees_months_and_priorities_and_never_says_whose(seen: Pages) -> None:
    html = (await seen.get(f"/portal/reports?client_id={ACME}", by="client")).text

    assert "90.0%" in html
    assert "of 10 promises" in words(html)
    asked = [(path, query) for _, path, query, _ in seen.upstream.asked if path == "/compliance" or "by-month" in path]
    assert sorted(path for path, _ in asked) == ["/compliance"] * 7 + ["/hours/by-month", "/tickets/by-month"]
    # The client comes from the session: the address cannot name one.
    assert {name for _, query in asked for name, _ in query} == {"from", "to"}


async def test_staff_have_no_report_of_their_own(seen: Pages) -> None:
    assert (await seen.get("/portal/reports")).status_code == 403
    assert (await seen.get("/portal/reports.pdf")).status_code == 403


async def test_tickets_and_hours_stand_by_month_the_latest_first_and_add_up(seen: Pages) -> None:
    html = (await seen.get("/portal/reports", by="client")).text

    head, *rows, foot = table(html, "Tickets and hours")
    assert head == ["Month", "Raised", "Resolved", "Worked", "From the bucket", "Beyond it", "Report"]
    # On a phone the last column is below the first.
    assert [row[0] for row in rows] == [f"{shown.month(one.starts_on)} PDF" for one in _last_months(6)]
    assert rows[0][1:] == ["15", "25", "1:05 h", "2:05 h", "0:15 h", "PDF"]
    assert rows[5][1:] == ["10", "20", "1:00 h", "2:00 h", "0:15 h", "PDF"]
    assert foot == ["All", "75", "135", "6:15 h", "12:15 h", "1:30 h", ""]
    assert [row[:4] for row in table(html, "Promises by month")[1:]] == [
        *([shown.month(one.starts_on), "90.0%", "10", "1"] for one in _last_months(6)),
        ["All", "90.0%", "10", "1"],
    ]


@pytest.mark.parametrize(
    ("path", "cells"),
    [
        ("/tickets/by-month", ["not available", "1:05 h", "2:05 h", "0:15 h", "PDF"]),
        ("/hours/by-month", ["15", "25", "not available", "–", "–", "PDF"]),
    ],
)
@pytest.mark.parametrize("refusal", [(503, {**REFUSED, "code": "unavailable"}), (404, REFUSED)])
async def test_each_part_is_missing_alone(seen: Pages, path: str, cells: list[str], refusal: Any) -> None:
    seen.upstream.answers[path] = refusal

    answer = await seen.get("/portal/reports", by="client")

    assert answer.status_code == 200
    rows = table(answer.text, "Tickets and hours")
    assert rows[1][1:] == cells
    assert "–" in rows[-1]
    assert "90.0%" in answer.text
    # What is kept on paper has all of its figures.
    assert (await seen.get("/portal/reports.pdf", by="client")).status_code == 503


async def test_promises_may_be_missing_while_tickets_and_hours_are_told(seen: Pages) -> None:
    seen.upstream.answers["/compliance"] = (503, {**REFUSED, "code": "unavailable"})

    html = (await seen.get("/portal/reports", by="client")).text

    assert "Our figures are not available" in html
    assert [row[1] for row in table(html, "Promises by month")[1:]] == ["not available"] * 6
    assert table(html, "Tickets and hours")[1][1] == "15"


async def test_one_month_of_promises_may_be_missing(seen: Pages) -> None:
    first = _last_months(6)[2].starts_on.isoformat()
    seen.upstream.answers["/compliance"] = lambda query: (503, REFUSED) if query["from"] == first else a_tally(9, 1)

    html = (await seen.get("/portal/reports", by="client")).text

    assert [row[1] for row in table(html, "Promises by month")[1:]] == [
        "90.0%", "90.0%", "not available", "90.0%", "90.0%", "90.0%", "90.0%",
    ]  # fmt: skip


async def test_tickets_without_a_promise_are_a_report_already(seen: Pages) -> None:
    seen.upstream.answers["/compliance"] = a_tally(0, 0)

    html = (await seen.get("/portal/reports", by="client")).text

    assert "No figures yet" not in html
    assert table(html, "Tickets and hours")[1][1] == "15"
    assert "6:15 h" in text_of((await seen.get("/portal/reports.pdf", by="client")).content)


# ---- before there are figures -------------------------------------------------------------------------------------


def empty(seen: Pages, contracts: Any) -> None:
    seen.upstream.answers |= {"/compliance": a_tally(0, 0), "/contracts": contracts}
    for path in ("/tickets/by-month", "/hours/by-month"):
        seen.upstream.answers[path] = nothing(path)


@pytest.mark.parametrize(("starts_in", "months"), [(-400, 1), (0, 1), (70, None)])
async def test_before_there_are_figures_the_first_report_has_a_date(
    seen: Pages, starts_in: int, months: int | None
) -> None:
    today = shown.now().date()
    starts_on = today + timedelta(days=starts_in)
    empty(seen, {"items": [{"starts_on": starts_on.isoformat()}, {"starts_on": "2090-01-01"}], "next": None})

    html = (await seen.get("/portal/reports", by="client")).text

    due = month_of(today if months else starts_on).ends_on
    assert f"Your first report will be here from {shown.day(due)} on." in words(html)
    assert "<table" not in html
    assert "reports.pdf" not in html


@pytest.mark.parametrize("contracts", [{"items": [], "next": None}, (503, REFUSED)])
async def test_without_a_contract_the_first_report_waits_for_it(seen: Pages, contracts: Any) -> None:
    empty(seen, contracts)

    html = (await seen.get("/portal/reports", by="client")).text

    assert "Your first report comes on the first of the month after your contract has begun." in words(html)


async def test_contracts_are_asked_for_only_when_there_is_nothing_to_show(seen: Pages) -> None:
    await seen.get("/portal/reports", by="client")

    assert not any(path == "/contracts" for _, path, _, _ in seen.upstream.asked)


# ---- on paper -----------------------------------------------------------------------------------------------------


async def test_the_paper_says_what_the_page_says(seen: Pages) -> None:
    page = (await seen.get("/portal/reports", by="client")).text
    answer = await seen.get("/portal/reports.pdf", by="client")

    months = _last_months(6)
    name = f"service-report-{months[-1].starts_on:%Y-%m}-to-{months[0].starts_on:%Y-%m}.pdf"
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
    assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert answer.headers["cache-control"] == "no-store"
    text = text_of(answer.content)
    for heading in ("Promises by month", "Tickets and hours"):
        for row in table(page, heading):
            told = [cell.removesuffix(" PDF") for cell in row if cell not in ("PDF", "Report")]
            assert " ".join(told).strip() in text
    assert "90.0% of 10 promises" in text
    assert "By priority Priority Kept Promises Late High 90.0% 10 1" in text
    assert "Week from Kept Promises Late 26 Oct 2026 90.0% 10 1" in text
    assert "Meridian IT" in text
    assert f"{shown.month(months[0].starts_on)} is not over: its figures still grow." in text


async def test_the_paper_of_one_month_tells_that_month_alone(seen: Pages) -> None:
    latest, before = _last_months(2)
    answer = await seen.get(f"/portal/reports.pdf?month={before.starts_on:%Y-%m}", by="client")

    assert answer.headers["content-disposition"].endswith(f'filename="service-report-{before.starts_on:%Y-%m}.pdf"')
    text = text_of(answer.content)
    assert f"{shown.month(before.starts_on)} 10 20 1:00 h 2:00 h 0:15 h" in text
    assert shown.month(latest.starts_on) not in text
    assert "is not over" not in text
    ends = {"from": before.starts_on.isoformat(), "to": before.ends_on.isoformat()}
    asked = [dict(query) for _, path, query, _ in seen.upstream.asked if path == "/compliance" or "by-month" in path]
    assert asked == [ends] * len(asked)
    assert asked


@pytest.mark.parametrize("month", ["2026-13", "2019-01", "2099-01", "x", "2026-1", "2026-10-01", "../x", "٢٠٢٦-10"])
async def test_another_month_is_not_there(seen: Pages, month: str) -> None:
    assert (await seen.get(f"/portal/reports.pdf?month={month}", by="client")).status_code == 404
    assert not any("by-month" in path for _, path, _, _ in seen.upstream.asked)


async def test_waiting_papers_hold_nothing_that_others_need(seen: Pages) -> None:
    with pdf.LAYING_OUT:
        waiting = [asyncio.create_task(seen.get("/portal/reports.pdf", by="client")) for _ in range(30)]
        for _ in range(30):
            assert (await seen.get("/portal/reports", by="client")).status_code == 200
        assert await asyncio.gather(*(asyncio.to_thread(abs, -one) for one in range(20))) == list(range(20))
        assert not any(one.done() for one in waiting)
    papers = await asyncio.gather(*waiting)

    assert {one.status_code for one in papers} == {200}
    assert len({one.content for one in papers}) == 1, "the same figures are the same bytes"
    assert int(papers[0].headers["content-length"]) == len(papers[0].content) > 1000


def a_report(**given: Any) -> ServiceReport:
    months = [DatePeriod(date(2026, 10, 1), date(2026, 11, 1)), DatePeriod(date(2026, 9, 1), date(2026, 10, 1))]
    lines = [
        MonthOfService(
            one.starts_on,
            a_tally(1998, 2),
            {"raised": 4, "resolved": 3},
            {"worked_minutes": 75_030, "bucket_minutes": 90, "overage_minutes": 0},
        )
        for one in months
    ]
    default: dict[str, Any] = {
        "months": lines,
        "whole": a_tally(1998, 2),
        "tickets": {},
        "hours": {},
        "is_running": False,
        "client_name": "Harbour & Lowe",
    }
    return ServiceReport(**{**default, **given})


def made(report: ServiceReport, look: Brand = MERIDIAN, spoken: str = "en-GB") -> bytes:
    with language.speaking(spoken):
        return service_report.render(service_report.values(report, look))


def test_the_paper_speaks_the_reader_s_language() -> None:
    english, german = text_of(made(a_report())), text_of(made(a_report(), spoken="de"))

    assert "Service report September 2026 – October 2026" in english
    assert "99.9% of 2000 promises" in english
    assert "October 2026 4 3 1,250:30 h 1:30 h 0:00 h" in english
    assert "Servicebericht September 2026 – Oktober 2026" in german
    assert "99,9 % von 2000 Zusagen" in german.replace("\N{NO-BREAK SPACE}", " ")
    assert "Oktober 2026 4 3 1.250:30 h 1:30 h 0:00 h" in german
    assert not set(re.findall(r"[A-Z]\w+", german)) & {
        "Raised",
        "Resolved",
        "Worked",
        "Promises",
        "Late",
        "Page",
        "Kept",
    }


def test_the_paper_wears_the_colour_and_the_name_of_the_house() -> None:
    def drawn(look: Brand) -> bytes:
        contents = pypdf.PdfReader(io.BytesIO(made(a_report(), look))).pages[0].get_contents()
        assert contents is not None
        return contents.get_data()

    plain = drawn(Brand("Meridian IT"))
    purple = drawn(Brand("Nordlicht", accent=Accent("#ff0000", "#ff8080")))

    assert b"1 0 0 rg" in purple or b"1 0 0 scn" in purple
    assert b"1 0 0 rg" not in plain and b"1 0 0 scn" not in plain
    nordlicht = text_of(made(a_report(), Brand("Nordlicht")))
    assert "Nordlicht" in nordlicht
    assert "Meridian" not in nordlicht


@pytest.mark.parametrize("name", [HOSTILE, "\u202eevil\x00", "株式会社 🚀", "", "x" * 400])
def test_a_hostile_name_is_a_name(name: str) -> None:
    plain = pypdf.PdfReader(io.BytesIO(made(a_report())))
    hostile = pypdf.PdfReader(io.BytesIO(made(replace(a_report(), client_name=name), Brand(name or "-"))))

    assert not [note for page in hostile.pages for note in page.get("/Annots") or ()], "nothing of it became a link"
    figures = "October 2026 4 3 1,250:30 h 1:30 h 0:00 h"
    assert figures in " ".join(hostile.pages[0].extract_text().split())
    assert len(hostile.pages) == len(plain.pages)


def test_typst_markup_in_a_name_stands_as_it_was_written() -> None:
    text = text_of(made(replace(a_report(), client_name=HOSTILE)))

    for written in ('#panic("x")', "$1+1$", "*bold*", "_it_", '#link("https://evil.example")[Acme]', "@ref", "`raw`"):
        assert written in text


def test_the_same_figures_are_the_same_bytes() -> None:
    first, other = made(a_report()), made(replace(a_report(), client_name="Kestrel"))

    assert made(a_report()) == first
    assert other != first


def test_bars_stand_beside_priorities_and_weeks_as_long_as_the_share_that_was_kept() -> None:
    whole = a_tally(1, 1)
    whole["by_priority"] = [{**whole["by_priority"][0], "percent": percent} for percent in (0.0, 0.1, 100.0)]
    whole["by_week"].append({**a_tally(0, 0), "week": "2026-11-02"})
    report = a_report(whole=whole)

    tables = service_report.values(report, MERIDIAN)["tables"]

    assert [table["bars"] for table in tables] == [[0.0, 0.1, 100.0], (), (), [50.0]]
    assert [len(table["rows"]) for table in tables] == [3, 2, 2, 1], "a week without a promise is left out"
    # Empty, hardly begun and full ones are laid out: nothing per cent is no width the renderer stumbles over.
    assert "High 0.0% 2 1 High 0.1% 2 1 High 100.0% 2 1" in text_of(made(report))
