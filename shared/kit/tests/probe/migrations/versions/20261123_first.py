"""First shape of the probe."""

from alembic import op

from msp_kit.migrations import create_bus, execute, grant_staff, protect

revision = "20261123_first"
down_revision = None


def upgrade() -> None:
    create_bus(op, service="sla", database="probe")
    execute(
        op,
        """
        CREATE TABLE notes (client_id uuid NOT NULL, id uuid NOT NULL, text text NOT NULL, PRIMARY KEY (client_id, id));
        CREATE TABLE heard (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, subject text NOT NULL, revision int NOT NULL);
        """,
    )
    protect(op, "notes", database="probe", client_verbs=("SELECT", "INSERT"))
    grant_staff(op, "heard", database="probe")
