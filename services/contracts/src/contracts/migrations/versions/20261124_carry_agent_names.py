"""Hours carry the name of who worked, so that an invoice can show it."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261124_carry_agent_names"
down_revision = "20261123_first"


def upgrade() -> None:
    execute(op, "ALTER TABLE hours ADD COLUMN agent_name text NOT NULL DEFAULT ''")
