"""Alerts of monitoring systems, each with the ticket it opened."""

from alembic import op

from msp_kit.migrations import execute, protect

revision = "20261125_alerts"
down_revision = "20261125_projects"
DATABASE = "tickets"

ALERTS = """
CREATE TABLE alerts (
    client_id uuid NOT NULL, system text NOT NULL, dedup_key text NOT NULL, ticket_id uuid,
    state text NOT NULL CHECK (state IN ('firing', 'cleared')), severity text NOT NULL, title text NOT NULL,
    told_count int NOT NULL CHECK (told_count >= 1), first_at timestamptz NOT NULL, last_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, system, dedup_key),
    CONSTRAINT alerts_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX alerts_of_ticket ON alerts (client_id, ticket_id);
CREATE INDEX alerts_by_last ON alerts (last_at DESC);
"""


def upgrade() -> None:
    execute(op, ALERTS)
    protect(op, "alerts", database=DATABASE, client_verbs=())
