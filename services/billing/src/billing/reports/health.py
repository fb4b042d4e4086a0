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

from billing.domain.pricing import PricesMissing, SameSpecificity, Terms, price_sums
from billing.domain.work import Summed
from billing.store import intake, unbilled as store
from msp_kernel.money import half_up
from msp_kit.database import Transaction
from msp_kit.pagination import page_of, position

Row = dict[str, Any]
DSO_DAYS = 90


async def revenue(
    tx: Transaction, *, client_ids: Sequence[UUID], from_on: date, to_on: date
) -> dict[tuple[UUID, str], Row]:
    """Return revenue and overage by client and currency."""
    rows = await tx.fetch(
        "SELECT client_id, currency, sum(net_minor)::bigint AS net FROM invoices WHERE client_id = ANY($1)"
        " AND status = 'issued' AND starts_on >= $2 AND starts_on < $3 GROUP BY client_id, currency",
        client_ids,
        from_on,
        to_on,
    )
    over = await tx.fetch(
        "SELECT i.client_id, i.currency, (sum(l.net_minor) - coalesce(sum((SELECT sum(c.net_minor) FROM credited_lines c"
        "  WHERE c.client_id = l.client_id AND c.invoice_id = l.invoice_id AND c.n = l.n)), 0))::bigint AS net"
        " FROM invoice_lines l JOIN invoices i ON i.client_id = l.client_id AND i.id = l.invoice_id"
        " WHERE l.client_id = ANY($1) AND l.kind = 'overage' AND i.starts_on >= $2 AND i.starts_on < $3"
        " GROUP BY i.client_id, i.currency",
        client_ids,
        from_on,
        to_on,
    )
    overage = {(row["client_id"], row["currency"]): row["net"] for row in over}
    found = {(row["client_id"], row["currency"]): row["net"] for row in rows}
    return {key: {"revenue_minor": net, "overage_minor": overage.get(key, 0)} for key, net in found.items()}


async def worked(tx: Transaction, *, client_ids: Sequence[UUID], from_on: date, to_on: date) -> Sequence[Row]:
    """Return worked and billed minutes of posted work by client, level and currency; days are the client's own."""
    rows = await tx.fetch(
        "SELECT h.client_id, k.currency, h.state->>'level' AS level, sum(h.worked_minutes)::bigint AS worked_minutes,"
        " sum((h.state->>'billed_minutes')::int - coalesce((h.state->>'excluded_minutes')::int, 0))::bigint AS billed_minutes"
        " FROM clients c JOIN hours h USING (client_id)"
        " JOIN (SELECT contract_id, min(state->>'currency') AS currency FROM contract_versions"
        "   WHERE client_id = ANY($1) GROUP BY contract_id) AS k USING (contract_id)"
        " WHERE c.client_id = ANY($1) AND h.status = 'posted' AND h.worked_from >= $2::date::timestamp AT TIME ZONE c.timezone"
        " AND h.worked_from < $3::date::timestamp AT TIME ZONE c.timezone GROUP BY h.client_id, k.currency, level",
        client_ids,
        from_on,
        to_on,
    )
    return [dict(row) for row in rows]


async def days_outstanding(
    tx: Transaction, *, client_ids: Sequence[UUID], on: date
) -> dict[tuple[UUID, str], int | None]:
    """Return the days of sales outstanding; ``None`` when nothing was invoiced in the last 90 days."""
    rows = await tx.fetch(
        "SELECT client_id, currency, sum(open_minor)::bigint AS open_minor,"
        " coalesce(sum(gross_minor) FILTER (WHERE issued_at >= $2::date AND issued_at < $3::date), 0)::bigint AS sold_minor"
        " FROM receivables WHERE client_id = ANY($1) GROUP BY client_id, currency",
        client_ids,
        on - timedelta(days=DSO_DAYS),
        on + timedelta(days=1),
    )
    return {
        (row["client_id"], row["currency"]): half_up(row["open_minor"] * DSO_DAYS, row["sold_minor"])
        if row["sold_minor"] > 0
        else None
        for row in rows
    }


