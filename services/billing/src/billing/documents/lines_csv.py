"""An invoice as CSV: one row per line, and one per time entry behind it. Cells cannot start a formula in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

from msp_kernel.money import Money

COLUMNS = (
    "invoice", "line", "kind", "contract", "text", "worked_from", "agent", "note", "minutes", "quantity", "unit", "net",
    "tax", "tax_category", "tax_percent", "currency",
)  # fmt: skip


def safe(text: str) -> str:
    """Return a text no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def render(content: Mapping[str, Any]) -> str:
    """Return the lines of an invoice, each followed by its entries."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\r\n")
    rows.writerow(COLUMNS)
    entries = {one["time_entry_id"]: one for one in content["entries"]}
    currency = content["currency"]
    for line in content["lines"]:
        rows.writerow(
            (
                content.get("number") or "",
                line["n"],
                line["kind"],
                safe(line.get("ref", "")),
                safe(line["text"]),
                "",
                "",
                "",
                line["quantity_minutes"] if line["quantity_minutes"] is not None else "",
                line["quantity"] if line["quantity"] is not None else "",
                Money(line["unit_minor"], currency),
                Money(line["net_minor"], currency),
                Money(line.get("tax_minor", 0), currency),
                line["tax_category"],
                f"{line['tax_rate_basis_points'] // 100}.{line['tax_rate_basis_points'] % 100:02}",
                currency,
            )
        )
        for behind in line["entries"]:
            entry = entries[behind["time_entry_id"]]
            rows.writerow(
                (
                    content.get("number") or "",
                    line["n"],
                    "entry",
                    safe(line.get("ref", "")),
                    f"{entry['job_type']}, {entry['level']}",
                    entry["worked_from"],
                    safe(entry["agent_name"]),
                    safe(entry["note"]),
                    behind["minutes"],
                    *([""] * 6),
                    currency,
                )
            )
    return out.getvalue()
