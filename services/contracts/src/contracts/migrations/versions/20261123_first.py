"""Clients, terms and the hours ledger."""

from __future__ import annotations

from alembic import op

from msp_kit.migrations import create_bus, execute, grant_staff, protect

revision = "20261123_first"
down_revision = None

DATABASE = "contracts"

CLIENTS = """
CREATE TABLE clients (
    client_id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    timezone text NOT NULL,
    currency text NOT NULL,
    billing_address jsonb NOT NULL,
    tax_id text,
    purchase_order text,
    is_active boolean NOT NULL DEFAULT true,
    revision int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT clients_pkey PRIMARY KEY (client_id),
    CONSTRAINT clients_code_is_unique UNIQUE (code),
    CONSTRAINT clients_code_is_short CHECK (code ~ '^[A-Z]{2,5}$'),
    CONSTRAINT clients_currency_is_iso CHECK (currency ~ '^[A-Z]{3}$')
);
CREATE TABLE contacts (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    name text NOT NULL,
    email text NOT NULL,
    phone text,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT contacts_pkey PRIMARY KEY (id),
    CONSTRAINT contacts_client_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id)
);
CREATE INDEX contacts_client ON contacts (client_id, name, id);
"""

CATALOGUE = """
CREATE TABLE calendars (
    id uuid NOT NULL,
    name text NOT NULL,
    calendar jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT calendars_pkey PRIMARY KEY (id)
);
CREATE TABLE job_types (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    is_billable boolean NOT NULL,
    revision int NOT NULL DEFAULT 1,
    CONSTRAINT job_types_pkey PRIMARY KEY (id),
    CONSTRAINT job_types_code_is_unique UNIQUE (code),
    CONSTRAINT job_types_code_is_a_word CHECK (code ~ '^[a-z][a-z0-9_-]{1,39}$')
);
CREATE TABLE rate_cards (
    id uuid NOT NULL,
    version int NOT NULL,
    name text NOT NULL,
    currency text NOT NULL,
    rates jsonb NOT NULL,
    overage_rates jsonb NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT rate_cards_pkey PRIMARY KEY (id, version)
);
CREATE SEQUENCE contract_refs;
"""

CONTRACTS = """
CREATE TABLE contracts (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    ref text NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    status text NOT NULL,
    currency text NOT NULL,
    starts_on date NOT NULL,
    ends_on date,
    rate_card_id uuid NOT NULL,
    version int NOT NULL DEFAULT 1,
    revision int NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT contracts_pkey PRIMARY KEY (id),
    CONSTRAINT contracts_of_client UNIQUE (client_id, id),
    CONSTRAINT contracts_ref_is_unique UNIQUE (ref),
    CONSTRAINT contracts_client_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id),
    CONSTRAINT contracts_kind_is_known CHECK (kind IN ('bucket', 'time_and_materials', 'retainer')),
    CONSTRAINT contracts_status_is_known CHECK (status IN ('draft', 'active', 'ended')),
    CONSTRAINT contracts_end_after_start CHECK (ends_on IS NULL OR ends_on > starts_on)
);
CREATE TABLE contract_versions (
    client_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    version int NOT NULL,
    effective_from date NOT NULL,
    terms jsonb NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL,
    CONSTRAINT contract_versions_pkey PRIMARY KEY (contract_id, version),
    CONSTRAINT contract_versions_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id)
);
CREATE INDEX contract_versions_contract ON contract_versions (client_id, contract_id);
CREATE TABLE lots (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    sequence int NOT NULL,
    origin text NOT NULL,
    minutes bigint NOT NULL,
    left_minutes bigint NOT NULL,
    expired_minutes bigint NOT NULL DEFAULT 0,
    price_minor bigint NOT NULL,
    priority int NOT NULL DEFAULT 0,
    valid_from date NOT NULL,
    expires_on date,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz,
    is_granted boolean NOT NULL DEFAULT false,
    is_lapsed boolean NOT NULL DEFAULT false,
    is_closed boolean NOT NULL DEFAULT false,
    expiry_seq bigint,
    alerted_percent int NOT NULL DEFAULT 0,
    CONSTRAINT lots_pkey PRIMARY KEY (id),
    CONSTRAINT lots_sequence_is_unique UNIQUE (contract_id, sequence),
    CONSTRAINT lots_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id),
    CONSTRAINT lots_origin_is_known CHECK (origin IN ('purchase', 'top_up', 'retainer', 'carried')),
    CONSTRAINT lots_have_minutes CHECK (minutes > 0 AND left_minutes >= 0 AND expired_minutes >= 0
        AND expired_minutes <= left_minutes AND left_minutes <= minutes),
    CONSTRAINT lots_end_after_start CHECK (expires_on IS NULL OR expires_on > valid_from)
);
CREATE INDEX lots_contract ON lots (client_id, contract_id);
CREATE INDEX lots_lapsing ON lots (ends_at) WHERE is_granted AND NOT is_lapsed;
CREATE UNIQUE INDEX lots_one_retainer_a_month ON lots (contract_id, valid_from) WHERE origin = 'retainer';
"""

