"""Why a period is locked, and every lock there ever was: who opened one again is not forgotten."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_period_lock_reasons"
down_revision = "20261125_remind_of_time"
DATABASE = "tickets"

LOCKS = """
ALTER TABLE period_locks ADD COLUMN reason text NOT NULL DEFAULT '' CONSTRAINT period_locks_reason CHECK (length(reason) <= 500);
CREATE TABLE period_lock_changes (
    client_id uuid NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY, changed_at timestamptz NOT NULL, changed_by text NOT NULL,
    locked_before date, reason text NOT NULL CONSTRAINT period_lock_changes_reason CHECK (length(reason) <= 500),
    PRIMARY KEY (client_id, id)
);
CREATE INDEX period_lock_changes_newest ON period_lock_changes (id DESC);
INSERT INTO period_lock_changes (client_id, changed_at, changed_by, locked_before, reason)
SELECT client_id, locked_at, locked_by, locked_before, '' FROM period_locks ORDER BY locked_at;
"""


def upgrade() -> None:
    execute(op, LOCKS)
    protect(op, "period_lock_changes", database=DATABASE, client_verbs=(), staff_verbs=("SELECT", "INSERT"))
