"""Tickets counted by month from indexes alone: a client's report asks for every month anew."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_counted_by_month"
down_revision = "20261125_contract_calendars"


def upgrade() -> None:
    execute(
        op,
        """
        CREATE INDEX tickets_raised_of_client ON tickets (client_id, raised_at) WHERE merged_into_id IS NULL;
        CREATE INDEX tickets_resolved_of_client ON tickets (client_id, resolved_at) WHERE resolved_at IS NOT NULL;
        """,
    )
