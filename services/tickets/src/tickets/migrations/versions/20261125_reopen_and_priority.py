"""A period that is opened again lets go of its entries; contracts have a priority."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_reopen_and_priority"
down_revision = "20261125_alerts"

SEALED = """
CREATE OR REPLACE FUNCTION refuse_sealed_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Opened again: nothing but the seal goes, and only when the period it names is gone.
    IF NEW.sealed_in IS NULL
        AND (OLD.status, OLD.ticket_id, OLD.task_id, OLD.job_type, OLD.level, OLD.note)
            IS NOT DISTINCT FROM (NEW.status, NEW.ticket_id, NEW.task_id, NEW.job_type, NEW.level, NEW.note)
        AND NOT EXISTS (SELECT FROM sealed_periods WHERE period_close_id = OLD.sealed_in)
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a sealed time entry never changes' USING ERRCODE = 'MSP03';
END $$;
GRANT DELETE ON sealed_periods TO tickets_staff;
ALTER TABLE contracts ADD COLUMN priority int NOT NULL DEFAULT 100;
"""


def upgrade() -> None:
    execute(op, SEALED)
