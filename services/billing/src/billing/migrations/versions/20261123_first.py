"""First shape: intake, billing runs, invoices that cannot change once issued."""

from alembic import op

from msp_kit.migrations import create_bus, execute, grant_staff, protect

revision = "20261123_first"
down_revision = None
DATABASE = "billing"

TABLES = """
CREATE TABLE clients (client_id uuid PRIMARY KEY, revision int NOT NULL, name text NOT NULL, timezone text NOT NULL,
    state jsonb NOT NULL);
CREATE TABLE contract_versions (
    client_id uuid NOT NULL, contract_id uuid NOT NULL, version int NOT NULL, revision int NOT NULL, status text NOT NULL,
    state jsonb NOT NULL, PRIMARY KEY (contract_id, version)
);
CREATE INDEX contract_versions_of_client ON contract_versions (client_id);
CREATE TABLE hours (
    client_id uuid NOT NULL, time_entry_id uuid PRIMARY KEY, contract_id uuid NOT NULL, revision int NOT NULL,
    status text NOT NULL CHECK (status IN ('held', 'posted', 'released')), worked_from timestamptz NOT NULL,
    worked_minutes int NOT NULL, posted_at timestamptz, state jsonb NOT NULL, invoice_id uuid
);
CREATE INDEX hours_uninvoiced ON hours (client_id, worked_from) WHERE status = 'posted' AND invoice_id IS NULL;
CREATE INDEX hours_of_client ON hours (client_id, worked_from);
CREATE INDEX hours_of_invoice ON hours (invoice_id) WHERE invoice_id IS NOT NULL;

CREATE TABLE billing_runs (
    id uuid PRIMARY KEY, starts_on date NOT NULL, ends_on date NOT NULL, started_at timestamptz NOT NULL,
    CONSTRAINT billing_runs_period UNIQUE (starts_on, ends_on), CHECK (ends_on > starts_on)
);
CREATE TABLE billing_run_items (
    client_id uuid NOT NULL, run_id uuid NOT NULL CONSTRAINT billing_run_items_run REFERENCES billing_runs,
    period_close_id uuid NOT NULL UNIQUE,
    status text NOT NULL CHECK (status IN ('requested', 'sealed', 'closed', 'drafted', 'issuing', 'issued', 'nothing',
                                           'blocked')),
    detail text NOT NULL DEFAULT '', attempt int NOT NULL DEFAULT 1, changed_at timestamptz NOT NULL,
    sealed jsonb, closed jsonb, invoice_id uuid,
    PRIMARY KEY (run_id, client_id)
);
CREATE INDEX billing_run_items_moving ON billing_run_items (changed_at)
    WHERE status IN ('requested', 'sealed', 'closed', 'issuing');

CREATE TABLE series (code text PRIMARY KEY, prefix text NOT NULL, last_number bigint NOT NULL DEFAULT 0 CHECK (last_number >= 0));
CREATE TABLE invoices (
    client_id uuid NOT NULL, id uuid NOT NULL, revision int NOT NULL, period_close_id uuid NOT NULL, currency char(3) NOT NULL,
    status text NOT NULL CHECK (status IN ('draft', 'issued')), starts_on date NOT NULL, ends_on date NOT NULL,
    net_minor bigint NOT NULL, tax_minor bigint NOT NULL, gross_minor bigint NOT NULL, worked_minutes bigint NOT NULL,
    content text NOT NULL,
    series text CONSTRAINT invoices_series REFERENCES series, series_number bigint, number text UNIQUE, issued_at timestamptz,
    due_on date, content_sha256 text, previous_sha256 text,
    PRIMARY KEY (client_id, id), UNIQUE (id), UNIQUE (period_close_id, currency), UNIQUE (series, series_number),
    CHECK (gross_minor = net_minor + tax_minor),
    CHECK ((status = 'issued') = (number IS NOT NULL)),
    CHECK (num_nonnulls(series, series_number, number, issued_at, due_on, content_sha256) IN (0, 6))
);
CREATE INDEX invoices_of_client ON invoices (client_id, starts_on DESC, id);
CREATE INDEX invoices_by_period ON invoices (starts_on DESC, id);
CREATE TABLE documents (
    client_id uuid NOT NULL, invoice_id uuid NOT NULL, kind text NOT NULL CHECK (kind IN ('pdf')), sha256 text NOT NULL,
    body bytea NOT NULL, PRIMARY KEY (client_id, invoice_id, kind),
    CONSTRAINT documents_invoice FOREIGN KEY (client_id, invoice_id) REFERENCES invoices (client_id, id)
);

-- What is issued cannot change, whoever asks: the owner of the tables included.
CREATE FUNCTION refuse_issued() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'issued' THEN
        RAISE EXCEPTION 'invoice % is issued and cannot change', OLD.number USING ERRCODE = 'MSP02';
    END IF;
    RETURN coalesce(NEW, OLD);
END $$;
CREATE TRIGGER issued_invoices_never_change BEFORE UPDATE OR DELETE ON invoices FOR EACH ROW EXECUTE FUNCTION refuse_issued();
CREATE TRIGGER documents_never_change BEFORE UPDATE OR DELETE ON documents FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();
CREATE TRIGGER invoices_are_not_truncated BEFORE TRUNCATE ON invoices FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
CREATE TRIGGER documents_are_not_truncated BEFORE TRUNCATE ON documents FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
CREATE FUNCTION refuse_reinvoicing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'time entry % is on an invoice', OLD.time_entry_id USING ERRCODE = 'MSP02';
END $$;
CREATE TRIGGER an_entry_is_invoiced_once BEFORE UPDATE ON hours FOR EACH ROW
    WHEN (OLD.invoice_id IS NOT NULL AND NEW.invoice_id IS DISTINCT FROM OLD.invoice_id)
    EXECUTE FUNCTION refuse_reinvoicing();
"""


def upgrade() -> None:
    create_bus(op, service="billing", database=DATABASE)
    execute(op, TABLES)
    grant_staff(op, "billing_runs", database=DATABASE, verbs="SELECT, INSERT")
    grant_staff(op, "series", database=DATABASE, verbs="SELECT, INSERT, UPDATE")
    for table in ("clients", "contract_versions", "hours", "billing_run_items"):
        protect(op, table, database=DATABASE, client_verbs=(), staff_verbs=("SELECT", "INSERT", "UPDATE"))
    protect(op, "invoices", database=DATABASE, staff_verbs=("SELECT", "INSERT", "UPDATE"))
    protect(op, "documents", database=DATABASE, staff_verbs=("SELECT", "INSERT"))
    # Drafts do not exist for a client's people.
    execute(op, "CREATE POLICY issued_only ON invoices AS RESTRICTIVE TO billing_client USING (status = 'issued')")
