"""Open tickets counted from an index alone: every page of the desk says how many there are."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_open_counted"
down_revision = "20261125_attachments_by_content"


def upgrade() -> None:
    execute(
        op,
        "CREATE INDEX tickets_open_counted ON tickets (client_id, status, queue, assignee_id) WHERE NOT is_over;",
    )
