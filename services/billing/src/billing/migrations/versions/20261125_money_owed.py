"""What is owed and paid: profiles, charges, credits, credit notes, payments, reminders, links."""

from alembic import op

from msp_kit.migrations import execute, grant_staff, protect

revision = "20261125_money_owed"
down_revision = "20261123_first"
DATABASE = "billing"

PROFILES = """
CREATE TABLE seller (only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one), revision int NOT NULL, profile jsonb NOT NULL,
    changed_at timestamptz NOT NULL, changed_by text NOT NULL);
CREATE TABLE billing_profiles (client_id uuid PRIMARY KEY, revision int NOT NULL, profile jsonb NOT NULL,
    changed_at timestamptz NOT NULL, changed_by text NOT NULL);
-- What staff agrees beside the contract: one-off and recurring items, discounts, minimums.
CREATE TABLE charges (
    client_id uuid NOT NULL, id uuid NOT NULL, contract_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('item', 'discount', 'minimum')), text text NOT NULL,
    quantity bigint NOT NULL DEFAULT 1 CHECK (quantity BETWEEN 1 AND 1000000),
    amount_minor bigint NOT NULL DEFAULT 0 CHECK (amount_minor >= 0),
    basis_points int NOT NULL DEFAULT 0 CHECK (basis_points BETWEEN 0 AND 10000),
    applies_to text NOT NULL DEFAULT 'all' CHECK (applies_to IN ('all', 'time', 'items')),
    frequency text NOT NULL CHECK (frequency IN ('once', 'monthly')), starts_on date NOT NULL, ends_on date,
    created_at timestamptz NOT NULL, created_by text NOT NULL,
    PRIMARY KEY (client_id, id), CHECK (ends_on IS NULL OR ends_on > starts_on)
);
CREATE INDEX charges_of_contract ON charges (contract_id);
CREATE TABLE credits (
    client_id uuid NOT NULL, id uuid NOT NULL, contract_id uuid NOT NULL, currency char(3) NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0), basis_points int NOT NULL CHECK (basis_points BETWEEN 0 AND 10000),
    text text NOT NULL, evidence jsonb NOT NULL, source text NOT NULL, CHECK ((amount_minor > 0) <> (basis_points > 0)),
    status text NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'withdrawn')), invoice_id uuid, earned_on date NOT NULL,
    created_at timestamptz NOT NULL, created_by text NOT NULL,
    PRIMARY KEY (client_id, id), UNIQUE (id), CHECK (invoice_id IS NULL OR status = 'open'),
    CHECK (jsonb_array_length(evidence) > 0)
);
CREATE INDEX credits_open ON credits (client_id, earned_on) WHERE status = 'open' AND invoice_id IS NULL;
CREATE INDEX credits_of_invoice ON credits (invoice_id) WHERE invoice_id IS NOT NULL;
CREATE TABLE cost_rates (level text PRIMARY KEY, currency char(3) NOT NULL, rate_minor bigint NOT NULL CHECK (rate_minor >= 0));
"""

