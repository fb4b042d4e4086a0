"""Attachments by content: whether anybody still needs one is asked by its hash."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_attachments_by_content"
down_revision = "20261125_reopen_and_priority"


def upgrade() -> None:
    execute(op, "CREATE INDEX attachments_by_content ON attachments (sha256);")
