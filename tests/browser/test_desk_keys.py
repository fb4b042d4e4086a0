"""Every key of the desk that does one thing, pressed: what it changes is there afterwards, and typing is never taken for it."""

from __future__ import annotations

from typing import Any

from browsing import accessible, signed_in
from playwright.async_api import Browser, Page, expect
from story import Cast, Company, a_cast

from msp_kernel.ids import parsed
from msp_local.api import Api
from msp_local.stack import Platform

TITLES = ("Printer jams", "Mail is slow", "Disk is full")


async def tickets_of(cast: Cast, company: Company) -> list[dict[str, Any]]:
    """Raise three tickets, each more urgent than the one before."""
    made = []
    for title, priority in zip(TITLES, ("low", "medium", "high"), strict=True):
        body = {"client_id": company.id, "title": title, "job_type": "network", "priority": priority, "level": "L1"}
        made.append(await cast.manager.post("/tickets", body))
    return made


async def cursor(page: Page) -> int:
    """Return which row the cursor is on, -1 for none."""
    rows = "[...document.querySelectorAll('tr[data-href]')]"
    found: int = await page.evaluate(f"{rows}.findIndex((one) => one.classList.contains('cursor'))")
    return found


async def test_rows_are_gone_through_up_and_down_and_opened(browser: Browser, platform: Platform, admin: Api) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Rows")
        await tickets_of(cast, company)
        page, complaints = await signed_in(browser, platform, cast.agent.email)
        press = page.keyboard.press
        await page.goto(f"/desk/queues?client_id={company.id}")
        await expect(page.locator("tr[data-href]")).to_have_count(3)

        seen = []
        for key in ("k", "j", "j", "j", "j", "k", "k"):
            await press(key)
            seen.append(await cursor(page))
        title = await page.locator("tr.cursor a.title").inner_text()
        focused = await page.evaluate("document.activeElement.closest('tr')?.classList.contains('cursor')")
        await press("Enter")

        assert seen == [0, 1, 2, 2, 2, 1, 0], "it stops at both ends"
        assert focused, "who hears the page is on the row, too"
        await expect(page.locator("h1")).to_have_text(title)
        assert complaints == []
        await page.context.close()