INVOICES = """
ALTER TABLE invoices ALTER COLUMN period_close_id DROP NOT NULL;
ALTER TABLE invoices ADD COLUMN kind text NOT NULL DEFAULT 'invoice' CHECK (kind IN ('invoice', 'credit_note')),
    ADD COLUMN corrects uuid, ADD COLUMN reason text, ADD COLUMN findings jsonb NOT NULL DEFAULT '[]',
    ADD CONSTRAINT invoices_corrects FOREIGN KEY (client_id, corrects) REFERENCES invoices (client_id, id),
    ADD CONSTRAINT a_credit_note_corrects CHECK ((kind = 'credit_note') = (corrects IS NOT NULL)),
    ADD CONSTRAINT an_invoice_has_a_period CHECK (kind = 'credit_note' OR period_close_id IS NOT NULL),
    ADD CONSTRAINT a_credit_note_gives CHECK (kind = 'invoice' OR gross_minor <= 0);
CREATE INDEX invoices_correcting ON invoices (corrects) WHERE corrects IS NOT NULL;
CREATE INDEX invoices_due ON invoices (due_on) WHERE status = 'issued';
ALTER TABLE documents DROP CONSTRAINT documents_kind_check,
    ADD CONSTRAINT documents_kind_check CHECK (kind IN ('pdf', 'ubl', 'cii'));
ALTER TABLE billing_run_items ADD COLUMN drafted_at timestamptz, ADD COLUMN issued_at timestamptz;

-- The lines of issued invoices, with the tax that fell on each: what credit notes are measured against.
CREATE TABLE invoice_lines (
    client_id uuid NOT NULL, invoice_id uuid NOT NULL, n int NOT NULL, kind text NOT NULL, contract_id uuid NOT NULL,
    quantity_minutes bigint, net_minor bigint NOT NULL, tax_minor bigint NOT NULL,
    PRIMARY KEY (client_id, invoice_id, n),
    CONSTRAINT invoice_lines_invoice FOREIGN KEY (client_id, invoice_id) REFERENCES invoices (client_id, id)
);
CREATE INDEX invoice_lines_of_invoice ON invoice_lines (invoice_id);
CREATE TABLE credited_lines (
    client_id uuid NOT NULL, credit_note_id uuid NOT NULL, invoice_id uuid NOT NULL, n int NOT NULL,
    net_minor bigint NOT NULL, tax_minor bigint NOT NULL,
    PRIMARY KEY (client_id, credit_note_id, n),
    CONSTRAINT credited_lines_note FOREIGN KEY (client_id, credit_note_id) REFERENCES invoices (client_id, id),
    CONSTRAINT credited_lines_line FOREIGN KEY (client_id, invoice_id, n) REFERENCES invoice_lines (client_id, invoice_id, n)
);
CREATE INDEX credited_lines_of_line ON credited_lines (client_id, invoice_id, n);

CREATE FUNCTION refuse_credit_beyond() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE line invoice_lines; net numeric; tax numeric;
BEGIN
    -- One credit note of an invoice at a time.
    PERFORM 1 FROM invoices WHERE client_id = NEW.client_id AND id = NEW.invoice_id AND kind = 'invoice' FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'only invoices can be credited' USING ERRCODE = 'MSP10';
    END IF;
    SELECT * INTO line FROM invoice_lines l WHERE l.client_id = NEW.client_id AND l.invoice_id = NEW.invoice_id AND l.n = NEW.n;
    SELECT coalesce(sum(c.net_minor), 0) + NEW.net_minor, coalesce(sum(c.tax_minor), 0) + NEW.tax_minor INTO net, tax
      FROM credited_lines c WHERE c.client_id = NEW.client_id AND c.invoice_id = NEW.invoice_id AND c.n = NEW.n;
    -- Both have the sign of the line, and never more than the line.
    IF net * sign(line.net_minor) < 0 OR abs(net) > abs(line.net_minor)
        OR tax * sign(line.tax_minor) < 0 OR abs(tax) > abs(line.tax_minor) THEN
        RAISE EXCEPTION 'line % cannot be credited by more than is left of it', NEW.n USING ERRCODE = 'MSP10';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_credit_beyond_the_line BEFORE INSERT ON credited_lines FOR EACH ROW EXECUTE FUNCTION refuse_credit_beyond();
CREATE FUNCTION refuse_late_lines() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- Lines come with the issuing of their invoice, in its transaction, and never afterwards.
    IF NOT EXISTS (SELECT FROM invoices i WHERE i.client_id = NEW.client_id AND i.id = NEW.invoice_id
                    AND i.status = 'issued' AND i.kind = 'invoice' AND i.xmin::text::bigint = txid_current() % (2::bigint ^ 32)::bigint) THEN
        RAISE EXCEPTION 'the lines of an issued invoice cannot change' USING ERRCODE = 'MSP02';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER no_late_lines BEFORE INSERT ON invoice_lines FOR EACH ROW EXECUTE FUNCTION refuse_late_lines();
"""

