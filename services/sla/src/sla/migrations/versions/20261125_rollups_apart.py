"""The sums of all clients stand apart from those of each client: a dashboard reads some hundred pages, not ten thousand."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_rollups_apart"
down_revision = "20261125_credits"

APART = """
ALTER TABLE rollups RENAME TO rollups_mixed;
ALTER TABLE rollups_mixed RENAME CONSTRAINT rollups_pk TO rollups_mixed_pk;
ALTER TABLE rollups_mixed RENAME CONSTRAINT rollups_grain TO rollups_mixed_grain;

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
) PARTITION BY LIST (client_id);
CREATE TABLE rollups_of_all PARTITION OF rollups FOR VALUES IN ('00000000-0000-0000-0000-000000000000')
  WITH (fillfactor = 70);
CREATE TABLE rollups_of_clients PARTITION OF rollups DEFAULT WITH (fillfactor = 70);

INSERT INTO rollups (client_id, grain, starts_on, metric, dimension, value, met, missed, open_overdue)
SELECT client_id, grain, starts_on, metric, dimension, value, met, missed, open_overdue
  FROM rollups_mixed
 ORDER BY client_id, grain, starts_on;
DROP TABLE rollups_mixed;
"""


def upgrade() -> None:
    execute(op, APART)
    for table in ("rollups", "rollups_of_all", "rollups_of_clients"):
        protect(op, table, database="sla", client_verbs=("SELECT",))
