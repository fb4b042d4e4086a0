"""The bucket pages: sorted by the day they run out, one with its band, lots, ledger and corrections, and the client's hours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from bucket_shapes import AGREED, BALANCE, CLIENT, CONTRACT, FORECAST, LINE, LOT, STATEMENT
from upstream import Pages, pages, words

COUNTS = {"open": 3, "unassigned": 0}
ADJUSTMENT: dict[str, Any] = {
    "id": "00000000-0000-0000-0000-0000000000d1",
    "minutes": -30,
    "reason": "counted twice",
    "status": "asked",
    "asked_by": "somebody else",
    "asked_at": "2026-11-24T10:00:00Z",
}


@pytest.fixture
async def site() -> AsyncIterator[Pages]:
    """Give pages with one bucket behind them."""
    async with pages() as made:
        here = f"/contracts/{CONTRACT}"
        made.upstream.answers |= {
            "/tickets/counts": COUNTS,
            "/contracts": {"items": [AGREED], "next": None},
            "/contracts/forecasts": {"items": [FORECAST]},
            "/contracts/balances": {"items": [BALANCE]},
            "/clients": {"items": [{"id": CLIENT, "name": "Harlow Dental"}], "next": None},
            f"{here}/balance": BALANCE,
            f"{here}/forecast": FORECAST,
            f"{here}/burn": {
                "capacity_minutes": 3000,
                "days": [{"on": f"2026-11-{day}", "available_minutes": 700 - day} for day in (22, 23, 24)],
            },
            f"{here}/statement": STATEMENT,
            f"{here}/statement.csv": {"items": [LINE]},
            f"{here}/statement.pdf": {"items": [LINE]},
            f"{here}/adjustments": {"items": [ADJUSTMENT], "next": None},
        }
        yield made


async def test_buckets_tell_when_they_run_out(site: Pages) -> None:
    answer = await site.get("/desk/buckets")

    assert answer.status_code == 200
    assert "Harlow Dental" in answer.text
    assert 'href="/desk/buckets/C-0001"' in answer.text
    assert "10:00 h" in words(answer.text)


async def test_a_bucket_shows_band_lots_ledger_and_corrections(site: Pages) -> None:
    answer = await site.get("/desk/buckets/C-0001")

    shown = words(answer.text)
    assert answer.status_code == 200
    assert 'class="band ' in answer.text
    assert "Such intervals held 8 of 10 times (80%)" in shown
    assert "correction of a closed period" in shown
    assert "posting 7, 8" in shown
    assert "counted twice" in shown
    assert "<script>alert" not in answer.text
    assert 'value="confirm"' in answer.text


async def test_only_those_who_fund_see_buckets_and_unknown_ones_are_missing(site: Pages) -> None:
    assert (await site.get("/desk/buckets", by="agent")).status_code == 403
    assert (await site.get("/desk/buckets", by="client")).status_code == 403
    site.upstream.answers["/contracts"] = {"items": [], "next": None}
    assert (await site.get("/desk/buckets/C-9999")).status_code == 404


async def test_an_adjustment_is_asked_for_and_a_refusal_is_shown(site: Pages) -> None:
    path = f"/contracts/{CONTRACT}/adjustments"
    form = {"intent": "ask", "lot_id": LOT, "minutes": "-30", "reason": "counted twice"}

    done = await site.post("/desk/buckets/C-0001/adjust", form)
    assert (done.status_code, done.headers["location"]) == (303, "/desk/buckets/C-0001")
    assert site.upstream.body(path) == {"lot_id": LOT, "minutes": -30, "reason": "counted twice"}
    site.upstream.answers[f"{path}/{ADJUSTMENT['id']}/confirm"] = (409, {"detail": "somebody else must confirm it"})
    refused = await site.post("/desk/buckets/C-0001/adjust", {"intent": "confirm", "id": ADJUSTMENT["id"]})

    assert refused.status_code == 409
    assert "somebody else must confirm it" in refused.text


async def test_without_the_service_the_page_says_so() -> None:
    async with pages(away="contracts") as alone:
        alone.upstream.answers["/tickets/counts"] = COUNTS
        answer = await alone.get("/desk/buckets")

    assert answer.status_code == 200
    assert "Forecasts are not available" in words(answer.text)


async def test_a_client_sees_hours_with_forecast_and_takes_them_along(site: Pages) -> None:
    answer = await site.get("/portal/hours", by="client")
    file = await site.get("/portal/hours.csv", by="client")
    document = await site.get("/portal/hours.json", by="client")

    assert answer.status_code == 200
    assert 'class="band ' in answer.text
    assert "HLO-1482 · Ana Reyes · L1 · Network · correction of a closed period" in words(answer.text)
    assert "attachment" in file.headers["content-disposition"]
    assert document.json()["items"][0]["posting_seqs"] == [7, 8]
    assert (await site.get("/portal/hours.exe", by="client")).status_code == 404


@pytest.mark.parametrize(("base", "by"), [("/portal/hours", "client"), ("/desk/buckets/C-0001/statement", "manager")])
async def test_a_statement_of_any_days_is_taken_along_as_pdf_csv_or_json(site: Pages, base: str, by: str) -> None:
    page = await site.get("/portal/hours" if by == "client" else "/desk/buckets/C-0001", by=by)

    for form in ("pdf", "csv", "json"):
        assert f'href="{base}.{form}"' in page.text
        file = await site.get(f"{base}.{form}?from=2026-10-01&to=2026-10-31", by=by)

        assert file.headers["content-disposition"] == f'attachment; filename="hours-2026-10-01-to-2026-10-31.{form}"'
        asked = site.upstream.query(f"/contracts/{CONTRACT}/statement{'' if form == 'json' else f'.{form}'}")
        assert asked == [("from", "2026-10-01"), ("to", "2026-11-01")], "the end is exclusive"
    for odd in ("from=soon", "from=2026-10-31&to=2026-10-01", "to=9999-12-31"):
        assert (await site.get(f"{base}.pdf?{odd}", by=by)).status_code == 422
    assert (await site.get("/desk/buckets/C-0001/statement.exe")).status_code == 404
    assert (await site.get("/desk/buckets/C-0001/statement.pdf", by="agent")).status_code == 403


async def test_hours_are_added_once_however_often_the_form_is_sent(site: Pages) -> None:
    path = f"/contracts/{CONTRACT}/lots"
    site.upstream.answers[path] = {"id": CONTRACT}
    form = {"minutes": "7.5", "price_minor": "690.50", "valid_from": "2026-12-01", "expires_on": "", "key": "k" * 20}

    done = await site.post("/desk/buckets/C-0001/top-up", form)

    assert (done.status_code, done.headers["location"]) == (303, "/desk/buckets/C-0001")
    assert site.upstream.body(path) == {
        "minutes": 450,
        "price_minor": 69050,
        "valid_from": "2026-12-01",
        "expires_on": None,
    }


async def test_hours_that_cannot_be_added_are_refused_beside_their_field(site: Pages) -> None:
    errors = [{"pointer": "/body/minutes", "detail": "Input should be a whole number above zero"}]
    site.upstream.answers[f"/contracts/{CONTRACT}/lots"] = (422, {"detail": "1 field is wrong", "errors": errors})

    answer = await site.post("/desk/buckets/C-0001/top-up", {"minutes": "1e999", "valid_from": "2026-12-01"})

    assert answer.status_code == 422
    assert "The hours were not added. minutes: Input should be a whole number above zero" in answer.text
    assert 'value="1e999"' in answer.text
    assert 'id="top-minutes-err"' in answer.text
    assert (await site.post("/desk/buckets/C-0001/top-up", {}, by="agent")).status_code == 403
