"""What people decided and what was closed carries a seal: a row that is changed behind the triggers does not fit it.

A seal is taken over all columns that are not null. A migration that adds a column with a value to a sealed table has to
seal its rows anew, as this one does.
"""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_seal_what_is_kept"
down_revision = "20261125_terms"

SEALED = ("adjustments", "approvals", "contract_versions", "invoiced_periods", "period_closes")

SEALS = """
CREATE FUNCTION seal_of(kept anyelement) RETURNS bytea LANGUAGE sql STABLE SET timezone = 'UTC' AS $$
    SELECT sha256(convert_to((jsonb_strip_nulls(to_jsonb(kept)) - 'seal')::text, 'UTF8'))
$$;
CREATE FUNCTION seal_row() RETURNS trigger LANGUAGE plpgsql SET timezone = 'UTC' AS $$
BEGIN
    NEW.seal := sha256(convert_to((jsonb_strip_nulls(to_jsonb(NEW)) - 'seal')::text, 'UTF8'));
    RETURN NEW;
END $$;
"""

SEAL = """
ALTER TABLE {table} ADD COLUMN seal bytea;
ALTER TABLE {table} DISABLE TRIGGER USER;
UPDATE {table} t SET seal = seal_of(t);
ALTER TABLE {table} ENABLE TRIGGER USER;
ALTER TABLE {table} ALTER COLUMN seal SET NOT NULL;
CREATE TRIGGER {table}_sealed BEFORE INSERT OR UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION seal_row();
"""

PERIODS_ARE_KEPT = """
CREATE FUNCTION keep_period_close() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.reopened_at IS NOT NULL
        OR to_jsonb(OLD) - '{reopened_at,reopened_by,reopen_reason,seal}'::text[]
           <> to_jsonb(NEW) - '{reopened_at,reopened_by,reopen_reason,seal}'::text[]
    THEN
        RAISE EXCEPTION 'the close of a period is kept as it was, and opened again once' USING ERRCODE = 'MSP01';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER period_closes_are_kept BEFORE UPDATE OR DELETE ON period_closes
    FOR EACH ROW EXECUTE FUNCTION keep_period_close();
"""


def upgrade() -> None:
    """Seal the rows there are and every one that comes."""
    execute(op, SEALS)
    for table in SEALED:
        execute(op, SEAL.format(table=table))
    execute(op, PERIODS_ARE_KEPT)
