"""The shape of the database, for statements that are put together at run time; the rest is SQL text in the store."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

metadata = sa.MetaData()
_UUID = sa.Uuid()
_AT = sa.DateTime(timezone=True)

tickets = sa.Table(
    "tickets",
    metadata,
    sa.Column("client_id", _UUID, primary_key=True),
    sa.Column("id", _UUID, primary_key=True),
    *(sa.Column(name, sa.Text) for name in ("ref", "title", "description", "contact_name", "job_type", "priority")),
    *(sa.Column(name, sa.Text) for name in ("level", "handling_level", "status", "queue", "assignee_name")),
    *(sa.Column(name, _UUID) for name in ("contract_id", "contact_id", "assignee_id", "merged_into_id")),
    *(sa.Column(name, sa.Integer) for name in ("revision", "contract_version", "cycle")),
    *(
        sa.Column(name, _AT)
        for name in ("raised_at", "first_responded_at", "resolved_at", "closed_at", "updated_at", "due_at")
    ),
    *(sa.Column(name, sa.Boolean) for name in ("is_imported", "awaits_assignment", "is_over", "clock_is_breached")),
    *(sa.Column(name, sa.Text) for name in ("clock_metric", "clock_status", "clock_verdict")),
    *(sa.Column(name, sa.BigInteger) for name in ("clock_remaining_seconds", "clock_budget_minutes")),
    sa.Column("clock_due_at", _AT),
    sa.Column("tags", postgresql.ARRAY(sa.Text)),
    *(sa.Column(name, sa.Text) for name in ("source", "impact", "urgency")),
    sa.Column("satisfaction", sa.SmallInteger),
    sa.Column("search", sa.Text),
)

clients = sa.Table(
    "clients",
    metadata,
    sa.Column("client_id", _UUID, primary_key=True),
    sa.Column("code", sa.Text),
    sa.Column("name", sa.Text),
    sa.Column("timezone", sa.Text),
)

balances = sa.Table(
    "balances",
    metadata,
    sa.Column("client_id", _UUID),
    sa.Column("contract_id", _UUID, primary_key=True),
    sa.Column("granted_minutes", sa.BigInteger),
    sa.Column("available_minutes", sa.BigInteger),
)

time_entries = sa.Table(
    "time_entries",
    metadata,
    sa.Column("client_id", _UUID, primary_key=True),
    sa.Column("id", _UUID, primary_key=True),
    *(
        sa.Column(name, _UUID)
        for name in ("ticket_id", "task_id", "contract_id", "agent_id", "sealed_in", "corrects_id")
    ),
    *(sa.Column(name, sa.Integer) for name in ("revision", "worked_minutes", "hours_revision")),
    *(sa.Column(name, sa.Text) for name in ("agent_name", "job_type", "level", "note", "status", "decided_by")),
    *(sa.Column(name, sa.Text) for name in ("decision_reason", "hours_status", "internal_note")),
    sa.Column("is_late", sa.Boolean),
    *(sa.Column(name, sa.BigInteger) for name in ("billed_minutes", "bucket_minutes", "overage_minutes")),
    sa.Column("worked_from", _AT),
    sa.Column("logged_at", _AT),
)

agents = sa.Table("agents", metadata, sa.Column("id", _UUID, primary_key=True), sa.Column("person_id", _UUID))

watchers = sa.Table(
    "watchers",
    metadata,
    *(sa.Column(name, _UUID, primary_key=True) for name in ("client_id", "ticket_id", "person_id")),
)

tasks = sa.Table(
    "tasks",
    metadata,
    *(sa.Column(name, _UUID, primary_key=True) for name in ("client_id", "id")),
    sa.Column("project_id", _UUID),
    sa.Column("title", sa.Text),
)

projects = sa.Table(
    "projects",
    metadata,
    *(sa.Column(name, _UUID, primary_key=True) for name in ("client_id", "id")),
    sa.Column("ref", sa.Text),
)
