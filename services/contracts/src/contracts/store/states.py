"""The public state of what is stored, as events and answers carry it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from contracts.domain.allocation import Part
from msp_events.base import Span
from msp_events.contracts import ContractState

Row = Mapping[str, Any]


def span(part: Part) -> Span:
    """Return a part of a split as the span that events and answers carry."""
    demand = part.demand
    return Span(
        condition=demand.condition,
        starts_at=demand.starts_at,
        worked_minutes=demand.worked_minutes,
        billed_minutes=demand.billed_minutes,
        bucket_billed_minutes=part.bucket_billed_minutes,
        bucket_minutes=part.bucket_minutes,
        overage_minutes=part.overage_minutes,
        time_and_materials_minutes=demand.billed_minutes if demand.route == "time_and_materials" else 0,
        excluded_minutes=demand.worked_minutes if demand.route == "excluded" else 0,
        weight_percent=demand.weight_percent,
        rule_ids=demand.rule_ids,
    )


def contract_state(head: Row, version: Row, of_contract: Sequence[Row]) -> dict[str, Any]:
    """Return the public state of a contract from its rows."""
    whole = {
        **version["terms"],
        **head,
        "contract_id": head["id"],
        "effective_from": version["effective_from"],
        "version": version["version"],
    }
    whole["fixed_items"] = [*version["terms"]["fixed_items"], *items_of(head, version["terms"], of_contract)]
    return {name: whole[name] for name in ContractState.model_fields if name in whole}


def items_of(head: Row, terms: Row, of_contract: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what a contract's funding costs: each purchase once, a retainer's fee each month."""
    if head["kind"] == "retainer":
        if not terms["grant_price_minor"]:
            return []
        fee = {"item_id": "retainer", "text": f"Retainer, {_hours_text(terms['grant_minutes'])} a month", "quantity": 1}
        return [
            {**fee, "unit_minor": terms["grant_price_minor"], "frequency": "monthly", "starts_on": head["starts_on"]},
            *(_item_of(lot) for lot in of_contract if lot["origin"] == "top_up" and lot["price_minor"]),
        ]
    return [_item_of(lot) for lot in of_contract if lot["price_minor"]]


def _item_of(lot: Row) -> dict[str, Any]:
    word = "Top-up" if lot["origin"] == "top_up" else "Bucket"
    return {
        "item_id": f"lot:{lot['id']}",
        "text": f"{word} of {_hours_text(lot['minutes'])}",
        "quantity": 1,
        "unit_minor": lot["price_minor"],
        "frequency": "once",
        "starts_on": lot["valid_from"],
    }


def _hours_text(minutes: int) -> str:
    whole, rest = divmod(minutes, 60)
    return f"{whole} h" if rest == 0 else f"{whole} h {rest} min"
