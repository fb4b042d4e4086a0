"""What waits for its invoice stands in a narrow queue, and what is on one in a narrow table: no stamp is written twice."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_work_waits_in_a_queue"
down_revision = "20261125_words_about_runs"

DATABASE = "billing"

TABLES = """
-- Posted entries on no invoice: what pricing asks of them, and the text an invoice will list them with. A newer stamp of an
-- entry is another row (n), so that a draft takes what it priced or nothing.
CREATE TABLE unbilled (
    client_id uuid NOT NULL, n bigint GENERATED ALWAYS AS IDENTITY, time_entry_id uuid NOT NULL UNIQUE, revision int NOT NULL,
    contract_id uuid NOT NULL, contract_version int NOT NULL, worked_from timestamptz NOT NULL, posted_at timestamptz NOT NULL,
    worked_minutes int NOT NULL, asks text[] NOT NULL, minutes int[] NOT NULL, said text NOT NULL,
    PRIMARY KEY (client_id, n), CHECK (cardinality(asks) = cardinality(minutes))
);
-- Entries on an invoice. An entry is invoiced once: that is the key. Which are on an invoice, its content says.
CREATE TABLE invoiced (client_id uuid NOT NULL, time_entry_id uuid PRIMARY KEY, invoice_id uuid NOT NULL);
INSERT INTO invoiced SELECT client_id, time_entry_id, invoice_id FROM hours WHERE invoice_id IS NOT NULL;
"""

# The text of an entry as the service writes it: sorted keys, nothing between; the test of this migration compares them.
FILL = r"""
INSERT INTO unbilled (client_id, time_entry_id, revision, contract_id, contract_version, worked_from, posted_at, worked_minutes,
    asks, minutes, said)
SELECT h.client_id, h.time_entry_id, h.revision, h.contract_id, (h.state->>'contract_version')::int, h.worked_from, h.posted_at,
       (h.state->>'worked_minutes')::int, p.asks, p.minutes,
       concat('{"agent_name":', to_json(coalesce(h.state->>'agent_name', '')), ',"billed_minutes":', h.state->>'billed_minutes',
         ',"bucket_minutes":', h.state->>'bucket_minutes', ',"contract_id":"', h.contract_id, '","contract_version":',
         h.state->>'contract_version', ',"excluded_minutes":', coalesce(h.state->>'excluded_minutes', '0'), ',"is_late":',
         h.state->>'is_late', ',"job_type":', to_json(h.state->>'job_type'), ',"level":', to_json(h.state->>'level'), ',"note":',
         to_json(regexp_replace(h.state->>'note',
           '[\x01-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ufffe\uffff]', U&'\FFFD', 'g')),
         ',"overage_minutes":', p.beyond, ',"rule_ids":[', p.rule_ids, '],"section":"', p.section, '","time_entry_id":"',
         h.time_entry_id, '","worked_from":"', to_char(h.worked_from AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS'),
         CASE WHEN date_trunc('second', h.worked_from) <> h.worked_from
              THEN to_char(h.worked_from AT TIME ZONE 'UTC', '.US') END,
         '+00:00","worked_minutes":', h.state->>'worked_minutes', '}')
  FROM hours h
  CROSS JOIN LATERAL (SELECT CASE WHEN h.state->>'task_id' IS NULL THEN 'support' ELSE 'project' END AS section) AS s
  CROSS JOIN LATERAL (
    SELECT s.section, coalesce(array_agg(k.ask ORDER BY k.span, k.place) FILTER (WHERE k.minutes > 0), '{}') AS asks,
           coalesce(array_agg(k.minutes ORDER BY k.span, k.place) FILTER (WHERE k.minutes > 0), '{}') AS minutes,
           coalesce(sum(k.minutes), 0) AS beyond,
           (SELECT string_agg(to_json(r.id)::text, ',' ORDER BY r.first) FROM (
              SELECT id, min(spans.n * 1000 + rules.n) AS first
                FROM jsonb_array_elements(h.state->'spans') WITH ORDINALITY AS spans (span, n),
                     jsonb_array_elements_text(coalesce(span->'rule_ids', '[]')) WITH ORDINALITY AS rules (id, n)
               GROUP BY id) AS r) AS rule_ids
      FROM (SELECT spans.n AS span, kinds.place, (span->>(kinds.kind || '_minutes'))::int AS minutes,
                   concat('["', h.contract_id, '",', h.state->>'contract_version', ',"', kinds.kind, '",',
                     to_json(h.state->>'job_type'), ',', to_json(h.state->>'level'), ',', to_json(span->>'condition'), ',',
                     span->>'weight_percent', ',"', s.section, '"]') AS ask
              FROM jsonb_array_elements(h.state->'spans') WITH ORDINALITY AS spans (span, n),
                   (VALUES (1, 'overage'), (2, 'time_and_materials')) AS kinds (place, kind)) AS k) AS p
 WHERE h.status = 'posted' AND NOT EXISTS (SELECT FROM invoiced b WHERE b.time_entry_id = h.time_entry_id);
"""

GUARDS = """
DROP TRIGGER an_entry_is_invoiced_once ON hours;
DROP FUNCTION refuse_reinvoicing();
ALTER TABLE hours DROP COLUMN invoice_id;
CREATE FUNCTION refuse_unbinding() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM invoices WHERE id = OLD.invoice_id) THEN
        RAISE EXCEPTION 'time entry % is on an invoice', OLD.time_entry_id USING ERRCODE = 'MSP02';
    END IF;
    RETURN OLD;
END $$;
CREATE TRIGGER an_entry_stays_on_its_invoice BEFORE DELETE ON invoiced FOR EACH ROW EXECUTE FUNCTION refuse_unbinding();
CREATE TRIGGER never_change BEFORE UPDATE ON invoiced FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();
CREATE TRIGGER not_truncated BEFORE TRUNCATE ON invoiced FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
"""

# Where the server cannot pack quickly (lz4), packing a content slowly took longer than everything else of drafting.
PACKING = """
DO $$ BEGIN
    ALTER TABLE invoices ALTER COLUMN content SET COMPRESSION lz4;
EXCEPTION WHEN feature_not_supported THEN
    ALTER TABLE invoices ALTER COLUMN content SET STORAGE EXTERNAL;
END $$;
"""


def upgrade() -> None:
    for script in (TABLES, FILL, GUARDS, PACKING):
        execute(op, script)
    protect(op, "unbilled", database=DATABASE, client_verbs=(), staff_verbs=("SELECT", "INSERT", "DELETE"))
    # Clients ask where their hours went.
    protect(op, "invoiced", database=DATABASE, staff_verbs=("SELECT", "INSERT", "DELETE"))
