"""The calendar of a contract: whoever approves time sees what was worked outside its hours."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_contract_calendars"
down_revision = "20261125_period_lock_reasons"


def upgrade() -> None:
    # Filled when contracts says its state again; until then nothing is said of opening hours.
    execute(op, "ALTER TABLE contracts ADD COLUMN calendar jsonb;")
