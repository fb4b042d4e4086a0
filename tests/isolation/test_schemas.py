"""What the databases themselves forbid, read from their catalogues: policies, grants, and keys that cannot cross clients."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest
from neighbours import SERVICES

from msp_kit.testing import drop_database, fresh_database, superuser_url

DEFINERS = {"portal_gateway": {"chain_audit", "check_receiver"}, "tickets": {"persons_of_agents"}}
"""Functions that run with their owner's rights, each for a reason said where it is made."""


async def catalogue(service: str, query: str) -> list[Any]:
    module = SERVICES[service]
    made = await fresh_database(database=module, module=module)
    connection = await asyncpg.connect(superuser_url(made))
    try:
        rows: list[Any] = await connection.fetch(query)
        return rows
    finally:
        await connection.close()
        await drop_database(made)


@pytest.mark.parametrize("service", SERVICES)
async def test_rows_of_clients_are_locked_for_everybody_and_owned_by_no_login(service: str) -> None:
    rows = await catalogue(
        service,
        """
        SELECT c.oid::regclass::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS is_locked,
               (SELECT array_agg(DISTINCT r::regrole::text) FROM pg_policy p, unnest(p.polroles) r WHERE p.polrelid = c.oid) AS roles,
               a.attnotnull AS is_named, c.relowner::regrole::text AS owner
          FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'client_id' AND NOT a.attisdropped
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace AND c.relname <> 'client_names'
        """,
    )
    database = SERVICES[service]

    assert rows
    for row in rows:
        assert row["is_locked"], row["name"]
        assert row["is_named"], row["name"]
        assert row["owner"] == f"{database}_owner", row["name"]
        assert {f"{database}_client", f"{database}_staff"} <= set(row["roles"] or ()), row["name"]
        assert "-" not in row["roles"], f"{row['name']}: no policy for everybody"


@pytest.mark.parametrize("service", SERVICES)
async def test_clients_may_read_only_what_is_locked(service: str) -> None:
    rows = await catalogue(
        service,
        f"""
        SELECT c.oid::regclass::text AS name, c.relrowsecurity AND c.relforcerowsecurity AS is_locked
          FROM pg_class c
         WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace
           AND EXISTS (SELECT FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attname IN ('client_id', 'of_client_id'))
           AND has_any_column_privilege('{SERVICES[service]}_client', c.oid, 'SELECT, INSERT, UPDATE, REFERENCES')
        """,
    )

    assert [row["name"] for row in rows if not row["is_locked"]] == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_key_between_rows_of_clients_names_the_client(service: str) -> None:
    """A plain foreign key is checked past row-level security: who could write it could point at the row of another client.

    One that does not name the client is for tables only the service itself writes.
    """
    rows = await catalogue(
        service,
        f"""
        WITH owned AS (SELECT attrelid, attnum FROM pg_attribute WHERE attname = 'client_id' AND NOT attisdropped)
        SELECT k.conrelid::regclass::text AS name, k.conname AS key,
               has_any_column_privilege('{SERVICES[service]}_client', k.conrelid, 'INSERT, UPDATE') AS is_writable
          FROM pg_constraint k
          JOIN owned child ON child.attrelid = k.conrelid
          JOIN owned parent ON parent.attrelid = k.confrelid
         WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid::regclass::text <> 'clients'
           AND NOT EXISTS (SELECT FROM unnest(k.conkey, k.confkey) AS pair (mine, theirs)
                            WHERE pair.mine = child.attnum AND pair.theirs = parent.attnum)
         ORDER BY 1, 2
        """,
    )

    assert [f"{row['name']}: {row['key']}" for row in rows if row["is_writable"]] == []


@pytest.mark.parametrize("service", SERVICES)
async def test_no_login_owns_anything_bypasses_anything_or_borrows_rights(service: str) -> None:
    database = SERVICES[service]
    logins = await catalogue(
        service,
        f"""
        SELECT r.rolname AS name, r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolcreatedb AS is_mighty,
               EXISTS (SELECT FROM pg_class c WHERE c.relowner = r.oid) AS owns
          FROM pg_roles r WHERE r.rolname IN ('{database}_app', '{database}_client', '{database}_staff')
        """,
    )
    definers = await catalogue(
        service,
        f"""
        SELECT p.proname AS name FROM pg_proc p JOIN pg_namespace s ON s.oid = p.pronamespace
         WHERE p.prosecdef AND s.nspname = 'public' AND has_function_privilege('{database}_client', p.oid, 'EXECUTE')
        """,
    )
    views = await catalogue(
        service,
        """
        SELECT c.oid::regclass::text AS name FROM pg_class c
         WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace
           AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)
        """,
    )

    assert len(logins) == 3
    assert [row["name"] for row in logins if row["is_mighty"] or row["owns"]] == []
    assert {row["name"] for row in definers} <= DEFINERS.get(database, set())
    assert [row["name"] for row in views] == [], "WITH (security_invoker = true)"
