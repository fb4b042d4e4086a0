"""Runs: why a client is blocked, as a word beside the sentence, so that a page can lead to where it is solved."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_why_an_item_is_blocked"
down_revision = "20261125_work_waits_in_a_queue"

# What is blocked already keeps its sentence; asked again it gets its word.
REASON = """
ALTER TABLE billing_run_items ADD COLUMN reason text NOT NULL DEFAULT '';
COMMENT ON COLUMN billing_run_items.reason IS 'why it is blocked, in a word; empty while it is not';
"""


def upgrade() -> None:
    execute(op, REASON)
