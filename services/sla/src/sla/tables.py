"""The shape of the database, for the statements in ``store`` and ``reports``; the migrations create it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, MetaData, SmallInteger, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

metadata = MetaData()
_INSTANT = DateTime(timezone=True)

clients = Table(
    "clients",
    metadata,
    Column("client_id", Uuid, primary_key=True),
    Column("code", Text),
    Column("name", Text),
    Column("timezone", Text),
    Column("revision", Integer),
)

terms = Table(
    "terms",
    metadata,
    Column("contract_id", Uuid, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("client_id", Uuid),
    Column("ref", Text),
    Column("terms", JSONB),
    Column("heard_at", _INSTANT),
    Column("effective_from", Date),
)

contracts = Table(
    "contracts",
    metadata,
    Column("contract_id", Uuid, primary_key=True),
    Column("client_id", Uuid),
    Column("currency", Text),
    Column("ends_on", Date),
    Column("revision", Integer),
)

tickets = Table(
    "tickets",
    metadata,
    Column("ticket_id", Uuid, primary_key=True),
    Column("client_id", Uuid),
    Column("ref", Text),
    Column("status", Text),
    Column("cycle", Integer),
    Column("is_answered", Boolean),
    Column("queue", Text),
    Column("assignee_id", Uuid),
    Column("raised_at", _INSTANT),
    Column("is_imported", Boolean),
    Column("heard_at", _INSTANT),
)

clocks = Table(
    "clocks",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_id", Uuid),
    Column("ticket_id", Uuid),
    Column("contract_id", Uuid),
    Column("contract_version", Integer),
    Column("metric", Text),
    Column("cycle", Integer),
    Column("round", Integer),
    Column("priority", Text),
    Column("level", Text),
    Column("job_type", Text),
    Column("rule_id", Text),
    Column("budget_minutes", BigInteger),
    Column("status", Text),
    Column("started_at", _INSTANT),
    Column("running_since", _INSTANT),
    Column("carried_seconds", BigInteger),
    Column("consumed_seconds", BigInteger),
    Column("due_at", _INSTANT),
    Column("at_risk_at", _INSTANT),
    Column("next_step_at", _INSTANT),
    Column("breached_at", _INSTANT),
    Column("breach_reason", Text),
    Column("is_breach_carried", Boolean),
    Column("verdict", Text),
    Column("stopped_at", _INSTANT),
    Column("stop_reason", Text),
    Column("void_count", Integer),
    Column("acknowledged_at", _INSTANT),
    Column("acknowledged_by", Text),
    Column("revision", Integer),
    Column("fired", JSONB),
    Column("promises", JSONB),
    Column("intervals", JSONB),
    Column("counted_at", _INSTANT),
    Column("queue", Text),
    Column("assignee_id", Uuid),
    Column("counted_on", Date),
    Column("counted_hour", SmallInteger),
)

firings = Table(
    "firings",
    metadata,
    Column("clock_id", Uuid, primary_key=True),
    Column("step", Text, primary_key=True),
    Column("episode", Integer, primary_key=True),
    Column("client_id", Uuid),
    Column("kind", Text),
    Column("percent", Integer),
    Column("escalation_step", Integer),
    Column("to_level", Text),
    Column("notify", JSONB),
    Column("due_at", _INSTANT),
    Column("fired_at", _INSTANT),
    Column("voided_at", _INSTANT),
    Column("voided_because", Text),
    Column("to_queue", Text),
    Column("to_priority", Text),
)

breach_causes = Table(
    "breach_causes",
    metadata,
    Column("clock_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("client_id", Uuid),
    Column("cause", Text),
    Column("comment", Text),
    Column("set_by", Text),
    Column("set_at", _INSTANT),
)

rollup_changes = Table(
    "rollup_changes",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("client_id", Uuid),
    Column("counted_on", Date),
    Column("counted_hour", SmallInteger),
    Column("metric", Text),
    Column("priority", Text),
    Column("level", Text),
    Column("job_type", Text),
    Column("queue", Text),
    Column("assignee_id", Uuid),
    Column("met", Integer),
    Column("missed", Integer),
    Column("open_overdue", Integer),
)

# The sums, and where they lie: those of all clients (the nil UUID) apart from those of each.
rollups, rollups_of_all, rollups_of_clients = (
    Table(
        name,
        metadata,
        Column("client_id", Uuid, primary_key=True),
        Column("grain", Text, primary_key=True),
        Column("starts_on", Date, primary_key=True),
        Column("metric", Text, primary_key=True),
        Column("dimension", Text, primary_key=True),
        Column("value", Text, primary_key=True),
        Column("met", Integer),
        Column("missed", Integer),
        Column("open_overdue", Integer),
    )
    for name in ("rollups", "rollups_of_all", "rollups_of_clients")
)

credit_months = Table(
    "credit_months",
    metadata,
    Column("contract_id", Uuid, primary_key=True),
    Column("client_id", Uuid),
    Column("starts_on", Date, primary_key=True),
    Column("settle_at", _INSTANT),
    Column("settled_at", _INSTANT),
)

credits = Table(  # noqa: A001 - the word of the trade
    "credits",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("client_id", Uuid),
    Column("contract_id", Uuid),
    Column("contract_version", Integer),
    Column("rule_id", Text),
    Column("kind", Text),
    Column("starts_on", Date),
    Column("clock_id", Uuid),
    Column("currency", Text),
    Column("amount_minor", BigInteger),
    Column("basis_points", BigInteger),
    Column("is_capped", Boolean),
    Column("met_count", Integer),
    Column("missed_count", Integer),
    Column("evidence", JSONB),
    Column("status", Text),
    Column("because", Text),
    Column("revision", Integer),
    Column("earned_at", _INSTANT),
    Column("changed_at", _INSTANT),
)
