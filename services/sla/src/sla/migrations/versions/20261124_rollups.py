"""Compliance kept as sums: where a clock counts, what changed, and the sums themselves."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261124_rollups"
down_revision = "20261123_first"

PLACES = """
ALTER TABLE clocks
    ADD COLUMN queue text NOT NULL DEFAULT '',
    ADD COLUMN assignee_id uuid,
    ADD COLUMN counted_on date,
    ADD COLUMN counted_hour smallint;

-- Where a clock counts: the day and the hour, in the client's zone, of its breach or else of its stop. It stays when the
-- client moves to another zone.
CREATE FUNCTION place_clock() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    decided_at timestamptz := coalesce(NEW.breached_at, NEW.stopped_at);
    local_at timestamp := decided_at AT TIME ZONE coalesce(
        (SELECT timezone FROM clients WHERE client_id = NEW.client_id), 'UTC');
BEGIN
    NEW.counted_on := local_at::date;
    NEW.counted_hour := extract(hour FROM local_at);
    RETURN NEW;
END $$;
CREATE TRIGGER clocks_are_placed BEFORE INSERT ON clocks
    FOR EACH ROW WHEN (NEW.breached_at IS NOT NULL OR NEW.stopped_at IS NOT NULL) EXECUTE FUNCTION place_clock();
CREATE TRIGGER clocks_move BEFORE UPDATE ON clocks
    FOR EACH ROW WHEN (coalesce(OLD.breached_at, OLD.stopped_at) IS DISTINCT FROM coalesce(NEW.breached_at, NEW.stopped_at))
    EXECUTE FUNCTION place_clock();

ALTER TABLE clocks DISABLE TRIGGER clocks_keep_their_verdict;
UPDATE clocks c SET queue = t.queue, assignee_id = t.assignee_id,
       counted_on = (c.counted_at AT TIME ZONE coalesce(k.timezone, 'UTC'))::date,
       counted_hour = extract(hour FROM c.counted_at AT TIME ZONE coalesce(k.timezone, 'UTC'))
  FROM tickets t LEFT JOIN clients k USING (client_id)
 WHERE t.ticket_id = c.ticket_id;
ALTER TABLE clocks ENABLE TRIGGER clocks_keep_their_verdict;

-- Drill-down from a number to its clocks.
DROP INDEX clocks_counted, clocks_counted_at;
CREATE INDEX clocks_counted ON clocks (client_id, counted_on) WHERE counted_on IS NOT NULL;
CREATE INDEX clocks_counted_on ON clocks (counted_on, id) WHERE counted_on IS NOT NULL;
-- Fallen due, and no timer has come by yet.
CREATE INDEX clocks_unfired ON clocks (due_at) WHERE status = 'running' AND breached_at IS NULL;
"""

ROLLUPS = """
-- What clocks began or ceased to count, until it is folded into the sums.
CREATE TABLE rollup_changes (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT rollup_changes_pk PRIMARY KEY,
    client_id uuid NOT NULL,
    counted_on date NOT NULL,
    counted_hour smallint NOT NULL,
    metric text NOT NULL,
    priority text NOT NULL,
    level text NOT NULL,
    job_type text NOT NULL,
    queue text NOT NULL,
    assignee_id uuid,
    met int NOT NULL,
    missed int NOT NULL,
    open_overdue int NOT NULL
);

-- Sums by client and of all clients (the nil UUID), by day and by week, along one dimension each.
CREATE TABLE rollups (
    client_id uuid NOT NULL,
    grain text NOT NULL CONSTRAINT rollups_grain CHECK (grain IN ('day', 'week')),
    starts_on date NOT NULL,
    metric text NOT NULL,
    dimension text NOT NULL,
    value text NOT NULL,
    met int NOT NULL,
    missed int NOT NULL,
    open_overdue int NOT NULL,
    CONSTRAINT rollups_pk PRIMARY KEY (client_id, grain, starts_on, metric, dimension, value)
) WITH (fillfactor = 70);

