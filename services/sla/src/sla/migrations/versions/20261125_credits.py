"""Escalation moves queue and priority; credits for broken promises."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_credits"
down_revision = "20261124_rollups"

TERMS = """
ALTER TABLE firings ADD COLUMN to_queue text, ADD COLUMN to_priority text;

-- Versions known before this day came into force whenever they did.
ALTER TABLE terms ADD COLUMN effective_from date NOT NULL DEFAULT '1970-01-01';

-- The newest state of each contract, as far as a credit needs it.
CREATE TABLE contracts (
    contract_id uuid CONSTRAINT contracts_pk PRIMARY KEY,
    client_id uuid NOT NULL,
    currency text NOT NULL,
    ends_on date,
    revision int NOT NULL
);
CREATE INDEX contracts_client ON contracts (client_id);
"""

CREDITS = """
-- Each month of a contract that gives credits: when it is to be settled. A fact that arrives later opens it again.
CREATE TABLE credit_months (
    contract_id uuid NOT NULL CONSTRAINT credit_months_contract REFERENCES contracts (contract_id),
    client_id uuid NOT NULL,
    starts_on date NOT NULL CONSTRAINT credit_months_first CHECK (extract(day FROM starts_on) = 1),
    settle_at timestamptz,
    settled_at timestamptz,
    CONSTRAINT credit_months_pk PRIMARY KEY (contract_id, starts_on),
    CONSTRAINT credit_months_open CHECK (settle_at IS NOT NULL OR settled_at IS NOT NULL)
);
CREATE INDEX credit_months_due ON credit_months (settle_at) WHERE settle_at IS NOT NULL;
CREATE INDEX credit_months_client ON credit_months (client_id, starts_on);

CREATE TABLE credits (
    id uuid CONSTRAINT credits_pk PRIMARY KEY,
    client_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    contract_version int NOT NULL,
    rule_id text NOT NULL,
    kind text NOT NULL CONSTRAINT credits_kind CHECK (kind IN ('per_breach', 'monthly_compliance')),
    starts_on date NOT NULL,
    clock_id uuid,
    currency text NOT NULL,
    amount_minor bigint CONSTRAINT credits_amount CHECK (amount_minor >= 0),
    basis_points bigint CONSTRAINT credits_share CHECK (basis_points >= 0),
    is_capped boolean NOT NULL,
    met_count int NOT NULL,
    missed_count int NOT NULL,
    evidence jsonb NOT NULL,
    status text NOT NULL CONSTRAINT credits_status CHECK (status IN ('earned', 'withdrawn')),
    because text NOT NULL,
    revision int NOT NULL CONSTRAINT credits_revision CHECK (revision >= 1),
    earned_at timestamptz NOT NULL,
    changed_at timestamptz NOT NULL,
    CONSTRAINT credits_give_one_thing CHECK ((amount_minor IS NULL) <> (basis_points IS NULL)),
    CONSTRAINT credits_once UNIQUE NULLS NOT DISTINCT (contract_id, rule_id, starts_on, clock_id),
    CONSTRAINT credits_of_month FOREIGN KEY (contract_id, starts_on) REFERENCES credit_months (contract_id, starts_on),
    CONSTRAINT credits_of_breach CHECK ((kind = 'per_breach') = (clock_id IS NOT NULL)),
    CONSTRAINT credits_clock FOREIGN KEY (client_id, clock_id) REFERENCES clocks (client_id, id)
);
CREATE INDEX credits_client ON credits (client_id, starts_on);
CREATE INDEX credits_month ON credits (contract_id, starts_on);
CREATE INDEX credits_clock ON credits (client_id, clock_id);
CREATE INDEX credits_starts_on ON credits (starts_on, id);

-- What was given stays: a credit only ever changes between earned and withdrawn, each time with the next revision.
CREATE FUNCTION refuse_other_credit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'credit % was said; it can only be withdrawn or earned again', OLD.id USING ERRCODE = 'MSP02';
END $$;
CREATE TRIGGER credits_stay BEFORE UPDATE ON credits
    FOR EACH ROW WHEN (NEW.revision <> OLD.revision + 1 OR NEW.status = OLD.status
        OR (NEW.contract_id, NEW.rule_id, NEW.starts_on, NEW.earned_at) IS DISTINCT FROM
           (OLD.contract_id, OLD.rule_id, OLD.starts_on, OLD.earned_at))
    EXECUTE FUNCTION refuse_other_credit();
CREATE TRIGGER credits_are_kept BEFORE DELETE ON credits FOR EACH ROW EXECUTE FUNCTION refuse_other_credit();
"""


def upgrade() -> None:
    execute(op, TERMS)
    execute(op, CREDITS)
    for table in ("contracts", "credit_months", "credits"):
        protect(op, table, database="sla", client_verbs=("SELECT",), staff_verbs=("SELECT", "INSERT", "UPDATE"))
