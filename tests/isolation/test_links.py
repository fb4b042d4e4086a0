"""Links that need no account open nothing but what they were made for, and only while they are good."""

from __future__ import annotations

import links
from matrix import Stage


async def test_only_a_good_link_shows_an_invoice_and_only_that_one(stage: Stage) -> None:
    report = await links.hosted(stage, await links.links(stage))

    stage.report.add(report)
    assert report.failures == []


async def test_links_of_mails_that_were_never_sent_do_nothing(stage: Stage) -> None:
    report = await links.mail_links(stage)

    stage.report.add(report)
    assert report.failures == []
