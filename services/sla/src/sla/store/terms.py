"""Clients, and the SLA terms of contract versions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any
from uuid import UUID

from msp_kernel.business_time import Calendar
from msp_kit.database import Transaction
from sla.domain.targets import CreditRule, EscalationStep, Flags, Rule, Terms
from sla.store.text import json_text

TermsKey = tuple[UUID, int]
TERMS_CACHED_MAX = 20_000
_terms_cache: dict[TermsKey, Terms] = {}
"""Terms of a version never change, so every process may keep them."""


async def save_client(tx: Transaction, *, client_id: UUID, code: str, name: str, timezone: str, revision: int) -> None:
    """Keep the newest state of a client."""
    await tx.driver.execute(
        "INSERT INTO clients (client_id, code, name, timezone, revision) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (client_id) DO UPDATE SET code = excluded.code, name = excluded.name,"
        " timezone = excluded.timezone, revision = excluded.revision WHERE clients.revision < excluded.revision",
        client_id,
        code,
        name,
        timezone,
        revision,
    )


async def save_contract(
    tx: Transaction, *, contract_id: UUID, client_id: UUID, currency: str, ends_on: date | None, revision: int
) -> None:
    """Keep the newest state of a contract."""
    await tx.driver.execute(
        "INSERT INTO contracts (contract_id, client_id, currency, ends_on, revision) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (contract_id) DO UPDATE SET currency = excluded.currency, ends_on = excluded.ends_on,"
        " revision = excluded.revision WHERE contracts.revision < excluded.revision",
        contract_id,
        client_id,
        currency,
        ends_on,
        revision,
    )


async def save_terms(
    tx: Transaction, terms: Terms, *, ref: str, effective_from: date, document: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Keep the terms of a contract version and return what is kept: the terms that were said first."""
    kept: Mapping[str, Any] = await tx.fetchval(
        "WITH said AS ("
        " INSERT INTO terms (contract_id, version, client_id, ref, effective_from, terms)"
        " VALUES ($1, $2, $3, $4, $5, $6::jsonb) ON CONFLICT DO NOTHING RETURNING terms)"
        " SELECT terms FROM said UNION ALL SELECT terms FROM terms WHERE contract_id = $1 AND version = $2 LIMIT 1",
        terms.contract_id,
        terms.version,
        terms.client_id,
        ref,
        effective_from,
        json_text(document),
    )
    return kept


async def terms_of(tx: Transaction, wanted: Iterable[TermsKey]) -> Mapping[TermsKey, Terms]:
    """Return the terms that are known of the wanted contract versions."""
    keys = set(wanted)
    missing = [key for key in keys if key not in _terms_cache]
    if missing:
        rows = await tx.fetch(
            "SELECT contract_id, version, client_id, terms FROM terms"
            " JOIN unnest($1::uuid[], $2::int[]) AS w (contract_id, version) USING (contract_id, version)",
            [contract_id for contract_id, _ in missing],
            [version for _, version in missing],
        )
        if len(_terms_cache) + len(rows) > TERMS_CACHED_MAX:
            _terms_cache.clear()
            return await terms_of(tx, keys)
        for row in rows:
            key = (row["contract_id"], row["version"])
            _terms_cache[key] = terms_from(*key, client_id=row["client_id"], document=row["terms"])
    return {key: _terms_cache[key] for key in keys if key in _terms_cache}


async def terms_in_force(tx: Transaction, contract_id: UUID) -> Terms | None:
    """Return the terms that a contract has today, on the client's day; ``None`` when it has none the caller may see."""
    version = await tx.fetchval(
        "SELECT version FROM terms LEFT JOIN clients USING (client_id) WHERE contract_id = $1"
        " AND effective_from <= ($2::timestamptz AT TIME ZONE coalesce(timezone, 'UTC'))::date"
        " ORDER BY effective_from DESC, version DESC LIMIT 1",
        contract_id,
        tx.now,
    )
    if version is None:
        return None
    return (await terms_of(tx, {(contract_id, version)}))[contract_id, version]


def terms_from(contract_id: UUID, version: int, *, client_id: UUID, document: Mapping[str, Any]) -> Terms:
    """Read the SLA part of a contract version.

    Raises:
        CalendarWithoutHours, UnknownTimezone, BadWindow, BadDay: the calendar is none.
    """
    quiet = document.get("quiet_hours")
    zone = document["calendar"]["timezone"]
    return Terms(
        contract_id=contract_id,
        version=version,
        client_id=client_id,
        calendar=Calendar.from_json(document["calendar"]),
        rules=tuple(
            Rule(
                rule_id=rule["rule_id"],
                metric=rule["metric"],
                priority=rule["priority"],
                level=rule["level"],
                job_type=rule["job_type"],
                budget_minutes=rule["budget_minutes"],
                flags=Flags(rule["after_hours"], rule["weekends"], rule["holidays"]),
            )
            for rule in document["targets"]
        ),
        thresholds_percent=tuple(document["thresholds_percent"]),
        escalation=tuple(
            EscalationStep(
                step=one["step"],
                metric=one["metric"],
                at_percent=one["at_percent"],
                to_level=one["to_level"],
                to_queue=one.get("to_queue"),
                to_priority=one.get("to_priority"),
                notify=tuple(one["notify"]),
            )
            for one in document["escalation"]
        ),
        pausing_statuses=frozenset(document["pausing_statuses"]),
        first_response_pauses=document["first_response_pauses"],
        quiet=Calendar.from_json({"timezone": zone, "weekly": quiet}) if quiet and any(quiet.values()) else None,
        credits=tuple(CreditRule(**one) for one in document.get("sla_credits", ())),
    )
