"""Tags, watchers, links, merging, ratings, priority tables, texts to start from, saved views, attachments, search."""

from alembic import op

from msp_kit.migrations import execute, grant_staff, protect

revision = "20261125_conversations"
down_revision = "20261123_first"
DATABASE = "tickets"

# Words are runs of letters and digits on both sides: the parser would keep host names and addresses in one piece.
TICKETS = """
ALTER TABLE tickets
    ADD COLUMN tags text[] NOT NULL DEFAULT '{}' CONSTRAINT tickets_tags CHECK (cardinality(tags) <= 20),
    ADD COLUMN source text NOT NULL DEFAULT '',
    ADD COLUMN impact text CONSTRAINT tickets_impact CHECK (impact IN ('high', 'medium', 'low')),
    ADD COLUMN urgency text CONSTRAINT tickets_urgency CHECK (urgency IN ('high', 'medium', 'low')),
    ADD COLUMN merged_into_id uuid,
    ADD COLUMN satisfaction smallint CONSTRAINT tickets_satisfaction CHECK (satisfaction BETWEEN 1 AND 5),
    ADD COLUMN search tsvector GENERATED ALWAYS AS (
        setweight(to_tsvector('simple', regexp_replace(ref || ' ' || title, '[^[:alnum:]]+', ' ', 'g')), 'A')
        || setweight(to_tsvector('simple', regexp_replace(description, '[^[:alnum:]]+', ' ', 'g')), 'B')) STORED,
    -- The key holds the client: a ticket never goes into one of another client, whatever a program asks for.
    ADD CONSTRAINT tickets_merged_into FOREIGN KEY (client_id, merged_into_id) REFERENCES tickets (client_id, id),
    ADD CONSTRAINT tickets_merged_elsewhere CHECK (merged_into_id <> id),
    ADD CONSTRAINT tickets_merged_is_closed CHECK (merged_into_id IS NULL OR status = 'closed');
CREATE INDEX tickets_merged_into ON tickets (client_id, merged_into_id) WHERE merged_into_id IS NOT NULL;
CREATE INDEX tickets_by_words ON tickets USING gin (search);
CREATE INDEX tickets_by_tag ON tickets USING gin (tags);
CREATE INDEX tickets_by_due ON tickets (due_at, id);
CREATE INDEX tickets_assignee_by_update ON tickets (assignee_id, updated_at DESC, id DESC);
CREATE INDEX tickets_of_status ON tickets (status, due_at, id) WHERE status <> 'closed';
ALTER TABLE messages
    ADD COLUMN search tsvector GENERATED ALWAYS AS (
        to_tsvector('simple', regexp_replace(body, '[^[:alnum:]]+', ' ', 'g'))) STORED;
CREATE INDEX messages_by_words ON messages USING gin (search);
CREATE INDEX messages_by_time ON messages (posted_at DESC);
ALTER TABLE activities ADD COLUMN revision int, ADD COLUMN changed text[] NOT NULL DEFAULT '{}';
"""

