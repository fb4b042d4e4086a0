"""A draft can be dropped when its period is opened again: its entries are free then, and only then."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_drop_drafts"
down_revision = "20261125_money_owed"

DROPPING = """
GRANT DELETE ON invoices TO billing_staff;
CREATE OR REPLACE FUNCTION refuse_reinvoicing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.invoice_id IS NULL AND NOT EXISTS (SELECT FROM invoices WHERE id = OLD.invoice_id) THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'time entry % is on an invoice', OLD.time_entry_id USING ERRCODE = 'MSP02';
END $$;
"""


def upgrade() -> None:
    execute(op, DROPPING)