def unbilled(work: Summed, terms: Mapping[tuple[UUID, int], Terms]) -> dict[str, Row]:
    """Return posted work on no invoice by currency, at today's prices; ``None`` where prices are missing."""
    found: dict[str, Row] = {}
    for currency in sorted({of.currency for of in terms.values()}):
        versions = {key for key, of in terms.items() if of.currency == currency}
        mine = {
            ask: minutes for ask, minutes in work.asked.items() if (ask.contract_id, ask.contract_version) in versions
        }
        try:
            net: int | None = sum(line.net.minor for line in price_sums(mine, terms))
        except (PricesMissing, SameSpecificity):
            net = None
        minutes = sum(worked for key, worked in work.worked.items() if key in versions)
        found[currency] = {"minutes": minutes, "net_minor": net}
    return found


async def of_clients(
    tx: Transaction, *, client_ids: Sequence[UUID], from_on: date, to_on: date
) -> dict[UUID, list[Row]]:
    """Return the financial health of clients, one row for each currency; as many questions for fifty as for one."""
    works = await store.waiting_of(tx, client_ids=client_ids, before=tx.now)
    terms = await intake.terms_of_clients(tx, client_ids=client_ids)
    sums = await revenue(tx, client_ids=client_ids, from_on=from_on, to_on=to_on)
    levels = await worked(tx, client_ids=client_ids, from_on=from_on, to_on=to_on)
    outstanding = await days_outstanding(tx, client_ids=client_ids, on=tx.now.date())
    costs = {
        (row["level"], row["currency"]): row["rate_minor"]
        for row in await tx.fetch("SELECT level, currency, rate_minor FROM cost_rates")
    }
    found: dict[UUID, list[Row]] = {}
    for client_id in client_ids:
        waiting = unbilled(works.get(client_id, store.NOTHING).summed, terms.get(client_id, {}))
        own = [row for row in levels if row["client_id"] == client_id]
        billed = {currency for of, currency in sums if of == client_id}
        found[client_id] = [
            {
                "currency": currency,
                **_rates([row for row in own if row["currency"] == currency], sums.get((client_id, currency)), costs),
                "days_sales_outstanding": outstanding.get((client_id, currency)),
                "unbilled_minutes": waiting.get(currency, {}).get("minutes", 0),
                "unbilled_net_minor": waiting.get(currency, {}).get("net_minor", 0),
            }
            for currency in sorted({*billed, *waiting, *(row["currency"] for row in own)})
        ]
    return found


def _rates(levels: Sequence[Row], money: Row | None, costs: Mapping[tuple[str, str], int]) -> Row:
    """Return what a client's hours earned and cost in one currency."""
    made = money or {"revenue_minor": 0, "overage_minor": 0}
    minutes = sum(row["worked_minutes"] for row in levels)
    billed = sum(row["billed_minutes"] for row in levels)
    rates = [costs.get((row["level"], row["currency"])) for row in levels]
    cost = (
        sum(half_up(row["worked_minutes"] * (rate or 0), 60) for row, rate in zip(levels, rates, strict=True))
        if None not in rates
        else None
    )
    return {
        **made,
        "worked_minutes": minutes,
        "billed_minutes": billed,
        "effective_hourly_rate_minor": half_up(made["revenue_minor"] * 60, minutes) if minutes else None,
        "realisation_basis_points": half_up(billed * 10_000, minutes) if minutes else None,
        "cost_minor": cost,
        "margin_minor": None if cost is None else made["revenue_minor"] - cost,
    }


async def of_all(
    tx: Transaction, *, from_on: date, to_on: date, limit: int, after: str | None
) -> tuple[Sequence[Row], str | None]:
    """Return a page of clients by name with their financial health.

    Raises:
        BadCursor: ``after`` is not a cursor of this list.
    """
    here = position(after, of=2)
    rows = await tx.fetch(
        "SELECT client_id, name FROM clients WHERE $1::text IS NULL OR (name, client_id::text) > ($1, $2)"
        " ORDER BY name, client_id::text LIMIT $3",
        *((str(here[0]), str(here[1])) if here else (None, None)),
        limit + 1,
    )
    page, cursor = page_of(rows, limit=limit, key=lambda row: (row["name"], str(row["client_id"])))
    found = await of_clients(tx, client_ids=[row["client_id"] for row in page], from_on=from_on, to_on=to_on)
    listed = [
        {"client_id": row["client_id"], "client_name": row["name"], "currencies": found[row["client_id"]]}
        for row in page
    ]
    return listed, cursor
