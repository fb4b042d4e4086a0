"""Whether a client pays off: revenue, overage, rate, realisation, margin, days of sales outstanding, unbilled work.

Definitions. Revenue: net of invoices and credit notes whose period begins in the range. Effective hourly rate: revenue per
worked hour. Realisation: billed minutes that are not excluded, per worked minute. Margin: revenue minus worked hours at the
cost of their level; unknown as long as a level has no cost. Days of sales outstanding: what is open, per what was invoiced
in the last 90 days, in days. Unbilled work: posted work on no invoice, at today's prices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from billing.domain.pricing import PricesMissing, SameSpecificity, Terms, Work, price_work
from billing.store import intake
from msp_kernel.money import half_up
from msp_kernel.periods import midnight
from msp_kit.database import Transaction

Row = dict[str, Any]
DSO_DAYS = 90


async def revenue(tx: Transaction, *, client_id: UUID, from_on: date, to_on: date) -> dict[str, Row]:
    """Return revenue and overage of a client by currency."""
    rows = await tx.fetch(
        "SELECT currency, sum(net_minor)::bigint AS net FROM invoices WHERE client_id = $1 AND status = 'issued'"
        " AND starts_on >= $2 AND starts_on < $3 GROUP BY currency",
        client_id,
        from_on,
        to_on,
    )
    over = await tx.fetch(
        "SELECT i.currency, (sum(l.net_minor) - coalesce(sum((SELECT sum(c.net_minor) FROM credited_lines c"
        "  WHERE c.client_id = l.client_id AND c.invoice_id = l.invoice_id AND c.n = l.n)), 0))::bigint AS net"
        " FROM invoice_lines l JOIN invoices i ON i.client_id = l.client_id AND i.id = l.invoice_id"
        " WHERE l.client_id = $1 AND l.kind = 'overage' AND i.starts_on >= $2 AND i.starts_on < $3 GROUP BY i.currency",
        client_id,
        from_on,
        to_on,
    )
    overage = {row["currency"]: row["net"] for row in over}
    return {
        row["currency"]: {"revenue_minor": row["net"], "overage_minor": overage.get(row["currency"], 0)} for row in rows
    }


async def worked(tx: Transaction, *, client_id: UUID, from_on: date, to_on: date) -> Sequence[Row]:
    """Return worked and billed minutes of a client's posted work by level and currency."""
    zone = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id) or "UTC"
    rows = await tx.fetch(
        "SELECT k.currency, h.state->>'level' AS level, sum(h.worked_minutes)::bigint AS worked_minutes,"
        " sum((h.state->>'billed_minutes')::int - coalesce((h.state->>'excluded_minutes')::int, 0))::bigint AS billed_minutes"
        " FROM hours h JOIN (SELECT contract_id, min(state->>'currency') AS currency FROM contract_versions"
        "   WHERE client_id = $1 GROUP BY contract_id) AS k USING (contract_id)"
        " WHERE h.client_id = $1 AND h.status = 'posted' AND h.worked_from >= $2 AND h.worked_from < $3"
        " GROUP BY k.currency, level",
        client_id,
        midnight(from_on, zone),
        midnight(to_on, zone),
    )
    return [dict(row) for row in rows]


async def days_outstanding(tx: Transaction, *, client_id: UUID, on: date) -> dict[str, int | None]:
    """Return the days of sales outstanding by currency; ``None`` when nothing was invoiced in the last 90 days."""
    rows = await tx.fetch(
        "SELECT currency, sum(open_minor)::bigint AS open_minor,"
        " coalesce(sum(gross_minor) FILTER (WHERE issued_at >= $2::date AND issued_at < $3::date), 0)::bigint AS sold_minor"
        " FROM receivables WHERE client_id = $1 GROUP BY currency",
        client_id,
        on - timedelta(days=DSO_DAYS),
        on + timedelta(days=1),
    )
    return {
        row["currency"]: half_up(row["open_minor"] * DSO_DAYS, row["sold_minor"]) if row["sold_minor"] > 0 else None
        for row in rows
    }


def unbilled(works: Sequence[Work], terms: Mapping[tuple[UUID, int], Terms]) -> dict[str, Row]:
    """Return posted work on no invoice by currency, at today's prices; ``None`` where prices are missing."""
    found: dict[str, Row] = {}
    for currency in sorted({of.currency for of in terms.values()}):
        versions = {key for key, of in terms.items() if of.currency == currency}
        mine = [work for work in works if (work.contract_id, work.contract_version) in versions]
        try:
            net: int | None = sum(line.net.minor for line in price_work(mine, terms))
        except (PricesMissing, SameSpecificity):
            net = None
        found[currency] = {"minutes": sum(work.worked_minutes for work in mine), "net_minor": net}
    return found


async def of_client(tx: Transaction, *, client_id: UUID, from_on: date, to_on: date) -> Sequence[Row]:
    """Return the financial health of a client, one row for each currency."""
    works = await intake.uninvoiced_works(tx, client_id=client_id, before=tx.now)
    terms = await intake.terms_of_client(tx, client_id=client_id)
    sums = await revenue(tx, client_id=client_id, from_on=from_on, to_on=to_on)
    levels = await worked(tx, client_id=client_id, from_on=from_on, to_on=to_on)
    outstanding = await days_outstanding(tx, client_id=client_id, on=tx.now.date())
    waiting = unbilled(works, terms)
    costs = {
        (row["level"], row["currency"]): row["rate_minor"]
        for row in await tx.fetch("SELECT level, currency, rate_minor FROM cost_rates")
    }
    found = []
    for currency in sorted({*sums, *waiting, *(row["currency"] for row in levels)}):
        mine = [row for row in levels if row["currency"] == currency]
        money = sums.get(currency, {"revenue_minor": 0, "overage_minor": 0})
        minutes = sum(row["worked_minutes"] for row in mine)
        billed = sum(row["billed_minutes"] for row in mine)
        rates = [costs.get((row["level"], currency)) for row in mine]
        cost = (
            sum(half_up(row["worked_minutes"] * (rate or 0), 60) for row, rate in zip(mine, rates, strict=True))
            if None not in rates
            else None
        )
        found.append(
            {
                "currency": currency,
                **money,
                "worked_minutes": minutes,
                "billed_minutes": billed,
                "effective_hourly_rate_minor": half_up(money["revenue_minor"] * 60, minutes) if minutes else None,
                "realisation_basis_points": half_up(billed * 10_000, minutes) if minutes else None,
                "cost_minor": cost,
                "margin_minor": None if cost is None else money["revenue_minor"] - cost,
                "days_sales_outstanding": outstanding.get(currency),
                "unbilled_minutes": waiting.get(currency, {}).get("minutes", 0),
                "unbilled_net_minor": waiting.get(currency, {}).get("net_minor", 0),
            }
        )
    return found
