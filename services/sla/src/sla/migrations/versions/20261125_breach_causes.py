"""Why a promise was broken, as a manager judges it."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_breach_causes"
down_revision = "20261125_rollups_apart"

CAUSES = """
CREATE TABLE breach_causes (
    clock_id uuid NOT NULL,
    number int NOT NULL CONSTRAINT breach_causes_number CHECK (number >= 1),
    client_id uuid NOT NULL,
    cause text NOT NULL CONSTRAINT breach_causes_cause
        CHECK (cause IN ('capacity', 'waiting-on-vendor', 'wrong-priority', 'process', 'client', 'other')),
    comment text NOT NULL CONSTRAINT breach_causes_comment CHECK (length(comment) <= 1000),
    set_by text NOT NULL,
    set_at timestamptz NOT NULL,
    CONSTRAINT breach_causes_pk PRIMARY KEY (clock_id, number),
    CONSTRAINT breach_causes_clock FOREIGN KEY (client_id, clock_id) REFERENCES clocks (client_id, id)
);
CREATE INDEX breach_causes_client ON breach_causes (client_id, clock_id);

CREATE FUNCTION refuse_other_cause() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what was said of breach % stays; say another cause after it', OLD.clock_id USING ERRCODE = 'MSP02';
END $$;
CREATE TRIGGER breach_causes_stay BEFORE UPDATE OR DELETE ON breach_causes
    FOR EACH ROW EXECUTE FUNCTION refuse_other_cause();
"""


def upgrade() -> None:
    execute(op, CAUSES)
    protect(op, "breach_causes", database="sla", client_verbs=(), staff_verbs=("SELECT", "INSERT"))
