"""Runs: the last word that was said about each."""

from alembic import op

from msp_kit.migrations import execute, grant_staff

revision = "20261125_words_about_runs"
down_revision = "20261125_matched_anew_and_logos"

# What ran before the upgrade is told only if it still moves.
SAID = """
ALTER TABLE billing_runs ADD COLUMN said text NOT NULL DEFAULT 'finished'
    CONSTRAINT billing_runs_said CHECK (said IN ('', 'review', 'finished'));
ALTER TABLE billing_runs ALTER COLUMN said SET DEFAULT '';
UPDATE billing_runs SET said = '' WHERE id IN (
    SELECT run_id FROM billing_run_items WHERE status IN ('requested', 'sealed', 'closed', 'issuing'));
COMMENT ON COLUMN billing_runs.said IS 'the last word about it; empty while it moves';
CREATE INDEX billing_runs_unsettled ON billing_runs (id) WHERE said <> 'finished';
"""


def upgrade() -> None:
    execute(op, SAID)
    grant_staff(op, "billing_runs", database="billing", verbs="UPDATE (said)")
