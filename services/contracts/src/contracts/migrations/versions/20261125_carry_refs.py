"""Hours carry what people call the ticket or task, so that a statement can show it."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_carry_refs"
down_revision = "20261125_seal_what_is_kept"


def upgrade() -> None:
    execute(op, "ALTER TABLE hours ADD COLUMN ref text NOT NULL DEFAULT ''")
