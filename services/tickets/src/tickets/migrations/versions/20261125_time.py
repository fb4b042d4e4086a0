"""Running timers, corrections, late entries, period locks; nobody approves their own, sealed entries never change."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_time"
down_revision = "20261125_conversations"
DATABASE = "tickets"

TIME = """
ALTER TABLE agents ADD COLUMN timezone text NOT NULL DEFAULT 'UTC';
ALTER TABLE time_entries
    ADD COLUMN corrects_id uuid CONSTRAINT time_entries_corrects REFERENCES time_entries (id),
    ADD COLUMN internal_note text NOT NULL DEFAULT '' CONSTRAINT time_entries_internal_note CHECK (length(internal_note) <= 2000),
    ADD COLUMN is_late boolean NOT NULL DEFAULT false;
CREATE INDEX time_entries_corrected ON time_entries (corrects_id) WHERE corrects_id IS NOT NULL;
CREATE INDEX time_entries_of_task ON time_entries (client_id, task_id, worked_from) WHERE task_id IS NOT NULL;
CREATE TABLE timers (
    agent_id uuid PRIMARY KEY CONSTRAINT timers_agent REFERENCES agents, client_id uuid NOT NULL, ticket_id uuid, task_id uuid,
    started_at timestamptz NOT NULL, note text NOT NULL DEFAULT '',
    CHECK (num_nonnulls(ticket_id, task_id) = 1),
    CONSTRAINT timers_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX timers_of_ticket ON timers (client_id, ticket_id);
CREATE TABLE period_locks (
    client_id uuid PRIMARY KEY, locked_before date NOT NULL, locked_by text NOT NULL, locked_at timestamptz NOT NULL
);

-- The last word on approvals: whatever a program asks for, nobody's own time is approved by them.
CREATE FUNCTION refuse_own_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM agents WHERE id = NEW.agent_id AND person_id::text = NEW.decided_by) THEN
        RAISE EXCEPTION 'nobody approves their own time' USING ERRCODE = 'MSP02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER nobody_approves_their_own BEFORE UPDATE ON time_entries FOR EACH ROW
    WHEN (NEW.status = 'approved' AND OLD.status <> 'approved') EXECUTE FUNCTION refuse_own_approval();

CREATE FUNCTION refuse_sealed_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a sealed time entry never changes' USING ERRCODE = 'MSP03';
END $$;
CREATE TRIGGER sealed_entries_never_change BEFORE UPDATE ON time_entries FOR EACH ROW
    WHEN (OLD.sealed_in IS NOT NULL AND (OLD.status, OLD.ticket_id, OLD.task_id, OLD.job_type, OLD.level, OLD.note, OLD.sealed_in)
          IS DISTINCT FROM (NEW.status, NEW.ticket_id, NEW.task_id, NEW.job_type, NEW.level, NEW.note, NEW.sealed_in))
    EXECUTE FUNCTION refuse_sealed_change();
"""


def upgrade() -> None:
    execute(op, TIME)
    protect(op, "timers", database=DATABASE, client_verbs=())
    protect(op, "period_locks", database=DATABASE, client_verbs=())
