"""First shape: people, sessions, sign-in attempts, audit."""

from alembic import op

from msp_kit.migrations import create_bus, execute, grant_staff

revision = "20261123_first"
down_revision = None
DATABASE = "portal_gateway"

TABLES = """
CREATE TABLE people (
    id uuid PRIMARY KEY, revision int NOT NULL, kind text NOT NULL CHECK (kind IN ('staff', 'client')),
    of_client_id uuid, email text NOT NULL CHECK (email = lower(email)), display_name text NOT NULL, roles text[] NOT NULL,
    password_hash text, is_active boolean NOT NULL DEFAULT true, created_at timestamptz NOT NULL,
    CONSTRAINT people_email UNIQUE (email),
    CHECK ((kind = 'client') = (of_client_id IS NOT NULL))
);
CREATE INDEX people_of_client ON people (of_client_id) WHERE of_client_id IS NOT NULL;
-- Only the SHA-256 of a session's token is kept: who reads this table cannot become anybody.
CREATE TABLE sessions (
    token_sha256 bytea PRIMARY KEY, person_id uuid NOT NULL CONSTRAINT sessions_person REFERENCES people,
    csrf_token text NOT NULL, created_at timestamptz NOT NULL, expires_at timestamptz NOT NULL,
    user_agent text NOT NULL, address text NOT NULL
);
CREATE INDEX sessions_of_person ON sessions (person_id);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE TABLE sign_in_failures (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, email_sha256 bytea NOT NULL, address text NOT NULL,
    failed_at timestamptz NOT NULL
);
CREATE INDEX sign_in_failures_by_email ON sign_in_failures (email_sha256, failed_at);
CREATE INDEX sign_in_failures_by_address ON sign_in_failures (address, failed_at);
CREATE TABLE client_names (client_id uuid PRIMARY KEY, revision int NOT NULL, code text NOT NULL, name text NOT NULL,
    timezone text NOT NULL);
CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor text NOT NULL, action text NOT NULL, object text NOT NULL, outcome text NOT NULL, request_id text NOT NULL
);
CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();
"""


def upgrade() -> None:
    create_bus(op, service="portal-gateway", database=DATABASE)
    execute(op, TABLES)
    grant_staff(op, "people", "client_names", database=DATABASE, verbs="SELECT, INSERT, UPDATE")
    grant_staff(op, "sessions", "sign_in_failures", database=DATABASE)
    grant_staff(op, "audit", database=DATABASE, verbs="SELECT, INSERT")