LEDGER = """
CREATE TABLE buckets (
    contract_id uuid NOT NULL,
    client_id uuid NOT NULL,
    revision int NOT NULL DEFAULT 0,
    contract_revision int NOT NULL,
    last_seq bigint NOT NULL DEFAULT 0,
    last_hash bytea NOT NULL DEFAULT '',
    granted bigint NOT NULL DEFAULT 0,
    available bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    consumed bigint NOT NULL DEFAULT 0,
    worked bigint NOT NULL DEFAULT 0,
    overage bigint NOT NULL DEFAULT 0,
    time_and_materials bigint NOT NULL DEFAULT 0,
    excluded bigint NOT NULL DEFAULT 0,
    expired bigint NOT NULL DEFAULT 0,
    carried_in bigint NOT NULL DEFAULT 0,
    carried_out bigint NOT NULL DEFAULT 0,
    adjusted bigint NOT NULL DEFAULT 0,
    last_worked_from timestamptz,
    last_entry_id uuid,
    closed_until timestamptz,
    is_exhausted boolean NOT NULL DEFAULT false,
    CONSTRAINT buckets_pkey PRIMARY KEY (contract_id),
    CONSTRAINT buckets_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id),
    CONSTRAINT buckets_never_below_zero CHECK (available >= 0 AND held >= 0 AND consumed >= 0 AND overage >= 0
        AND time_and_materials >= 0 AND excluded >= 0 AND expired >= 0 AND carried_in >= 0 AND carried_out >= 0),
    CONSTRAINT buckets_sum_to_zero CHECK (
        granted + carried_in + adjusted = available + held + consumed + expired + carried_out
        AND worked = overage + time_and_materials + excluded)
);
CREATE INDEX buckets_client ON buckets (client_id, contract_id);

CREATE TABLE hours (
    time_entry_id uuid NOT NULL,
    client_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    revision int NOT NULL,
    entry_revision int NOT NULL,
    contract_version int NOT NULL,
    rate_card_version int NOT NULL,
    status text NOT NULL,
    decision text NOT NULL,
    policy text NOT NULL,
    worked_from timestamptz NOT NULL,
    worked_minutes int NOT NULL,
    billed_minutes bigint NOT NULL,
    bucket_minutes bigint NOT NULL,
    overage_minutes bigint NOT NULL,
    time_and_materials_minutes bigint NOT NULL,
    excluded_minutes bigint NOT NULL,
    job_type text NOT NULL,
    level text NOT NULL,
    agent_id uuid NOT NULL,
    ticket_id uuid,
    task_id uuid,
    note text NOT NULL,
    spans jsonb NOT NULL,
    legs jsonb NOT NULL,
    is_late boolean NOT NULL,
    is_closed boolean NOT NULL DEFAULT false,
    period_close_id uuid,
    refusal text,
    refusal_detail text,
    CONSTRAINT hours_pkey PRIMARY KEY (time_entry_id),
    CONSTRAINT hours_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id),
    CONSTRAINT hours_status_is_known CHECK (status IN ('held', 'posted', 'released', 'refused')),
    CONSTRAINT hours_minutes_are_counted CHECK (worked_minutes BETWEEN 1 AND 1440 AND billed_minutes >= 0
        AND bucket_minutes >= 0 AND overage_minutes >= 0 AND excluded_minutes >= 0),
    CONSTRAINT hours_refused_with_reason CHECK ((status = 'refused') = (refusal IS NOT NULL)),
    CONSTRAINT hours_closed_in_a_period CHECK (is_closed = (period_close_id IS NOT NULL))
);
CREATE INDEX hours_in_order ON hours (contract_id, client_id, worked_from, time_entry_id);
CREATE INDEX hours_of_client ON hours (client_id, worked_from, time_entry_id);
CREATE INDEX hours_open ON hours (client_id, worked_from) WHERE NOT is_closed AND status = 'posted';
CREATE INDEX hours_period_close ON hours (period_close_id) WHERE period_close_id IS NOT NULL;

CREATE TABLE postings (
    contract_id uuid NOT NULL,
    seq bigint NOT NULL,
    client_id uuid NOT NULL,
    kind text NOT NULL,
    from_account text NOT NULL,
    to_account text NOT NULL,
    minutes bigint NOT NULL,
    lot_id uuid,
    corrects_seq bigint,
    time_entry_id uuid,
    source text NOT NULL,
    source_n int NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    actor text NOT NULL,
    reason text NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT postings_pkey PRIMARY KEY (contract_id, seq),
    CONSTRAINT postings_source_counts_once UNIQUE (contract_id, source, source_n),
    CONSTRAINT postings_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id),
    CONSTRAINT postings_corrects_fkey FOREIGN KEY (contract_id, corrects_seq) REFERENCES postings (contract_id, seq),
    CONSTRAINT postings_move_minutes CHECK (minutes > 0 AND from_account <> to_account),
    CONSTRAINT postings_correct_earlier_ones CHECK (corrects_seq < seq)
);
CREATE UNIQUE INDEX postings_corrected_once ON postings (contract_id, corrects_seq) WHERE corrects_seq IS NOT NULL;
CREATE INDEX postings_effective ON postings (contract_id, client_id, effective_at);
CREATE TRIGGER postings_are_append_only BEFORE UPDATE OR DELETE ON postings
    FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();
CREATE TRIGGER postings_are_not_truncated BEFORE TRUNCATE ON postings
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

CREATE TABLE period_closes (
    period_close_id uuid NOT NULL,
    client_id uuid NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    entry_count int NOT NULL,
    worked_minutes bigint NOT NULL,
    checksum text NOT NULL,
    statements jsonb NOT NULL,
    closed_at timestamptz NOT NULL,
    CONSTRAINT period_closes_pkey PRIMARY KEY (period_close_id),
    CONSTRAINT period_closes_client_fkey FOREIGN KEY (client_id) REFERENCES clients (client_id)
);
CREATE INDEX period_closes_client ON period_closes (client_id, ends_on);
"""

