"""The SLA pages in a real browser: numbers that lead to their clocks, the tape, what-if; for everybody, on every screen."""

from __future__ import annotations

import csv
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from browsing import accessible, signed_in
from playwright.async_api import Browser, Page, expect
from story import Cast, Company, a_cast, a_target, first_of_month, today

from msp_kernel.ids import parsed
from msp_kit.testing import eventually
from msp_local.api import Api
from msp_local.stack import Platform

TICKETS, LATE = 8, 3
SCREENS: list[dict[str, Any]] = [
    {"viewport": {"width": width, "height": 800}, "color_scheme": theme}
    for width in (1280, 320)
    for theme in ("light", "dark")
]


@dataclass
class Scene:
    """A company with a month of history and a ticket that runs now."""

    cast: Cast
    company: Company
    running_ref: str
    period: dict[str, str]

    @property
    def pages(self) -> list[str]:
        query = "&".join(f"{name}={value}" for name, value in self.period.items())
        return [
            f"/desk/sla?{query}",
            f"/desk/sla?{query}&client_id={self.company.id}",
            f"/desk/sla/verdicts?{query}&client_id={self.company.id}",
            f"/desk/sla/breaches?{query}&client_id={self.company.id}&metric=resolution",
            f"/desk/sla/what-if?{query}&contract_id={self.company.contract_id}&run=1&flags=all",
            f"/desk/tickets/{self.running_ref}/sla",
            f"/desk/tickets/{self.running_ref}",
            "/desk/ops",
        ]


@pytest.fixture
async def scene(admin: Api) -> AsyncIterator[Scene]:
    async with a_cast(admin) as cast:
        company = await cast.client(
            "Harbour & Lowe",
            targets=[a_target("first_response", 60), a_target("resolution", 480)],
            escalation=[{"step": 1, "metric": "resolution", "at_percent": 100, "to_level": "L2"}],
        )
        began = first_of_month(first_of_month(today()) - timedelta(days=1))
        history = [a_past_ticket(company, number, began) for number in range(TICKETS)]
        answer = await cast.manager.post("/imports", {"source": company.id, "tickets": history})
        assert answer["refused"] == []
        period = {"from": began.isoformat(), "to": (today() + timedelta(days=1)).isoformat()}

        async def is_counted() -> bool:
            found = await cast.manager.get("/compliance", client_id=company.id, **period)
            return bool(found["met"] + found["missed"] == 2 * TICKETS)

        await eventually(is_counted)
        body = {"client_id": company.id, "job_type": "network", "priority": "high", "level": "L1"}
        ticket = await cast.manager.post("/tickets", {**body, "title": "VPN drops"})

        async def runs() -> bool:
            return len((await cast.manager.get("/clocks", ticket_id=ticket["id"]))["items"]) == 2

        await eventually(runs)
        yield Scene(cast, company, ticket["ref"], period)


def a_past_ticket(company: Company, number: int, began: Any) -> dict[str, Any]:
    """Return a ticket that was answered and resolved, the first ones too late for their eight hours."""
    raised = datetime.combine(began, datetime.min.time(), UTC) + timedelta(days=number, hours=8)
    solved = raised + timedelta(hours=10 if number < LATE else 4)
    updates = [
        (1, raised + timedelta(minutes=20), "open", True),
        (2, raised + timedelta(minutes=40), "waiting_on_client", False),
        (3, raised + timedelta(minutes=100), "open", False),
        (4, solved, "resolved", False),
    ]
    return {
        "external_ref": f"past-{number}",
        "client_id": company.id,
        "title": "Slow network",
        "job_type": "network",
        "priority": "high" if number % 2 else "low",
        "level": "L1",
        "raised_at": raised.isoformat(),
        "updates": [
            {"seq": seq, "at": at.isoformat(), "status": status, "agent": "Tom Okafor", "is_agent_reply": is_reply}
            for seq, at, status, is_reply in updates
        ],
    }


async def test_every_number_is_explained_down_to_the_minute(browser: Browser, platform: Platform, scene: Scene) -> None:
    page, complaints = await signed_in(browser, platform, scene.cast.manager.email)
    try:
        await page.goto(scene.pages[1])
        await expect(page.get_by_role("heading", level=1)).to_have_text("SLA compliance")
        whole = await scene.cast.manager.get("/compliance", client_id=scene.company.id, **scene.period)
        assert (whole["met"], whole["missed"]) == (2 * TICKETS - LATE, LATE)
        assert await page.locator(".kpi .v").first.inner_text() == f"{whole['percent']}%"
        await parts_add_up(page, tables=3)
        await page.get_by_role("link", name="Everything").click()
        await parts_add_up(page, tables=7)

        # From a number to its clocks, from a clock to why.
        await page.locator("section", has=page.locator("#t-priority")).get_by_role("link", name=str(LATE)).last.click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("SLA breaches")
        rows = page.locator("tbody tr")
        await expect(rows).to_have_count(LATE)
        await expect(rows.first).to_contain_text("Resolved late")
        await expect(rows.first).to_contain_text("1 h")
        async with page.expect_download() as started:
            await page.get_by_role("link", name="CSV").click()
        saved = (await (await started.value).path()).read_text()
        assert [row["outcome"] for row in csv.DictReader(saved.splitlines())] == ["missed"] * LATE
        await rows.first.get_by_role("link").first.click()
        await the_clock_is_explained(page, scene)
        assert complaints == []
    finally:
        await page.context.close()


