"""A bank line can be matched anew: the payment recorded for it is withdrawn. Logos of the MSP. Costs in several currencies."""

from alembic import op

from msp_kit.migrations import execute, grant_staff

revision = "20261125_matched_anew_and_logos"
down_revision = "20261125_drop_drafts"

DATABASE = "billing"

MATCHED_ANEW = """
-- Money that was never the client's leaves the payment like a refund, under another name.
ALTER TABLE refunds ADD COLUMN kind text NOT NULL DEFAULT 'refund' CHECK (kind IN ('refund', 'withdrawn'));
ALTER TABLE bank_lines ADD COLUMN taken_back int NOT NULL DEFAULT 0 CHECK (taken_back >= 0);
"""

# An issued invoice names its logo by the hash: the same invoice gives the same document for ever.
LOGOS = """
CREATE TABLE logos (
    sha256 text PRIMARY KEY CHECK (length(sha256) = 64), media_type text NOT NULL CHECK (media_type IN ('image/png', 'image/svg+xml')),
    body bytea NOT NULL CHECK (octet_length(body) BETWEEN 1 AND 200000), added_at timestamptz NOT NULL, added_by text NOT NULL
);
CREATE TRIGGER never_change BEFORE UPDATE OR DELETE ON logos FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();
CREATE TRIGGER not_truncated BEFORE TRUNCATE ON logos FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
"""

# A content of a thousand entries is half a megabyte: packing it slowly took longer than pricing it.
PACKING = """
DO $$ BEGIN
    ALTER TABLE invoices ALTER COLUMN content SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN NULL;
END $$;
"""
COSTS = "ALTER TABLE cost_rates DROP CONSTRAINT cost_rates_pkey, ADD PRIMARY KEY (level, currency)"


def upgrade() -> None:
    execute(op, MATCHED_ANEW)
    execute(op, COSTS)
    execute(op, PACKING)
    execute(op, LOGOS)
    grant_staff(op, "logos", database=DATABASE, verbs="SELECT, INSERT")