async def test_a_ticket_is_taken_noted_timed_parked_and_resolved_by_single_keys(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("One Key Each")
        *_, ticket = await tickets_of(cast, company)
        await cast.manager.post(f"/tickets/{ticket['id']}/assign", {"assignee_id": None, "reason": "for the story"})
        page, complaints = await signed_in(browser, platform, cast.agent.email)
        press, head = page.keyboard.press, page.locator("#head")
        await page.goto(f"/desk/tickets/{ticket['ref']}")

        await press("i")
        await expect(page.locator("#details")).to_contain_text(await my_name(cast))
        await press("n")
        await expect(page.locator('.composer [value="note"]')).to_be_checked()
        await page.keyboard.type("is it plugged in? x p e")
        await press("Control+Enter")
        await expect(page.locator("#thread")).to_contain_text("is it plugged in? x p e")
        await expect(page.locator("#thread .internal")).to_have_count(1)
        await page.locator("h1").click()
        await press("s")
        await expect(page.locator("work-timer")).to_be_visible()
        await press("s")
        await expect(page.locator("#entries")).to_contain_text("1 min")
        await press("p")
        await expect(head).to_contain_text("Waiting for client")
        await press("e")
        await expect(page.locator("#details")).to_contain_text("L2")
        await press("x")
        await expect(head).to_contain_text("Resolved")
        await accessible(page)

        found = await cast.manager.get(f"/tickets/{ticket['id']}")
        assert (found["status"], found["handling_level"]) == ("resolved", "L2")
        assert [one["is_public"] for one in found["messages"]] == [False]
        assert complaints == []
        await page.context.close()


async def test_a_ticket_is_assigned_and_a_new_one_begun_from_the_keyboard(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Handed On")
        ticket, *_ = await tickets_of(cast, company)
        page, complaints = await signed_in(browser, platform, cast.manager.email)
        press = page.keyboard.press
        await page.goto(f"/desk/tickets/{ticket['ref']}")

        await press("a")
        await expect(page.locator("#m-agent")).to_be_focused()
        await page.select_option("#m-agent", value=str(parsed("agent", cast.agent_id)))
        await page.locator("#m-agent").press("Enter")
        await page.get_by_role("button", name="Assign", exact=True).press("Enter")
        await expect(page.locator("#details")).to_contain_text(await my_name(cast))
        await page.goto("/desk/queues")
        await press("c")
        await page.wait_for_url("**/desk/tickets/new*")

        found = await cast.manager.get(f"/tickets/{ticket['id']}")
        assert found["assignee_id"] == cast.agent_id
        assert complaints == []
        await page.context.close()


async def test_keys_are_letters_while_somebody_types_and_in_dialogs(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Typing")
        ticket, *_ = await tickets_of(cast, company)
        page, _ = await signed_in(browser, platform, cast.agent.email)
        await page.goto(f"/desk/tickets/{ticket['ref']}")

        await page.fill("#reply", "")
        await page.locator("#reply").focus()
        await page.keyboard.type("expect it fixed")
        await page.locator("#dur").focus()
        await page.keyboard.type("x")
        await page.locator("h1").click()
        await page.keyboard.press("?")
        await page.keyboard.press("x")
        await page.keyboard.press("Escape")
        await page.keyboard.press("Control+Shift+x")

        await expect(page.locator("#reply")).to_have_value("expect it fixed")
        found = await cast.manager.get(f"/tickets/{ticket['id']}")
        assert found["status"] in ("new", "open")
        assert found["messages"] == []
        await page.context.close()


async def my_name(cast: Cast) -> str:
    """Return what the agent of the story is called."""
    (found,) = [one["name"] for one in (await cast.manager.get("/agents"))["items"] if one["id"] == cast.agent_id]
    return str(found)


async def test_rows_stay_under_the_pointer_until_what_came_is_asked_for(
    browser: Browser, platform: Platform, admin: Api
) -> None:
    async with a_cast(admin) as cast:
        company = await cast.client("Steady")
        first, *_ = await tickets_of(cast, company)
        page, complaints = await signed_in(browser, platform, cast.agent.email)
        await page.goto(f"/desk/queues?client_id={company.id}&sort=updated")
        rows, bar = page.locator("tr[data-href]"), page.get_by_role("button", name="new ticket")
        await expect(page.locator(".live")).to_have_text("Live")
        await expect(rows).to_have_count(3)
        order = await rows.locator("a.title").all_inner_texts()
        await page.keyboard.press("j")

        # A row that stays is kept up to date where it is; one that would stand above all others waits.
        await cast.manager.send(
            "PATCH", f"/tickets/{first['id']}", body={"title": "Printer burns", "priority": "critical"}
        )
        await expect(rows.filter(has_text="Printer burns")).to_contain_text("Critical")
        await expect(page.get_by_role("button", name="The list has changed")).to_be_visible()
        body = {"client_id": company.id, "job_type": "network", "priority": "critical", "level": "L1"}
        await cast.manager.post("/tickets", {**body, "title": "Everything is down"})
        await expect(bar).to_have_text("1 new ticket")
        seen = await rows.locator("a.title").all_inner_texts()
        cursor_at = await cursor(page)
        await cast.manager.post("/tickets", {**body, "title": "So is the telephone"})
        await expect(bar).to_have_text("2 new tickets")
        await accessible(page)
        await page.keyboard.press(".")

        await expect(rows).to_have_count(5)
        await expect(bar).to_be_hidden()
        assert seen == [one.replace("Printer jams", "Printer burns") for one in order]
        assert cursor_at == 0
        assert (await rows.locator("a.title").all_inner_texts())[:3] == [
            "So is the telephone",
            "Everything is down",
            "Printer burns",
        ]
        assert await page.evaluate("document.activeElement.closest('tr[data-href]') !== null"), (
            "the keyboard is in the list"
        )
        assert complaints == []
        await page.context.close()