async def parts_add_up(page: Page, *, tables: int) -> None:
    await expect(page.locator(".parts table")).to_have_count(tables)
    found = await page.evaluate(
        """() => [...document.querySelectorAll('.parts table')].map(t => [...t.querySelectorAll('tbody tr, tfoot tr')]
             .map(r => [...r.querySelectorAll('.num')].slice(1).map(c => Number(c.textContent))))"""
    )
    for *parts, whole in found:
        assert [sum(column) for column in zip(*parts, strict=True)] == whole


async def the_clock_is_explained(page: Page, scene: Scene) -> None:
    card = page.locator("section.card", has=page.get_by_role("heading", name="Resolution"))
    await expect(card).to_contain_text("Missed")
    tape = card.locator("svg.tape")
    await expect(tape).to_be_visible()
    told = [await one.get_attribute("data-tip") for one in await tape.locator("[data-tip]").all()]
    assert [tip.split(": ")[1] for tip in told if tip] == [
        "40 min counted",
        "1 h paused, not counted",
        "7 h 20 min counted",
        "1 h counted past the target",
    ]
    address = await card.get_by_role("link", name="JSON").get_attribute("href")
    assert address is not None
    explained = await scene.cast.manager.get(address.removeprefix("/api/v1"))
    assert await card.locator("ol.why li").all_inner_texts() == explained["text"]


async def test_an_escalation_is_acknowledged_on_the_page(browser: Browser, platform: Platform, scene: Scene) -> None:
    page, complaints = await signed_in(browser, platform, scene.cast.agent.email)
    try:
        await page.goto(f"/desk/tickets/{scene.running_ref}")
        await expect(page.locator("#sla sla-timer").first).to_be_visible()
        await page.locator("#sla summary").first.click()
        await expect(page.locator("#sla .why").first).to_contain_text("First response within 1 h")
        await page.locator("#sla").get_by_role("link", name="Resolution").click()
        await page.get_by_role("button", name="Acknowledge").click()
        await expect(page.get_by_text("Acknowledged", exact=True)).to_be_visible()
        await expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
        assert complaints == []
    finally:
        await page.context.close()


async def test_other_targets_change_verdicts_and_name_the_tickets(
    browser: Browser, platform: Platform, scene: Scene
) -> None:
    page, complaints = await signed_in(browser, platform, scene.cast.manager.email)
    try:
        await page.goto("/desk/sla/what-if")
        await page.fill("#from", scene.period["from"])
        await page.select_option("#contract_id", str(parsed("contract", scene.company.contract_id)))
        await page.get_by_role("button", name="Load its targets").click()
        resolution = page.get_by_label("Minutes: Resolution, every ticket")
        await expect(resolution).to_have_value("480")
        await resolution.fill("600")
        await page.get_by_role("button", name="Compare").click()
        answer = page.locator("#answer .v")
        await expect(answer.nth(1)).to_have_text("100.0%")
        await expect(answer.nth(3)).to_have_text(str(LATE))
        await expect(page.locator("section.card tbody tr", has_text="Missed")).to_have_count(LATE)
        await page.reload()
        await expect(answer.nth(3)).to_have_text(str(LATE))  # the whole question is in the address
        assert complaints == []
    finally:
        await page.context.close()


@pytest.mark.parametrize(
    "screen", SCREENS, ids=lambda screen: f"{screen['color_scheme']}-{screen['viewport']['width']}"
)
async def test_every_page_is_quiet_accessible_and_fits(
    browser: Browser, platform: Platform, scene: Scene, screen: dict[str, Any]
) -> None:
    width = screen["viewport"]["width"]
    for email, paths in ((scene.cast.manager.email, scene.pages), (scene.company.email, ["/portal/reports"])):
        page, _ = await signed_in(browser, platform, email, **screen)
        said = everything_said(page)
        try:
            for path in paths:
                answer = await page.goto(path)
                assert answer is not None
                assert answer.status == 200, path
                assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
                await accessible(page)
            assert said == []
        finally:
            await page.context.close()


def everything_said(page: Page) -> list[str]:
    """Return the list that every message of the console goes to."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    return said


async def test_reading_needs_no_script(browser: Browser, platform: Platform, scene: Scene) -> None:
    page, _ = await signed_in(browser, platform, scene.cast.manager.email, java_script_enabled=False)
    try:
        await page.goto(scene.pages[1])
        await expect(page.locator(".kpi .v").first).to_contain_text("%")
        await page.get_by_text("View as table").first.click()
        await expect(page.locator(".as-table table").first).to_be_visible()
        await page.goto(f"/desk/tickets/{scene.running_ref}/sla")
        await expect(page.locator("svg.tape").first).to_be_visible()
        await expect(page.locator("sla-timer").first).to_contain_text("left")
    finally:
        await page.context.close()


async def test_another_company_sees_none_of_it(browser: Browser, platform: Platform, scene: Scene) -> None:
    theirs = await scene.cast.client("Kestrel Freight")
    page, _ = await signed_in(browser, platform, theirs.email)
    try:
        answer = await page.goto(f"/portal/reports?client_id={scene.company.id}")
        assert answer is not None
        await expect(page.locator("main")).to_contain_text("No figures yet")
        for path in scene.pages:
            answer = await page.goto(path)
            assert answer is not None
            assert answer.status == 403, path
            assert "Harbour" not in await answer.text()
    finally:
        await page.context.close()