VERSIONS_ARE_KEPT = """
CREATE FUNCTION keep_contract_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR (SELECT status FROM contracts WHERE id = OLD.contract_id) <> 'draft' THEN
        RAISE EXCEPTION 'a version of an active contract is kept as it is' USING ERRCODE = 'MSP01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contract_versions_are_kept BEFORE UPDATE OR DELETE ON contract_versions
    FOR EACH ROW EXECUTE FUNCTION keep_contract_version();
"""


def upgrade() -> None:
    """Create everything."""
    create_bus(op, service="contracts", database=DATABASE)
    for script in (CLIENTS, CATALOGUE, CONTRACTS, LEDGER, VERSIONS_ARE_KEPT):
        execute(op, script)
    grant_staff(op, "calendars", "job_types", database=DATABASE, verbs="SELECT, INSERT, UPDATE")
    grant_staff(op, "rate_cards", database=DATABASE, verbs="SELECT, INSERT")
    execute(op, "GRANT USAGE ON SEQUENCE contract_refs TO contracts_staff")
    execute(op, "GRANT SELECT ON job_types TO contracts_client")
    protect(op, "clients", database=DATABASE, staff_verbs=("SELECT", "INSERT", "UPDATE"))
    protect(
        op,
        "contacts",
        database=DATABASE,
        client_verbs=("SELECT", "INSERT"),
        staff_verbs=("SELECT", "INSERT", "UPDATE"),
    )
    for table in ("contracts", "contract_versions", "lots", "buckets", "hours"):
        protect(op, table, database=DATABASE, staff_verbs=("SELECT", "INSERT", "UPDATE"))
    # A client's people see a contract once it is in force.
    execute(
        op,
        "CREATE POLICY no_drafts ON contracts AS RESTRICTIVE FOR SELECT TO contracts_client USING (status <> 'draft')",
    )
    # The roles of the process can add to the ledger, and nothing else.
    protect(op, "postings", database=DATABASE, staff_verbs=("SELECT", "INSERT"))
    protect(op, "period_closes", database=DATABASE, staff_verbs=("SELECT", "INSERT"))
