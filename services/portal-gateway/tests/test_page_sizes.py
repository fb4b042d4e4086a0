"""Pages of billing with the data of sixty clients with long names: light enough for a slow line."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from billing_shapes import AGE, HEALTH, OWED, RUN
from upstream import Pages

BYTES_MAX = 60_000
CLIENTS = [
    {"id": str(UUID(int=1000 + n)), "code": f"CL{n:03}", "name": f"Vereinigte Anlagentechnik Gesellschaft {n} mbH & Co. KG",
     "currency": "EUR"}
    for n in range(60)
]  # fmt: skip
RATES = [
    {"rule_id": f"r{n}", "job_type": f"category_{n % 12}", "level": ("L1", "L2", "L3", "SA")[n % 4],
     "condition": "after_hours", "rate_minor": 12_000 + n}
    for n in range(20)
]  # fmt: skip
CARD: dict[str, Any] = {
    "id": RUN,
    "name": "Standard 2026",
    "currency": "EUR",
    "rates": RATES,
    "overage_rates": RATES[:8],
}
VERSIONS = [{**CARD, "version": n} for n in range(1, 7)]


@pytest.fixture
def seen(house: Pages) -> Pages:
    def listed(items: list[dict[str, Any]]) -> Any:
        return lambda query: {"items": items[: int(query.get("limit", 200))], "next": "x"}

    house.upstream.answers |= {
        "/tickets/counts": {"open": 1, "unassigned": 0},
        "/clients": listed(CLIENTS),
        "/job-types": listed([{"code": f"category_{n}", "name": f"Category number {n}"} for n in range(12)]),
        f"/rate-cards/{RUN}/versions": {"items": VERSIONS, "next": None},
        "/rate-cards": listed([{**VERSIONS[0], "id": one["id"]} for one in CLIENTS]),
        "/seller": {"name": "Meridian IT Ltd"},
        "/cost-rates": {"rates": []},
        "/receivables/ageing": listed([{**AGE, "client_name": one["name"]} for one in CLIENTS]),
        "/receivables": listed([{**OWED, "client_name": one["name"]} for one in CLIENTS]),
        "/financial-health": listed(
            [{"client_id": one["id"], "client_name": one["name"], "currencies": [HEALTH]} for one in CLIENTS]
        ),
    }
    return house


@pytest.mark.parametrize(
    "path",
    [
        f"/desk/admin/rate-cards/{RUN}", "/desk/admin/rate-cards", "/desk/admin/billing", "/desk/billing/receivables",
        "/desk/billing/health", "/desk/billing/payments/new",
    ],
)  # fmt: skip
async def test_a_page_stays_light(seen: Pages, path: str) -> None:
    answer = await seen.get(path)

    assert (answer.status_code, len(answer.content) < BYTES_MAX) == (200, True), len(answer.content)


async def test_one_earlier_version_of_a_rate_card_is_told_and_the_others_are_links(seen: Pages) -> None:
    newest = (await seen.get(f"/desk/admin/rate-cards/{RUN}")).text
    asked = (await seen.get(f"/desk/admin/rate-cards/{RUN}?version=2")).text
    strange = (await seen.get(f"/desk/admin/rate-cards/{RUN}?version=99")).text

    for page, told in ((newest, 5), (asked, 2), (strange, 5)):
        assert page.count("<details") == 1
        assert f"<summary>Version {told}, 28 rates</summary>" in page
        assert page.count('href="?version=') == 4


async def test_every_field_of_a_rate_has_its_name_by_what_stands_around_it(seen: Pages) -> None:
    page = (await seen.get(f"/desk/admin/rate-cards/{RUN}")).text

    for part in ("rates", "overage_rates"):
        for field, column in (("job_type", "j"), ("level", "l"), ("condition", "c"), ("price", "p")):
            assert f'name="{part}-3-{field}"' in page
            assert f'aria-labelledby="{part} {part}-3 {part}-{column}"' in page
        for named in (part, f"{part}-3", f"{part}-j", f"{part}-l", f"{part}-c", f"{part}-p"):
            assert page.count(f'id="{named}"') == 1, named
