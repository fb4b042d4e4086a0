"""Terms, clients, tickets, clocks and what fired."""

from alembic import op

from msp_kit.migrations import create_bus, execute, protect

revision = "20261123_first"
down_revision = None

TABLES = """
CREATE TABLE clients (
    client_id uuid CONSTRAINT clients_pk PRIMARY KEY,
    code text NOT NULL,
    name text NOT NULL,
    timezone text NOT NULL,
    revision int NOT NULL
);

-- The SLA part of each contract version, as it was said; a version never changes.
CREATE TABLE terms (
    contract_id uuid NOT NULL,
    version int NOT NULL CONSTRAINT terms_version CHECK (version >= 1),
    client_id uuid NOT NULL,
    ref text NOT NULL,
    terms jsonb NOT NULL,
    heard_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT terms_pk PRIMARY KEY (contract_id, version),
    CONSTRAINT terms_client_terms UNIQUE (client_id, contract_id, version)
);

CREATE TABLE tickets (
    ticket_id uuid CONSTRAINT tickets_pk PRIMARY KEY,
    client_id uuid NOT NULL,
    ref text NOT NULL,
    status text NOT NULL,
    cycle int NOT NULL,
    is_answered boolean NOT NULL,
    queue text NOT NULL,
    assignee_id uuid,
    raised_at timestamptz NOT NULL,
    is_imported boolean NOT NULL,
    heard_at timestamptz NOT NULL,
    CONSTRAINT tickets_client_ticket UNIQUE (client_id, ticket_id)
);

CREATE TABLE clocks (
    id uuid CONSTRAINT clocks_pk PRIMARY KEY,
    client_id uuid NOT NULL,
    ticket_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    contract_version int NOT NULL,
    metric text NOT NULL CONSTRAINT clocks_metric CHECK (metric IN ('first_response', 'next_response', 'resolution')),
    cycle int NOT NULL,
    round int NOT NULL,
    priority text NOT NULL,
    level text NOT NULL,
    job_type text NOT NULL,
    rule_id text NOT NULL,
    budget_minutes bigint NOT NULL,
    status text NOT NULL CONSTRAINT clocks_status CHECK (status IN ('running', 'paused', 'stopped')),
    started_at timestamptz NOT NULL,
    running_since timestamptz,
    carried_seconds bigint NOT NULL CONSTRAINT clocks_carried CHECK (carried_seconds >= 0),
    consumed_seconds bigint NOT NULL CONSTRAINT clocks_consumed CHECK (consumed_seconds >= carried_seconds),
    due_at timestamptz,
    at_risk_at timestamptz,
    next_step_at timestamptz,
    breached_at timestamptz,
    breach_reason text NOT NULL CONSTRAINT clocks_breach_reason CHECK (breach_reason IN ('', 'time', 'retarget')),
    is_breach_carried boolean NOT NULL,
    verdict text CONSTRAINT clocks_verdict CHECK (verdict IN ('met', 'missed', 'excluded')),
    stopped_at timestamptz,
    stop_reason text NOT NULL,
    void_count int NOT NULL,
    acknowledged_at timestamptz,
    acknowledged_by text,
    revision int NOT NULL,
    fired jsonb NOT NULL,
    promises jsonb NOT NULL,
    intervals jsonb NOT NULL,
    counted_at timestamptz GENERATED ALWAYS AS (coalesce(breached_at, stopped_at)) STORED,
    CONSTRAINT clocks_once UNIQUE (ticket_id, metric, cycle, round),
    CONSTRAINT clocks_client_clock UNIQUE (client_id, id),
    CONSTRAINT clocks_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, ticket_id),
    CONSTRAINT clocks_terms FOREIGN KEY (client_id, contract_id, contract_version)
        REFERENCES terms (client_id, contract_id, version),
    CONSTRAINT clocks_running CHECK ((status = 'running') = (running_since IS NOT NULL AND due_at IS NOT NULL)),
    CONSTRAINT clocks_stopped CHECK ((status = 'stopped') = (verdict IS NOT NULL AND stopped_at IS NOT NULL)),
    CONSTRAINT clocks_fires CHECK (next_step_at IS NULL OR status = 'running')
) WITH (fillfactor = 80);
-- What the timers poll: its size is the number of running clocks with something left to fire.
CREATE INDEX clocks_next_step ON clocks (next_step_at) WHERE next_step_at IS NOT NULL;
CREATE INDEX clocks_due ON clocks (due_at, id) WHERE status = 'running';
CREATE INDEX clocks_at_risk ON clocks (at_risk_at) WHERE status = 'running';
CREATE INDEX clocks_counted ON clocks (client_id, counted_at) WHERE counted_at IS NOT NULL;
CREATE INDEX clocks_counted_at ON clocks (counted_at) WHERE counted_at IS NOT NULL;
CREATE INDEX clocks_client_ticket ON clocks (client_id, ticket_id);
CREATE INDEX clocks_terms_of ON clocks (client_id, contract_id, contract_version);

-- A verdict is never rewritten, by nobody.
CREATE FUNCTION refuse_new_verdict() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'clock % has its verdict', OLD.id USING ERRCODE = 'MSP02';
END $$;
CREATE TRIGGER clocks_keep_their_verdict BEFORE UPDATE OR DELETE ON clocks
    FOR EACH ROW WHEN (OLD.verdict IS NOT NULL) EXECUTE FUNCTION refuse_new_verdict();

CREATE TABLE firings (
    clock_id uuid NOT NULL,
    step text NOT NULL,
    episode int NOT NULL,
    client_id uuid NOT NULL,
    kind text NOT NULL CONSTRAINT firings_kind CHECK (kind IN ('at_risk', 'breach', 'escalate')),
    percent int NOT NULL,
    escalation_step int NOT NULL,
    to_level text,
    notify jsonb NOT NULL,
    due_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    voided_at timestamptz,
    voided_because text,
    CONSTRAINT firings_pk PRIMARY KEY (clock_id, step, episode),
    CONSTRAINT firings_clock FOREIGN KEY (client_id, clock_id) REFERENCES clocks (client_id, id),
    CONSTRAINT firings_voided CHECK ((voided_at IS NULL) = (voided_because IS NULL))
);
CREATE INDEX firings_client_clock ON firings (client_id, clock_id);
"""


def upgrade() -> None:
    create_bus(op, service="sla", database="sla")
    execute(op, TABLES)
    for table in ("clients", "terms", "tickets", "clocks", "firings"):
        verbs = ("SELECT", "INSERT", "UPDATE")
        protect(op, table, database="sla", client_verbs=("SELECT",), staff_verbs=verbs)
