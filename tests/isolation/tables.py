"""What the databases of all services hold, so that what was refused can be shown to have changed nothing."""

from __future__ import annotations

import asyncpg
from matrix import Stage

WRITTEN_BY_ASKING = {
    "sessions",
    "api_keys",
    "sign_in_failures",
    "audit",
    "audit_head",
    "challenges",
    "half_sign_ins",
    "mails",
    "reset_asks",
}


async def written(stage: Stage) -> dict[str, str]:
    """Return a digest of every table of every service, without what asking alone leaves behind."""
    found: dict[str, str] = {}
    for service in stage.n.services.values():
        connection = await asyncpg.connect(service.superuser_url)
        try:
            tables = await connection.fetch(
                "SELECT c.oid::regclass::text AS name FROM pg_class c"
                " WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace"
            )
            for (name,) in [*tables, ("bus.event_log",)]:
                if name.strip('"') not in WRITTEN_BY_ASKING:
                    found[f"{service.name}.{name}"] = await connection.fetchval(
                        f"SELECT count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
                    )
        finally:
            await connection.close()
    return found