PAYMENTS = """
CREATE TABLE payments (
    client_id uuid NOT NULL, id uuid NOT NULL, amount_minor bigint NOT NULL CHECK (amount_minor > 0), currency char(3) NOT NULL,
    received_on date NOT NULL, method text NOT NULL, reference text NOT NULL, external_id text UNIQUE,
    recorded_at timestamptz NOT NULL, recorded_by text NOT NULL, PRIMARY KEY (client_id, id), UNIQUE (id)
);
-- Money of a payment that went to an invoice; taking it back is a line of its own with the other sign.
CREATE TABLE allocations (
    client_id uuid NOT NULL, id uuid NOT NULL, payment_id uuid NOT NULL, invoice_id uuid NOT NULL,
    amount_minor bigint NOT NULL CHECK (amount_minor <> 0), reason text NOT NULL DEFAULT '', made_at timestamptz NOT NULL,
    made_by text NOT NULL, PRIMARY KEY (client_id, id),
    CONSTRAINT allocations_payment FOREIGN KEY (client_id, payment_id) REFERENCES payments (client_id, id),
    CONSTRAINT allocations_invoice FOREIGN KEY (client_id, invoice_id) REFERENCES invoices (client_id, id)
);
CREATE INDEX allocations_of_payment ON allocations (client_id, payment_id);
CREATE INDEX allocations_of_invoice ON allocations (client_id, invoice_id);
CREATE TABLE refunds (
    client_id uuid NOT NULL, id uuid NOT NULL, payment_id uuid NOT NULL, amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    refunded_on date NOT NULL, reason text NOT NULL, made_at timestamptz NOT NULL, made_by text NOT NULL,
    PRIMARY KEY (client_id, id),
    CONSTRAINT refunds_payment FOREIGN KEY (client_id, payment_id) REFERENCES payments (client_id, id)
);
CREATE INDEX refunds_of_payment ON refunds (client_id, payment_id);
CREATE TABLE write_offs (
    client_id uuid NOT NULL, id uuid NOT NULL, invoice_id uuid NOT NULL, amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    reason text NOT NULL, proposed_at timestamptz NOT NULL, proposed_by text NOT NULL, approved_at timestamptz, approved_by text,
    PRIMARY KEY (client_id, id), UNIQUE (id),
    CONSTRAINT write_offs_invoice FOREIGN KEY (client_id, invoice_id) REFERENCES invoices (client_id, id),
    CONSTRAINT two_people CHECK (approved_by <> proposed_by), CHECK ((approved_at IS NULL) = (approved_by IS NULL))
);
CREATE INDEX write_offs_of_invoice ON write_offs (client_id, invoice_id);
CREATE TABLE bank_lines (
    id uuid PRIMARY KEY, fingerprint text NOT NULL UNIQUE, booked_on date NOT NULL, amount_minor bigint NOT NULL,
    currency char(3) NOT NULL, counterparty text NOT NULL, reference text NOT NULL, statement text NOT NULL,
    status text NOT NULL CHECK (status IN ('matched', 'unmatched', 'ignored')), note text NOT NULL DEFAULT '',
    payment_id uuid CONSTRAINT bank_lines_payment REFERENCES payments (id), imported_at timestamptz NOT NULL
);
CREATE INDEX bank_lines_by_status ON bank_lines (status, booked_on DESC, id);
CREATE INDEX bank_lines_of_payment ON bank_lines (payment_id);
CREATE TABLE reminders (
    client_id uuid NOT NULL, invoice_id uuid NOT NULL, step int NOT NULL CHECK (step BETWEEN 1 AND 9), open_minor bigint NOT NULL,
    reminded_at timestamptz NOT NULL, PRIMARY KEY (client_id, invoice_id, step),
    CONSTRAINT reminders_invoice FOREIGN KEY (client_id, invoice_id) REFERENCES invoices (client_id, id)
);
CREATE TABLE invoice_links (
    client_id uuid NOT NULL, id uuid NOT NULL, invoice_id uuid NOT NULL, token_sha256 text NOT NULL UNIQUE,
    expires_at timestamptz NOT NULL, revoked_at timestamptz, made_at timestamptz NOT NULL, made_by text NOT NULL,
    PRIMARY KEY (client_id, id), UNIQUE (id),
    CONSTRAINT invoice_links_invoice FOREIGN KEY (client_id, invoice_id) REFERENCES invoices (client_id, id)
);
CREATE INDEX invoice_links_of_invoice ON invoice_links (client_id, invoice_id);

CREATE FUNCTION payment_left(client uuid, payment uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (SELECT amount_minor FROM payments p WHERE p.client_id = client AND p.id = payment)
         - coalesce((SELECT sum(amount_minor) FROM allocations a WHERE a.client_id = client AND a.payment_id = payment), 0)::bigint
         - coalesce((SELECT sum(amount_minor) FROM refunds r WHERE r.client_id = client AND r.payment_id = payment), 0)::bigint
$$;
CREATE FUNCTION invoice_open(client uuid, invoice uuid) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT (SELECT gross_minor FROM invoices i WHERE i.client_id = client AND i.id = invoice)
         + coalesce((SELECT sum(gross_minor) FROM invoices c WHERE c.client_id = client AND c.corrects = invoice), 0)::bigint
         - coalesce((SELECT sum(amount_minor) FROM allocations a WHERE a.client_id = client AND a.invoice_id = invoice), 0)::bigint
         - coalesce((SELECT sum(amount_minor) FROM write_offs w WHERE w.client_id = client AND w.invoice_id = invoice
                      AND w.approved_at IS NOT NULL), 0)::bigint
$$;
-- What is open on every issued invoice, for lists: the same sums as invoice_open, each table read once.
CREATE VIEW receivables WITH (security_invoker = true) AS
    SELECT i.client_id, i.id, i.number, i.currency, i.issued_at, i.due_on, i.gross_minor,
           i.content::json->'client'->>'name' AS client_name,
           i.gross_minor + coalesce(c.minor, 0) - coalesce(a.minor, 0) - coalesce(w.minor, 0) AS open_minor
      FROM invoices i
      LEFT JOIN (SELECT client_id, corrects, sum(gross_minor)::bigint AS minor FROM invoices WHERE corrects IS NOT NULL
                  GROUP BY 1, 2) AS c ON c.client_id = i.client_id AND c.corrects = i.id
      LEFT JOIN (SELECT client_id, invoice_id, sum(amount_minor)::bigint AS minor FROM allocations GROUP BY 1, 2) AS a
             ON a.client_id = i.client_id AND a.invoice_id = i.id
      LEFT JOIN (SELECT client_id, invoice_id, sum(amount_minor)::bigint AS minor FROM write_offs
                  WHERE approved_at IS NOT NULL GROUP BY 1, 2) AS w ON w.client_id = i.client_id AND w.invoice_id = i.id
     WHERE i.kind = 'invoice' AND i.status = 'issued';
CREATE FUNCTION refuse_more_than_there_is() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_TABLE_NAME IN ('allocations', 'refunds') THEN
        PERFORM 1 FROM payments WHERE client_id = NEW.client_id AND id = NEW.payment_id FOR UPDATE;
        IF payment_left(NEW.client_id, NEW.payment_id) < NEW.amount_minor THEN
            RAISE EXCEPTION 'more than is left of payment %', NEW.payment_id USING ERRCODE = 'MSP11';
        END IF;
    END IF;
    IF TG_TABLE_NAME IN ('allocations', 'write_offs') THEN
        PERFORM 1 FROM invoices WHERE client_id = NEW.client_id AND id = NEW.invoice_id AND kind = 'invoice' AND status = 'issued'
            FOR UPDATE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'only issued invoices are paid' USING ERRCODE = 'MSP11';
        END IF;
        IF NEW.amount_minor > 0 AND invoice_open(NEW.client_id, NEW.invoice_id) < NEW.amount_minor THEN
            RAISE EXCEPTION 'more than is open on invoice %', NEW.invoice_id USING ERRCODE = 'MSP11';
        END IF;
    END IF;
    IF TG_TABLE_NAME = 'allocations' THEN
        IF NEW.amount_minor + coalesce((SELECT sum(amount_minor) FROM allocations a WHERE a.client_id = NEW.client_id
                AND a.payment_id = NEW.payment_id AND a.invoice_id = NEW.invoice_id), 0) < 0 THEN
            RAISE EXCEPTION 'more taken back than was allocated' USING ERRCODE = 'MSP11';
        END IF;
        IF (SELECT p.currency FROM payments p WHERE p.id = NEW.payment_id)
            <> (SELECT i.currency FROM invoices i WHERE i.id = NEW.invoice_id) THEN
            RAISE EXCEPTION 'a payment and its invoice have one currency' USING ERRCODE = 'MSP11';
        END IF;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER not_more_than_there_is BEFORE INSERT ON allocations FOR EACH ROW EXECUTE FUNCTION refuse_more_than_there_is();
CREATE TRIGGER not_more_than_there_is BEFORE INSERT ON refunds FOR EACH ROW EXECUTE FUNCTION refuse_more_than_there_is();
CREATE TRIGGER not_more_than_there_is BEFORE INSERT OR UPDATE ON write_offs FOR EACH ROW
    EXECUTE FUNCTION refuse_more_than_there_is();
CREATE FUNCTION refuse_decided() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a decided write-off does not change' USING ERRCODE = 'MSP02';
END $$;
CREATE TRIGGER decided_once BEFORE UPDATE ON write_offs FOR EACH ROW WHEN (OLD.approved_at IS NOT NULL)
    EXECUTE FUNCTION refuse_decided();
"""

