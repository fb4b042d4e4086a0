"""Who asks for another password is answered by a job: how long asking takes tells nobody whether there is such a person."""

from alembic import op

from msp_kit.migrations import execute, grant_staff

revision = "20261125_answer_resets_apart"
down_revision = "20261125_wake_what_was_put_off"
DATABASE = "portal_gateway"


def upgrade() -> None:
    execute(
        op, "CREATE TABLE reset_asks (email text PRIMARY KEY CHECK (length(email) <= 254), at timestamptz NOT NULL)"
    )
    grant_staff(op, "reset_asks", database=DATABASE, verbs="SELECT, INSERT, DELETE")
