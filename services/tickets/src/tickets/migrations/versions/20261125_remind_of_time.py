"""Reminders about time: which were given, so that nobody gets one twice."""

from alembic import op

from msp_kit.migrations import execute, grant_staff

revision = "20261125_remind_of_time"
down_revision = "20261125_persons_of_agents"

REMINDERS = """
CREATE TABLE worklog_reminders (
    id uuid PRIMARY KEY, about text NOT NULL CONSTRAINT worklog_reminders_once UNIQUE, said_at timestamptz NOT NULL
);
COMMENT ON COLUMN worklog_reminders.about IS 'the occasion: a day on which time waits, or an agent and a month';
CREATE INDEX worklog_reminders_by_age ON worklog_reminders (said_at);
"""


def upgrade() -> None:
    execute(op, REMINDERS)
    grant_staff(op, "worklog_reminders", database="tickets", verbs="SELECT, INSERT, DELETE")
