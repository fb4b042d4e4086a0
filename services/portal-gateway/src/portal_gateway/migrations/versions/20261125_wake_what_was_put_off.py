"""Notifications that were put off are found when their time has come."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_wake_what_was_put_off"
down_revision = "20261125_notifications"


def upgrade() -> None:
    execute(
        op,
        "CREATE INDEX notifications_to_wake ON notifications (snoozed_until) WHERE snoozed_until IS NOT NULL AND done_at IS NULL",
    )