-- The sums a clock takes part in.
CREATE FUNCTION rollup_parts(
    of_client uuid, counted_on date, counted_hour smallint, priority text, level text, job_type text, queue text,
    assignee_id uuid
) RETURNS TABLE (client_id uuid, grain text, starts_on date, dimension text, value text) LANGUAGE sql IMMUTABLE AS $$
    SELECT s.client_id, g.grain, g.starts_on, d.dimension, d.value
      FROM (VALUES (of_client), (uuid '00000000-0000-0000-0000-000000000000')) AS s (client_id)
     CROSS JOIN (VALUES ('day', counted_on), ('week', counted_on - (extract(isodow FROM counted_on)::int - 1)))
        AS g (grain, starts_on)
     CROSS JOIN (VALUES
           ('all', ''), ('client', of_client::text), ('priority', priority), ('level', level), ('job_type', job_type),
           ('queue', queue), ('agent', coalesce(assignee_id::text, '')),
           ('hour', (24 * (extract(isodow FROM counted_on)::int - 1) + counted_hour)::text)
     ) AS d (dimension, value)
$$;

-- Written with the clock, in its transaction: -1 for what it counted as, +1 for what it counts as.
CREATE FUNCTION count_clocks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO rollup_changes (client_id, counted_on, counted_hour, metric, priority, level, job_type, queue, assignee_id,
                                    met, missed, open_overdue)
        SELECT client_id, counted_on, counted_hour, metric, priority, level, job_type, queue, assignee_id,
               count(*) FILTER (WHERE verdict = 'met'), count(*) FILTER (WHERE verdict = 'missed'),
               count(*) FILTER (WHERE verdict IS NULL)
          FROM after_change
         WHERE counted_on IS NOT NULL AND NOT is_breach_carried AND verdict IS DISTINCT FROM 'excluded'
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;
    ELSE
        INSERT INTO rollup_changes (client_id, counted_on, counted_hour, metric, priority, level, job_type, queue, assignee_id,
                                    met, missed, open_overdue)
        SELECT client_id, counted_on, counted_hour, metric, priority, level, job_type, queue, assignee_id,
               coalesce(sum(sign) FILTER (WHERE verdict = 'met'), 0), coalesce(sum(sign) FILTER (WHERE verdict = 'missed'), 0),
               coalesce(sum(sign) FILTER (WHERE verdict IS NULL), 0)
          FROM (SELECT 1 AS sign, * FROM after_change UNION ALL SELECT -1, * FROM before_change) AS both_sides
         WHERE counted_on IS NOT NULL AND NOT is_breach_carried AND verdict IS DISTINCT FROM 'excluded'
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
        HAVING coalesce(sum(sign) FILTER (WHERE verdict = 'met'), 0) <> 0
            OR coalesce(sum(sign) FILTER (WHERE verdict = 'missed'), 0) <> 0
            OR coalesce(sum(sign) FILTER (WHERE verdict IS NULL), 0) <> 0;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER clocks_count_new AFTER INSERT ON clocks
    REFERENCING NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION count_clocks();
CREATE TRIGGER clocks_count AFTER UPDATE ON clocks
    REFERENCING OLD TABLE AS before_change NEW TABLE AS after_change FOR EACH STATEMENT EXECUTE FUNCTION count_clocks();

-- What is there already.
INSERT INTO rollup_changes (client_id, counted_on, counted_hour, metric, priority, level, job_type, queue, assignee_id,
                            met, missed, open_overdue)
SELECT client_id, counted_on, counted_hour, metric, priority, level, job_type, queue, assignee_id,
       count(*) FILTER (WHERE verdict = 'met'), count(*) FILTER (WHERE verdict = 'missed'),
       count(*) FILTER (WHERE verdict IS NULL)
  FROM clocks
 WHERE counted_on IS NOT NULL AND NOT is_breach_carried AND verdict IS DISTINCT FROM 'excluded'
 GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9;
"""


def upgrade() -> None:
    execute(op, PLACES)
    execute(op, ROLLUPS)
    for table in ("rollup_changes", "rollups"):
        protect(op, table, database="sla", client_verbs=("SELECT",))
