"""First shape: tickets and time, and local copies of what other services say."""

from alembic import op

from msp_kit.migrations import create_bus, execute, grant_staff, protect

revision = "20261123_first"
down_revision = None
DATABASE = "tickets"

TABLES = """
CREATE TABLE clients (
    client_id uuid PRIMARY KEY, revision int NOT NULL, code text NOT NULL UNIQUE, name text NOT NULL,
    timezone text NOT NULL, is_active boolean NOT NULL
);
CREATE TABLE contracts (
    client_id uuid NOT NULL, contract_id uuid NOT NULL, revision int NOT NULL, ref text NOT NULL, name text NOT NULL,
    kind text NOT NULL, version int NOT NULL, status text NOT NULL, starts_on date NOT NULL, ends_on date,
    job_types text[] NOT NULL, levels text[] NOT NULL,
    PRIMARY KEY (client_id, contract_id), UNIQUE (contract_id)
);
CREATE TABLE job_types (code text PRIMARY KEY, job_type_id uuid NOT NULL UNIQUE, revision int NOT NULL, name text NOT NULL,
    is_billable boolean NOT NULL);
CREATE TABLE people (person_id uuid PRIMARY KEY, revision int NOT NULL, kind text NOT NULL, of_client_id uuid,
    display_name text NOT NULL, roles text[] NOT NULL, is_active boolean NOT NULL);

CREATE TABLE queues (key text PRIMARY KEY CHECK (key ~ '^[a-z0-9][a-z0-9-]{0,59}$'), name text NOT NULL UNIQUE);
INSERT INTO queues VALUES ('service-desk', 'Service desk');
CREATE TABLE routing_rules (
    id uuid PRIMARY KEY, position int NOT NULL UNIQUE, job_types text[] NOT NULL, levels text[] NOT NULL,
    priorities text[] NOT NULL, queue text NOT NULL CONSTRAINT routing_rules_queue REFERENCES queues
);
CREATE INDEX routing_rules_by_queue ON routing_rules (queue);
CREATE TABLE agents (
    id uuid PRIMARY KEY, person_id uuid UNIQUE, name text NOT NULL, levels text[] NOT NULL, skills text[] NOT NULL,
    queues text[] NOT NULL, weekly_minutes int NOT NULL CHECK (weekly_minutes BETWEEN 0 AND 10080),
    is_active boolean NOT NULL DEFAULT true, takes_tickets boolean NOT NULL DEFAULT true
);
CREATE INDEX agents_by_name ON agents (name);

CREATE TABLE ref_counters (client_id uuid PRIMARY KEY, last_number int NOT NULL CHECK (last_number >= 1));
CREATE TABLE tickets (
    client_id uuid NOT NULL, id uuid NOT NULL, ref text NOT NULL, revision int NOT NULL CHECK (revision >= 1),
    contract_id uuid NOT NULL, contract_version int NOT NULL, contact_id uuid, contact_name text NOT NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200), description text NOT NULL,
    job_type text NOT NULL, priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    level text NOT NULL CHECK (level IN ('L1', 'L2', 'L3', 'SA')),
    handling_level text NOT NULL CHECK (handling_level IN ('L1', 'L2', 'L3', 'SA')),
    status text NOT NULL CHECK (status IN ('new', 'open', 'waiting_on_client', 'waiting_on_vendor', 'scheduled',
                                           'resolved', 'closed')),
    queue text NOT NULL, assignee_id uuid, assignee_name text,
    raised_at timestamptz NOT NULL, first_responded_at timestamptz, resolved_at timestamptz, closed_at timestamptz,
    cycle int NOT NULL CHECK (cycle >= 1), is_imported boolean NOT NULL DEFAULT false,
    awaits_assignment boolean NOT NULL DEFAULT false,
    updated_at timestamptz NOT NULL,
    clock_metric text, clock_status text, clock_due_at timestamptz, clock_remaining_seconds bigint,
    clock_budget_minutes bigint, clock_is_breached boolean NOT NULL DEFAULT false, clock_verdict text,
    due_at timestamptz NOT NULL DEFAULT 'infinity',
    is_over boolean GENERATED ALWAYS AS (status IN ('resolved', 'closed')) STORED,
    PRIMARY KEY (client_id, id), UNIQUE (id), UNIQUE (ref),
    CONSTRAINT tickets_contract FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, contract_id)
);
CREATE INDEX tickets_by_contract ON tickets (client_id, contract_id);
CREATE INDEX tickets_open_by_due ON tickets (due_at, id) WHERE NOT is_over;
CREATE INDEX tickets_queue_by_due ON tickets (queue, due_at, id) WHERE NOT is_over;
CREATE INDEX tickets_assignee_by_due ON tickets (assignee_id, due_at, id) WHERE NOT is_over;
CREATE INDEX tickets_client_by_update ON tickets (client_id, updated_at DESC, id);
CREATE INDEX tickets_by_update ON tickets (updated_at DESC, id);
CREATE INDEX tickets_awaiting_assignment ON tickets (raised_at) WHERE awaits_assignment;
CREATE INDEX tickets_resolved ON tickets (resolved_at) WHERE status = 'resolved';
CREATE TABLE messages (
    client_id uuid NOT NULL, id uuid NOT NULL, ticket_id uuid NOT NULL, posted_at timestamptz NOT NULL,
    author_kind text NOT NULL CHECK (author_kind IN ('client', 'agent', 'system')), author_id text NOT NULL,
    author_name text NOT NULL, is_public boolean NOT NULL, is_automatic boolean NOT NULL DEFAULT false,
    is_first_response boolean NOT NULL DEFAULT false, body text NOT NULL CHECK (length(body) BETWEEN 1 AND 20000),
    PRIMARY KEY (client_id, id),
    CONSTRAINT messages_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX messages_of_ticket ON messages (client_id, ticket_id, posted_at, id);
CREATE TABLE activities (
    client_id uuid NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, ticket_id uuid NOT NULL,
    at timestamptz NOT NULL, actor_id text NOT NULL, actor_name text NOT NULL, kind text NOT NULL, text text NOT NULL,
    reason text NOT NULL DEFAULT '', rule_id text,
    CONSTRAINT activities_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX activities_of_ticket ON activities (client_id, ticket_id, id);
CREATE TABLE assignments (
    client_id uuid NOT NULL, ticket_id uuid NOT NULL, at timestamptz NOT NULL, agent_id uuid NOT NULL,
    load_percent int NOT NULL, runners_up jsonb NOT NULL,
    PRIMARY KEY (client_id, ticket_id, at),
    CONSTRAINT assignments_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE TABLE clocks (
    client_id uuid NOT NULL, clock_id uuid NOT NULL, ticket_id uuid NOT NULL, revision int NOT NULL, metric text NOT NULL,
    cycle int NOT NULL, status text NOT NULL, budget_minutes bigint NOT NULL, remaining_seconds bigint NOT NULL,
    due_at timestamptz, is_breached boolean NOT NULL, verdict text, as_of timestamptz NOT NULL,
    PRIMARY KEY (client_id, clock_id)
);
CREATE INDEX clocks_of_ticket ON clocks (client_id, ticket_id);
CREATE TABLE balances (
    client_id uuid NOT NULL, contract_id uuid PRIMARY KEY, revision int NOT NULL, granted_minutes bigint NOT NULL,
    available_minutes bigint NOT NULL
);

CREATE TABLE time_entries (
    client_id uuid NOT NULL, id uuid NOT NULL, ticket_id uuid, task_id uuid, contract_id uuid NOT NULL,
    revision int NOT NULL CHECK (revision >= 1), agent_id uuid NOT NULL CONSTRAINT time_entries_agent REFERENCES agents,
    agent_name text NOT NULL, worked_from timestamptz NOT NULL,
    worked_minutes int NOT NULL CHECK (worked_minutes BETWEEN 1 AND 1440),
    job_type text NOT NULL, level text NOT NULL, note text NOT NULL,
    status text NOT NULL CHECK (status IN ('submitted', 'approved', 'rejected', 'voided')),
    decided_by text, decision_reason text NOT NULL DEFAULT '', sealed_in uuid,
    logged_at timestamptz NOT NULL,
    hours_revision int NOT NULL DEFAULT 0, hours_status text, billed_minutes bigint, bucket_minutes bigint,
    overage_minutes bigint,
    PRIMARY KEY (client_id, id), UNIQUE (id),
    CHECK (num_nonnulls(ticket_id, task_id) = 1),
    CHECK (sealed_in IS NULL OR status = 'approved'),
    CONSTRAINT time_entries_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX time_entries_of_ticket ON time_entries (client_id, ticket_id, worked_from);
CREATE INDEX time_entries_of_client ON time_entries (client_id, worked_from);
CREATE INDEX time_entries_of_agent ON time_entries (agent_id, worked_from);
CREATE INDEX time_entries_waiting ON time_entries (client_id, worked_from) WHERE status = 'submitted';
CREATE INDEX time_entries_unsealed ON time_entries (client_id, worked_from) WHERE status = 'approved' AND sealed_in IS NULL;
CREATE INDEX time_entries_sealed ON time_entries (sealed_in) WHERE sealed_in IS NOT NULL;

-- Worked minutes are what the agent submitted: nobody changes them, the owner of the table included.
CREATE FUNCTION refuse_changed_minutes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'worked minutes of a submitted entry never change' USING ERRCODE = 'MSP01';
END $$;
CREATE TRIGGER worked_minutes_never_change BEFORE UPDATE ON time_entries FOR EACH ROW
    WHEN ((OLD.worked_minutes, OLD.worked_from, OLD.client_id, OLD.contract_id, OLD.agent_id)
          IS DISTINCT FROM (NEW.worked_minutes, NEW.worked_from, NEW.client_id, NEW.contract_id, NEW.agent_id))
    EXECUTE FUNCTION refuse_changed_minutes();

CREATE TABLE sealed_periods (
    client_id uuid NOT NULL, period_close_id uuid PRIMARY KEY, starts_on date NOT NULL, ends_on date NOT NULL,
    entry_count int NOT NULL, worked_minutes bigint NOT NULL, checksum text NOT NULL, sealed_at timestamptz NOT NULL
);
CREATE INDEX sealed_periods_of_client ON sealed_periods (client_id, ends_on);

CREATE TABLE imported_tickets (
    client_id uuid NOT NULL, source text NOT NULL, external_ref text NOT NULL, ticket_id uuid NOT NULL,
    PRIMARY KEY (source, external_ref)
);
CREATE TABLE imported_updates (
    client_id uuid NOT NULL, source text NOT NULL, external_ref text NOT NULL, seq int NOT NULL,
    PRIMARY KEY (source, external_ref, seq)
);
"""


