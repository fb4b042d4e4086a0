"""Lots roll over and are adjusted by two people; closed periods can be opened again; forecasts are said once."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_roll_over_and_adjust"
down_revision = "20261124_carry_agent_names"

LOTS = """
ALTER TABLE lots
    ADD COLUMN adjusted_minutes bigint NOT NULL DEFAULT 0,
    ADD COLUMN carried_out_minutes bigint NOT NULL DEFAULT 0,
    ADD COLUMN carried_from uuid,
    ADD COLUMN carry_percent int,
    ADD COLUMN carry_cap_minutes bigint,
    ADD COLUMN carry_out_seq bigint,
    ADD COLUMN carry_in_seq bigint,
    ADD CONSTRAINT lots_carried_from_fkey FOREIGN KEY (carried_from) REFERENCES lots (id),
    ADD CONSTRAINT lots_carried_from_a_lot CHECK ((origin = 'carried') = (carried_from IS NOT NULL)
        AND (carried_from IS NOT NULL) = (carry_percent IS NOT NULL)),
    DROP CONSTRAINT lots_have_minutes,
    ADD CONSTRAINT lots_have_minutes CHECK (minutes >= 0 AND (minutes > 0 OR origin = 'carried' OR adjusted_minutes < 0)
        AND left_minutes >= 0 AND expired_minutes >= 0 AND carried_out_minutes >= 0
        AND expired_minutes + carried_out_minutes <= left_minutes AND left_minutes <= minutes);
CREATE UNIQUE INDEX lots_carried_once ON lots (carried_from) WHERE carried_from IS NOT NULL;
"""

ADJUSTMENTS = """
CREATE TABLE adjustments (
    id uuid NOT NULL,
    client_id uuid NOT NULL,
    contract_id uuid NOT NULL,
    lot_id uuid NOT NULL,
    minutes bigint NOT NULL,
    reason text NOT NULL,
    status text NOT NULL DEFAULT 'asked',
    asked_by text NOT NULL,
    asked_at timestamptz NOT NULL,
    decided_by text,
    decided_at timestamptz,
    CONSTRAINT adjustments_pkey PRIMARY KEY (id),
    CONSTRAINT adjustments_contract_fkey FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, id),
    CONSTRAINT adjustments_lot_fkey FOREIGN KEY (lot_id) REFERENCES lots (id),
    CONSTRAINT adjustments_move_minutes CHECK (minutes <> 0),
    CONSTRAINT adjustments_have_a_reason CHECK (length(trim(reason)) > 0),
    CONSTRAINT adjustments_status_is_known CHECK (status IN ('asked', 'confirmed', 'declined')),
    CONSTRAINT adjustments_decided_by_somebody CHECK ((status = 'asked') = (decided_by IS NULL)
        AND (decided_by IS NULL) = (decided_at IS NULL)),
    CONSTRAINT adjustments_take_two_people CHECK (status <> 'confirmed' OR decided_by <> asked_by)
);
CREATE INDEX adjustments_contract ON adjustments (client_id, contract_id, asked_at);
CREATE INDEX adjustments_lot ON adjustments (lot_id);
CREATE FUNCTION keep_adjustment() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.status <> 'asked'
        OR (OLD.id, OLD.client_id, OLD.contract_id, OLD.lot_id, OLD.minutes, OLD.reason, OLD.asked_by, OLD.asked_at)
            IS DISTINCT FROM
           (NEW.id, NEW.client_id, NEW.contract_id, NEW.lot_id, NEW.minutes, NEW.reason, NEW.asked_by, NEW.asked_at)
    THEN
        RAISE EXCEPTION 'an adjustment is decided once and kept as it was asked for' USING ERRCODE = 'MSP01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER adjustments_are_kept BEFORE UPDATE OR DELETE ON adjustments
    FOR EACH ROW EXECUTE FUNCTION keep_adjustment();
"""

PERIODS = """
ALTER TABLE period_closes
    ADD COLUMN closing int NOT NULL DEFAULT 1,
    ADD COLUMN ends_at timestamptz,
    ADD COLUMN reopened_at timestamptz,
    ADD COLUMN reopened_by text,
    ADD COLUMN reopen_reason text,
    DROP CONSTRAINT period_closes_pkey,
    ADD CONSTRAINT period_closes_pkey PRIMARY KEY (period_close_id, closing),
    ADD CONSTRAINT period_closes_reopened_with_reason CHECK ((reopened_at IS NULL) = (reopened_by IS NULL)
        AND (reopened_at IS NULL) = (reopen_reason IS NULL));
UPDATE period_closes p SET ends_at = (p.ends_on::timestamp AT TIME ZONE c.timezone)
  FROM clients c WHERE c.client_id = p.client_id;
ALTER TABLE period_closes ALTER COLUMN ends_at SET NOT NULL;
CREATE UNIQUE INDEX period_closes_closed_once ON period_closes (period_close_id) WHERE reopened_at IS NULL;
GRANT UPDATE (reopened_at, reopened_by, reopen_reason) ON period_closes TO contracts_staff;
CREATE TABLE invoiced_periods (
    invoice_id uuid NOT NULL,
    client_id uuid NOT NULL,
    starts_on date NOT NULL,
    ends_on date NOT NULL,
    number text,
    CONSTRAINT invoiced_periods_pkey PRIMARY KEY (invoice_id),
    CONSTRAINT invoiced_periods_end_after_start CHECK (ends_on > starts_on)
);
CREATE INDEX invoiced_periods_client ON invoiced_periods (client_id, ends_on);
"""

ALERTS = """
ALTER TABLE buckets
    ADD COLUMN forecast_on date,
    ADD COLUMN is_shortfall_said boolean NOT NULL DEFAULT false;
"""


def upgrade() -> None:
    """Change lots, periods and buckets; add adjustments."""
    for script in (LOTS, ADJUSTMENTS, PERIODS, ALERTS):
        execute(op, script)
    protect(op, "adjustments", database="contracts", client_verbs=(), staff_verbs=("SELECT", "INSERT", "UPDATE"))
    protect(op, "invoiced_periods", database="contracts", client_verbs=(), staff_verbs=("SELECT", "INSERT"))
