"""Shifts, absences and presence of agents; more conditions of routing rules; why an agent was chosen."""

from alembic import op

from msp_kit.migrations import execute, grant_staff

revision = "20261125_staffing"
down_revision = "20261125_time"
DATABASE = "tickets"

STAFFING = """
ALTER TABLE agents
    ADD COLUMN presence text NOT NULL DEFAULT 'available' CONSTRAINT agents_presence
        CHECK (presence IN ('available', 'busy', 'away', 'offline')),
    ADD COLUMN presence_at timestamptz;
-- Minutes since Monday 00:00 on the agent's own wall clock; the night from Sunday to Monday may pass 10080.
CREATE TABLE agent_shifts (
    agent_id uuid NOT NULL CONSTRAINT agent_shifts_agent REFERENCES agents,
    starts_minute int NOT NULL CHECK (starts_minute BETWEEN 0 AND 10079),
    ends_minute int NOT NULL, PRIMARY KEY (agent_id, starts_minute),
    CHECK (ends_minute > starts_minute AND ends_minute <= starts_minute + 1440)
);
CREATE FUNCTION refuse_overlapping_shifts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM agent_shifts a JOIN agent_shifts b ON b.agent_id = a.agent_id AND b.starts_minute <> a.starts_minute
         WHERE a.agent_id = NEW.agent_id
           AND (int4range(a.starts_minute, a.ends_minute) && int4range(b.starts_minute, b.ends_minute)
                OR int4range(a.starts_minute, a.ends_minute) && int4range(b.starts_minute + 10080, b.ends_minute + 10080)))
    THEN
        RAISE EXCEPTION 'shifts of an agent overlap' USING ERRCODE = 'MSP04';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER shifts_do_not_overlap AFTER INSERT OR UPDATE ON agent_shifts DEFERRABLE INITIALLY IMMEDIATE
    FOR EACH ROW EXECUTE FUNCTION refuse_overlapping_shifts();
CREATE TABLE absences (
    id uuid PRIMARY KEY, agent_id uuid NOT NULL CONSTRAINT absences_agent REFERENCES agents,
    starts_at timestamptz NOT NULL, ends_at timestamptz NOT NULL, reason text NOT NULL DEFAULT '', CHECK (starts_at < ends_at)
);
CREATE INDEX absences_of_agent ON absences (agent_id, ends_at);
ALTER TABLE routing_rules
    ADD COLUMN client_ids uuid[] NOT NULL DEFAULT '{}',
    ADD COLUMN words text[] NOT NULL DEFAULT '{}',
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}';
ALTER TABLE assignments ADD COLUMN reason text NOT NULL DEFAULT '';
CREATE INDEX assignments_of_client ON assignments (client_id, at);
"""


def upgrade() -> None:
    execute(op, STAFFING)
    grant_staff(op, "agent_shifts", "absences", database=DATABASE)
