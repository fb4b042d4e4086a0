"""The shape of the database, for statements that are put together at run time; the rest is SQL text in the store."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

invoices = sa.Table(
    "invoices",
    metadata,
    sa.Column("client_id", sa.Uuid, primary_key=True),
    sa.Column("id", sa.Uuid, primary_key=True),
    *(
        sa.Column(name, sa.Text)
        for name in ("kind", "status", "currency", "number", "content", "content_sha256", "previous_sha256")
    ),
    *(sa.Column(name, sa.BigInteger) for name in ("net_minor", "tax_minor", "gross_minor", "worked_minutes")),
    *(sa.Column(name, sa.Date) for name in ("starts_on", "ends_on", "due_on")),
    sa.Column("issued_at", sa.DateTime(timezone=True)),
)