FOREVER = ("invoice_lines", "credited_lines", "payments", "allocations", "refunds", "reminders")


def upgrade() -> None:
    for script in (PROFILES, INVOICES, PAYMENTS):
        execute(op, script)
    for table in FOREVER:
        execute(
            op,
            f"CREATE TRIGGER never_change BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();"
            f"CREATE TRIGGER not_truncated BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();",
        )
    grant_staff(op, "seller", "cost_rates", "bank_lines", database=DATABASE, verbs="SELECT, INSERT, UPDATE, DELETE")
    changing = ("SELECT", "INSERT", "UPDATE")
    for table in ("billing_profiles", "credits"):
        protect(op, table, database=DATABASE, staff_verbs=changing)
    protect(op, "charges", database=DATABASE, client_verbs=(), staff_verbs=("SELECT", "INSERT", "UPDATE", "DELETE"))
    protect(op, "write_offs", database=DATABASE, staff_verbs=changing)
    protect(op, "invoice_links", database=DATABASE, client_verbs=(), staff_verbs=changing)
    # FOR UPDATE of the guards needs the right to update; the triggers above refuse every real change.
    for table in FOREVER:
        verbs = ("SELECT", "INSERT", "UPDATE") if table == "payments" else ("SELECT", "INSERT")
        protect(op, table, database=DATABASE, staff_verbs=verbs)
    # Clients ask where their hours went; the policies of the first migration show them their own rows only.
    execute(op, f"GRANT SELECT ON clients, contract_versions, hours TO {DATABASE}_client")
    execute(op, f"GRANT SELECT ON receivables TO {DATABASE}_staff, {DATABASE}_client")
