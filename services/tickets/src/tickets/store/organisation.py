"""Queues, routing rules, agents, and the terms a client's tickets are held to."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

from msp_kernel.ids import new_id
from msp_kit.database import Transaction
from tickets.domain.assignment import Candidate
from tickets.domain.routing import Request, RoutingRule
from tickets.domain.scope import Terms

_RULE = "id::text AS id, position, job_types, levels, priorities, client_ids, words, tags, queue"
TRIED_MAX = 20_000
"""Tickets that a dry run looks at, the newest."""
TERMS = tuple(field.name for field in fields(Terms))
_TERMS = ", ".join(TERMS)
_ALL_LEVELS, _FULL_WEEK_MINUTES = ("L1", "L2", "L3", "SA"), 2400


def terms_of(row: Mapping[str, Any]) -> Terms:
    """Return the terms in a row that has their columns, among others or alone."""
    values = {name: row[name] for name in TERMS}
    return Terms(**{**values, "job_types": tuple(values["job_types"]), "levels": tuple(values["levels"])})


async def terms_of_client(tx: Transaction, *, client_id: UUID) -> list[Terms]:
    """Return the active contracts of a client, by ref."""
    rows = await tx.fetch(
        f"SELECT {_TERMS} FROM contracts WHERE client_id = $1 AND status = 'active' ORDER BY ref", client_id
    )
    return [terms_of(row) for row in rows]


async def terms_of_contract(tx: Transaction, *, contract_id: UUID) -> Terms | None:
    """Return the terms of one contract."""
    row = await tx.fetchrow(f"SELECT {_TERMS} FROM contracts WHERE contract_id = $1", contract_id)
    return None if row is None else terms_of(row)


async def terms_of_contracts(tx: Transaction, *, contract_ids: Collection[UUID]) -> dict[UUID, Terms]:
    """Return the terms of contracts, by id."""
    rows = await tx.fetch(f"SELECT {_TERMS} FROM contracts WHERE contract_id = ANY($1)", list(contract_ids))
    return {row["contract_id"]: terms_of(row) for row in rows}


async def timezone_of(tx: Transaction, *, client_id: UUID) -> str | None:
    """Return the zone of a client, ``None`` when it is not known."""
    found: str | None = await tx.fetchval("SELECT timezone FROM clients WHERE client_id = $1", client_id)
    return found


async def client_of_code(tx: Transaction, *, code: str) -> UUID | None:
    """Return the client with a code."""
    found: UUID | None = await tx.fetchval("SELECT client_id FROM clients WHERE code = $1", code)
    return found


async def add_queue(tx: Transaction, *, key: str, name: str) -> bool:
    """Save a queue; return whether it is new."""
    return bool(
        await tx.fetchval("INSERT INTO queues VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING true", key, name)
    )


async def queue_keys(tx: Transaction) -> set[str]:
    """Return the keys of all queues."""
    return {row["key"] for row in await tx.fetch("SELECT key FROM queues")}


async def routing_rules(tx: Transaction) -> list[RoutingRule]:
    """Return all routing rules by position."""
    rows = await tx.fetch(f"SELECT {_RULE} FROM routing_rules ORDER BY position")
    return [_rule(row) for row in rows]


def _rule(row: object) -> RoutingRule:
    values = dict(row)  # type: ignore[call-overload]
    given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    return RoutingRule(**given)


async def save_routing_rule(tx: Transaction, rule: RoutingRule) -> bool:
    """Save a rule; ``False`` when its position is taken or its queue unknown."""
    return bool(
        await tx.fetchval(
            "INSERT INTO routing_rules AS r (id, position, job_types, levels, priorities, client_ids, words, tags, queue)"
            " SELECT $1::uuid, $2, $3, $4, $5, $6, $7, $8, key FROM queues WHERE key = $9"
            " AND NOT EXISTS (SELECT FROM routing_rules WHERE position = $2 AND id <> $1::uuid)"
            " ON CONFLICT (id) DO UPDATE SET position = $2, job_types = $3, levels = $4, priorities = $5, client_ids = $6,"
            " words = $7, tags = $8, queue = $9 RETURNING true",
            rule.id,
            rule.position,
            list(rule.job_types),
            list(rule.levels),
            list(rule.priorities),
            list(rule.client_ids),
            list(rule.words),
            list(rule.tags),
            rule.queue,
        )
    )


async def delete_routing_rule(tx: Transaction, *, rule_id: UUID) -> bool:
    """Delete a rule; return whether it was there."""
    return bool(await tx.fetchval("DELETE FROM routing_rules WHERE id = $1 RETURNING true", rule_id))


async def lock_routing_rules(tx: Transaction) -> None:
    """Let one transaction at a time change the rules: whether one can match depends on all of them."""
    await tx.driver.execute("LOCK TABLE routing_rules IN SHARE ROW EXCLUSIVE MODE")


async def job_type_codes(tx: Transaction) -> set[str]:
    """Return the codes of the catalogue of job types."""
    return {row["code"] for row in await tx.fetch("SELECT code FROM job_types")}


async def add_agent(tx: Transaction, agent: Candidate, *, person_id: UUID | None, takes_tickets: bool = True) -> bool:
    """Save an agent; ``False`` when the person is an agent already."""
    return bool(
        await tx.fetchval(
            "INSERT INTO agents (id, person_id, name, levels, skills, queues, weekly_minutes, takes_tickets)"
            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING RETURNING true",
            agent.id,
            person_id,
            agent.name,
            list(agent.levels),
            list(agent.skills),
            list(agent.queues),
            agent.weekly_minutes,
            takes_tickets,
        )
    )


async def agent_of_person(tx: Transaction, *, person_id: UUID, name: str) -> tuple[UUID, str]:
    """Return id and name of the agent a person is; a staff person without a record becomes one that takes no tickets."""
    row = await tx.fetchrow("SELECT id, name FROM agents WHERE person_id = $1", person_id)
    if row is None:
        await add_agent(tx, _newcomer(new_id(), name), person_id=person_id, takes_tickets=False)
        row = await tx.fetchrow("SELECT id, name FROM agents WHERE person_id = $1", person_id)
    assert row is not None
    return row["id"], row["name"]


def _newcomer(agent_id: UUID, name: str) -> Candidate:
    """Return an agent of whom nothing is known but the name; tickets are given to them once somebody says so."""
    return Candidate(agent_id, name, _ALL_LEVELS, (), (), _FULL_WEEK_MINUTES)


async def agent_name(tx: Transaction, *, agent_id: UUID) -> str | None:
    """Return the name of an agent, ``None`` for an unknown one."""
    name: str | None = await tx.fetchval("SELECT name FROM agents WHERE id = $1 AND is_active", agent_id)
    return name


async def persons_of_agents(tx: Transaction, agent_ids: Sequence[UUID]) -> dict[UUID | None, UUID]:
    """Return the people agents sign in as; agents without an account are left out."""
    rows = await tx.fetch("SELECT id, person_id FROM persons_of_agents($1)", agent_ids)
    return {row["id"]: row["person_id"] for row in rows}


async def staff_names(tx: Transaction) -> dict[UUID, str]:
    """Return the names of staff who can sign in."""
    rows = await tx.fetch(
        "SELECT person_id, display_name FROM people WHERE kind = 'staff' AND is_active ORDER BY person_id"
    )
    return {row["person_id"]: row["display_name"] for row in rows}


async def agents_named(tx: Transaction, names: Sequence[str]) -> dict[str, UUID]:
    """Return agents by name; names nobody has yet become agents (imported history names people who left long ago)."""
    # Two imports at once would both make the same new agent.
    await tx.fetchval("SELECT pg_advisory_xact_lock(7240)")
    rows = await tx.fetch(
        "SELECT DISTINCT ON (name) name, id FROM agents WHERE name = ANY($1) ORDER BY name, id", names
    )
    found = {row["name"]: row["id"] for row in rows}
    for name in sorted(set(names) - set(found)):
        found[name] = new_id()
        await add_agent(tx, _newcomer(found[name], name), person_id=None, takes_tickets=False)
    return found


async def raised_since(tx: Transaction, *, since: datetime) -> list[tuple[str, str, Request]]:
    """Return ref, first queue and what rules look at of the tickets raised since an instant, newest first."""
    rows = await tx.fetch(
        """
        SELECT t.ref, t.client_id, t.job_type, t.level, t.priority, t.title, t.description, t.tags, t.queue
          FROM tickets t WHERE t.raised_at >= $1 ORDER BY t.raised_at DESC, t.id LIMIT $2
        """,
        since,
        TRIED_MAX,
    )
    return [
        (
            row["ref"],
            row["queue"],
            Request(
                job_type=row["job_type"],
                level=row["level"],
                priority=row["priority"],
                client_id=row["client_id"],
                text=f"{row['title']}\n{row['description']}",
                tags=tuple(row["tags"]),
            ),
        )
        for row in rows
    ]


async def names_of_agents(tx: Transaction) -> set[str]:
    """Return the names of all agents."""
    return {row["name"] for row in await tx.fetch("SELECT name FROM agents")}