PEOPLE = """
CREATE TABLE watchers (
    client_id uuid NOT NULL, ticket_id uuid NOT NULL, person_id uuid NOT NULL, name text NOT NULL,
    is_staff boolean NOT NULL, since timestamptz NOT NULL,
    PRIMARY KEY (client_id, ticket_id, person_id),
    CONSTRAINT watchers_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX watchers_by_person ON watchers (person_id);
CREATE TABLE ticket_links (
    client_id uuid NOT NULL, ticket_id uuid NOT NULL, other_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('relates_to', 'duplicates', 'blocks', 'caused_by', 'split_from')),
    linked_by text NOT NULL, linked_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, ticket_id, other_id, kind), CHECK (ticket_id <> other_id),
    CONSTRAINT ticket_links_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id),
    CONSTRAINT ticket_links_other FOREIGN KEY (client_id, other_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX ticket_links_other ON ticket_links (client_id, other_id);
CREATE TABLE ratings (
    client_id uuid NOT NULL, ticket_id uuid NOT NULL, cycle int NOT NULL, score smallint NOT NULL CHECK (score BETWEEN 1 AND 5),
    comment text NOT NULL CHECK (length(comment) <= 2000), by_name text NOT NULL, rated_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, ticket_id, cycle),
    CONSTRAINT ratings_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE TABLE priority_tables (
    client_id uuid NOT NULL, impact text NOT NULL CHECK (impact IN ('high', 'medium', 'low')),
    urgency text NOT NULL CHECK (urgency IN ('high', 'medium', 'low')),
    priority text NOT NULL CHECK (priority IN ('critical', 'high', 'medium', 'low')),
    PRIMARY KEY (client_id, impact, urgency)
);
CREATE TABLE canned_replies (
    id uuid PRIMARY KEY, name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 120),
    body text NOT NULL CHECK (length(body) BETWEEN 1 AND 20000), is_public boolean NOT NULL, set_status text
);
CREATE TABLE ticket_templates (
    id uuid PRIMARY KEY, name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 120), title text NOT NULL,
    description text NOT NULL, job_type text, level text, priority text, tags text[] NOT NULL,
    is_for_clients boolean NOT NULL
);
CREATE TABLE saved_views (
    id uuid PRIMARY KEY, person_id uuid NOT NULL, name text NOT NULL CHECK (length(name) BETWEEN 1 AND 120),
    filters jsonb NOT NULL, is_shared boolean NOT NULL, UNIQUE (person_id, name)
);
CREATE TABLE attachments (
    client_id uuid NOT NULL, id uuid NOT NULL, ticket_id uuid NOT NULL, message_id uuid, is_public boolean NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200 AND name !~ '[/\\\\[:cntrl:]]'), media_type text NOT NULL,
    size_bytes bigint NOT NULL CHECK (size_bytes >= 1), sha256 text NOT NULL CHECK (sha256 ~ '^[0-9a-f]{64}$'),
    added_by text NOT NULL, added_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, id), UNIQUE (id),
    CONSTRAINT attachments_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id),
    CONSTRAINT attachments_message FOREIGN KEY (client_id, message_id) REFERENCES messages (client_id, id)
        DEFERRABLE INITIALLY IMMEDIATE
);
CREATE INDEX attachments_of_ticket ON attachments (client_id, ticket_id, added_at, id);
CREATE INDEX attachments_of_message ON attachments (client_id, message_id) WHERE message_id IS NOT NULL;
"""


def upgrade() -> None:
    execute(op, TICKETS)
    execute(op, PEOPLE)
    grant_staff(op, "canned_replies", "ticket_templates", "saved_views", database=DATABASE)
    execute(op, "GRANT SELECT ON ticket_templates TO tickets_client")
    protect(op, "watchers", database=DATABASE, client_verbs=("SELECT", "INSERT", "DELETE"))
    protect(op, "ticket_links", database=DATABASE, client_verbs=())
    protect(op, "ratings", database=DATABASE, client_verbs=("SELECT", "INSERT"))
    protect(op, "priority_tables", database=DATABASE)
    protect(op, "attachments", database=DATABASE, client_verbs=("SELECT", "INSERT"))
    # What is internal does not exist for a client's people, whatever a query asks for.
    execute(
        op,
        """
        CREATE POLICY public_only ON attachments AS RESTRICTIVE TO tickets_client USING (is_public) WITH CHECK (is_public);
        CREATE POLICY clients_only ON watchers AS RESTRICTIVE TO tickets_client USING (NOT is_staff) WITH CHECK (NOT is_staff);
        CREATE POLICY offered ON ticket_templates TO tickets_client USING (is_for_clients);
        CREATE POLICY of_staff ON ticket_templates TO tickets_staff, tickets_owner USING (true) WITH CHECK (true);
        ALTER TABLE ticket_templates ENABLE ROW LEVEL SECURITY;
        ALTER TABLE ticket_templates FORCE ROW LEVEL SECURITY;
        """,
    )
