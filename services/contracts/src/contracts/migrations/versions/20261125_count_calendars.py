"""Calendars count their revisions, so that two people who change one do not undo each other."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_count_calendars"
down_revision = "20261125_carry_refs"


def upgrade() -> None:
    execute(op, "ALTER TABLE calendars ADD COLUMN revision int NOT NULL DEFAULT 1")
