"""Contracts among those of their client, frozen heads, contract tests, and the client's consent to overage."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_terms"
down_revision = "20261125_roll_over_and_adjust"

DATABASE = "contracts"

PRIORITY_AND_FREEZE = """
ALTER TABLE contracts ADD COLUMN priority int NOT NULL DEFAULT 100
    CONSTRAINT contracts_priority_is_small CHECK (priority BETWEEN 1 AND 1000);

CREATE FUNCTION keep_contract_head() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status <> 'draft' AND (OLD.client_id, OLD.kind, OLD.currency, OLD.rate_card_id, OLD.starts_on)
            IS DISTINCT FROM (NEW.client_id, NEW.kind, NEW.currency, NEW.rate_card_id, NEW.starts_on) THEN
        RAISE EXCEPTION 'client, type, currency, rate card and start of an active contract are frozen'
            USING ERRCODE = 'MSP01';
    END IF;
    IF (OLD.status, NEW.status) IN (('active', 'draft'), ('ended', 'draft'), ('ended', 'active'), ('draft', 'ended')) THEN
        RAISE EXCEPTION 'a contract goes from draft to active to ended, not from % to %', OLD.status, NEW.status
            USING ERRCODE = 'MSP01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER contracts_head_is_kept BEFORE UPDATE ON contracts
    FOR EACH ROW EXECUTE FUNCTION keep_contract_head();
"""

CONTRACT_TESTS = """
CREATE TABLE contract_tests (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    name text NOT NULL,
    document jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    actor text NOT NULL,
    CONSTRAINT contract_tests_pkey PRIMARY KEY (id),
    CONSTRAINT contract_tests_name_is_unique UNIQUE (contract_id, name),
    CONSTRAINT contract_tests_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id)
);
CREATE INDEX contract_tests_contract ON contract_tests (client_id, contract_id);
"""

APPROVALS = """
ALTER TABLE hours
    ADD COLUMN asked_minutes bigint NOT NULL DEFAULT 0,
    ADD COLUMN consented_minutes bigint NOT NULL DEFAULT 0,
    ADD COLUMN is_declined boolean NOT NULL DEFAULT false;
CREATE INDEX hours_awaiting_consent ON hours (client_id, worked_from, time_entry_id)
    WHERE policy = 'needs_approval' AND status = 'held' AND overage_minutes > consented_minutes;

CREATE TABLE approvals (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    time_entry_id uuid NOT NULL,
    decision text NOT NULL,
    overage_minutes bigint NOT NULL,
    price_minor bigint,
    currency text NOT NULL,
    worked_from timestamptz NOT NULL,
    worked_minutes int NOT NULL,
    job_type text NOT NULL,
    level text NOT NULL,
    reason text NOT NULL,
    decided_by uuid NOT NULL,
    decided_by_name text NOT NULL,
    decided_at timestamptz NOT NULL,
    settled_at timestamptz,
    outcome text,
    CONSTRAINT approvals_pkey PRIMARY KEY (id),
    CONSTRAINT approvals_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id),
    CONSTRAINT approvals_decision_is_known CHECK (decision IN ('approved', 'declined')),
    CONSTRAINT approvals_of_overage CHECK (overage_minutes > 0),
    CONSTRAINT approvals_declined_with_reason CHECK (decision = 'approved' OR reason <> ''),
    CONSTRAINT approvals_settled_with_outcome CHECK (
        (settled_at IS NULL) = (outcome IS NULL) AND outcome IN ('applied', 'outdated'))
);
CREATE INDEX approvals_contract ON approvals (client_id, contract_id);
CREATE INDEX approvals_of_entry ON approvals (time_entry_id, decided_at);
CREATE UNIQUE INDEX approvals_unsettled ON approvals (time_entry_id) WHERE settled_at IS NULL;

CREATE FUNCTION keep_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Under the caller's own row-level security: nobody decides about what they cannot see.
        IF NOT EXISTS (SELECT FROM hours h WHERE h.time_entry_id = NEW.time_entry_id AND h.client_id = NEW.client_id
                          AND h.contract_id = NEW.contract_id) THEN
            RAISE EXCEPTION 'there is no such time entry of this client' USING ERRCODE = 'MSP01';
        END IF;
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' OR OLD.settled_at IS NOT NULL
            OR to_jsonb(OLD) - 'settled_at' - 'outcome' <> to_jsonb(NEW) - 'settled_at' - 'outcome' THEN
        RAISE EXCEPTION 'a decision of a client is kept as it was made' USING ERRCODE = 'MSP01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_are_kept BEFORE INSERT OR UPDATE OR DELETE ON approvals
    FOR EACH ROW EXECUTE FUNCTION keep_approval();
"""


def upgrade() -> None:
    for script in (PRIORITY_AND_FREEZE, CONTRACT_TESTS, APPROVALS):
        execute(op, script)
    protect(
        op,
        "contract_tests",
        database=DATABASE,
        client_verbs=(),
        staff_verbs=("SELECT", "INSERT", "UPDATE", "DELETE"),
    )
    # Staff settles what a client decided, and decides nothing.
    protect(op, "approvals", database=DATABASE, client_verbs=("SELECT", "INSERT"), staff_verbs=("SELECT", "UPDATE"))