def upgrade() -> None:
    create_bus(op, service="tickets", database=DATABASE)
    execute(op, TABLES)
    grant_staff(op, "job_types", "people", "queues", "routing_rules", "agents", database=DATABASE)
    execute(op, "GRANT SELECT ON job_types, queues, routing_rules TO tickets_client")
    for table in ("clients", "contracts", "clocks", "balances"):
        protect(op, table, database=DATABASE)
    protect(op, "ref_counters", database=DATABASE, client_verbs=("SELECT", "INSERT", "UPDATE"))
    protect(op, "tickets", database=DATABASE, client_verbs=("SELECT", "INSERT", "UPDATE"))
    protect(op, "messages", database=DATABASE, client_verbs=("SELECT", "INSERT"))
    protect(op, "activities", database=DATABASE, client_verbs=("INSERT",))
    protect(op, "time_entries", database=DATABASE, staff_verbs=("SELECT", "INSERT", "UPDATE"))
    for table in ("assignments", "sealed_periods", "imported_tickets", "imported_updates"):
        protect(op, table, database=DATABASE, client_verbs=(), staff_verbs=("SELECT", "INSERT"))
    # Internal notes do not exist for a client's people, whatever a query asks for.
    execute(
        op,
        """
        CREATE POLICY public_only ON messages AS RESTRICTIVE TO tickets_client USING (is_public) WITH CHECK (is_public);
        """,
    )
