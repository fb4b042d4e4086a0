"""Sessions that can be listed, second factors, invitations, policies, API keys, mail, the feed, and a chained audit log."""

from alembic import op

from msp_kit.migrations import execute, grant_staff, protect

revision = "20261125_people_keys_and_audit"
down_revision = "20261123_first"
DATABASE = "portal_gateway"

PEOPLE = """
-- A client's administrator reads the own people only, and never a hash: the second lock behind the question.
ALTER TABLE people ENABLE ROW LEVEL SECURITY;
ALTER TABLE people FORCE ROW LEVEL SECURITY;
CREATE POLICY of_client ON people TO portal_gateway_client
    USING (of_client_id = bus.client_id()) WITH CHECK (of_client_id = bus.client_id());
CREATE POLICY of_staff ON people TO portal_gateway_staff, portal_gateway_owner USING (true) WITH CHECK (true);
GRANT SELECT (id, revision, kind, of_client_id, email, display_name, roles, is_active, created_at)
    ON people TO portal_gateway_client;

ALTER TABLE sessions
    ADD COLUMN id uuid NOT NULL DEFAULT gen_random_uuid(),
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN proved_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ADD COLUMN proofs text[] NOT NULL DEFAULT '{password}',
    ADD COLUMN views_client_id uuid,
    ADD CONSTRAINT sessions_id UNIQUE (id);

CREATE TABLE password_tickets (
    token_sha256 bytea PRIMARY KEY, person_id uuid NOT NULL CONSTRAINT password_tickets_person REFERENCES people,
    purpose text NOT NULL CHECK (purpose IN ('invitation', 'reset')), expires_at timestamptz NOT NULL
);
CREATE INDEX password_tickets_of_person ON password_tickets (person_id);
-- A right password of somebody who has a second factor: the way to the second question, for some minutes.
CREATE TABLE half_sign_ins (
    token_sha256 bytea PRIMARY KEY, person_id uuid NOT NULL CONSTRAINT half_sign_ins_person REFERENCES people,
    expires_at timestamptz NOT NULL
);
CREATE INDEX half_sign_ins_of_person ON half_sign_ins (person_id);
CREATE TABLE authenticator_apps (
    person_id uuid PRIMARY KEY CONSTRAINT authenticator_apps_person REFERENCES people,
    secret_sealed bytea NOT NULL, confirmed_at timestamptz, used_step bigint NOT NULL DEFAULT 0
);
CREATE TABLE recovery_codes (
    code_sha256 bytea PRIMARY KEY, person_id uuid NOT NULL CONSTRAINT recovery_codes_person REFERENCES people
);
CREATE INDEX recovery_codes_of_person ON recovery_codes (person_id);
CREATE TABLE passkeys (
    credential_id bytea PRIMARY KEY, id uuid NOT NULL CONSTRAINT passkeys_id UNIQUE,
    person_id uuid NOT NULL CONSTRAINT passkeys_person REFERENCES people, public_key bytea NOT NULL,
    sign_count bigint NOT NULL, name text NOT NULL, created_at timestamptz NOT NULL, used_at timestamptz
);
CREATE INDEX passkeys_of_person ON passkeys (person_id);
-- A challenge is answered once: the answer takes the row away.
CREATE TABLE challenges (
    challenge bytea PRIMARY KEY, person_id uuid CONSTRAINT challenges_person REFERENCES people,
    purpose text NOT NULL CHECK (purpose IN ('register', 'sign-in')), expires_at timestamptz NOT NULL
);
CREATE INDEX challenges_of_person ON challenges (person_id);
CREATE TABLE second_factor_policies (
    audience text PRIMARY KEY, is_required boolean NOT NULL
);
COMMENT ON COLUMN second_factor_policies.audience IS 'staff, or the id of a client';

CREATE TABLE identity_providers (
    id uuid PRIMARY KEY, kind text NOT NULL CHECK (kind IN ('staff', 'client')), of_client_id uuid, slug text NOT NULL,
    name text NOT NULL, issuer text NOT NULL, oauth_client_id text NOT NULL, secret_sealed bytea NOT NULL,
    role_claim text NOT NULL, role_map jsonb NOT NULL, is_active boolean NOT NULL DEFAULT true,
    CONSTRAINT identity_providers_slug UNIQUE (slug),
    CHECK ((kind = 'client') = (of_client_id IS NOT NULL))
);
-- Somebody is who an issuer says by its own key, never by an e-mail address.
CREATE TABLE identities (
    issuer text NOT NULL, subject text NOT NULL, person_id uuid NOT NULL CONSTRAINT identities_person REFERENCES people,
    PRIMARY KEY (issuer, subject)
);
CREATE INDEX identities_of_person ON identities (person_id);
CREATE TABLE provider_visits (
    state_sha256 bytea PRIMARY KEY, provider_id uuid NOT NULL
        CONSTRAINT provider_visits_provider REFERENCES identity_providers,
    nonce text NOT NULL, verifier text NOT NULL, next_path text NOT NULL, expires_at timestamptz NOT NULL
);
CREATE INDEX provider_visits_of_provider ON provider_visits (provider_id);

CREATE TABLE api_keys (
    id uuid PRIMARY KEY, secret_sha256 bytea NOT NULL, name text NOT NULL, kind text NOT NULL CHECK (kind IN ('staff', 'client')),
    of_client_id uuid, roles text[] NOT NULL, scopes text[] NOT NULL,
    made_by uuid NOT NULL CONSTRAINT api_keys_maker REFERENCES people, created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL, revoked_at timestamptz, used_at timestamptz,
    CHECK ((kind = 'client') = (of_client_id IS NOT NULL))
);
CREATE INDEX api_keys_of_client ON api_keys (of_client_id) WHERE of_client_id IS NOT NULL;
CREATE INDEX api_keys_of_maker ON api_keys (made_by);

CREATE TABLE mails (
    id uuid PRIMARY KEY, recipient text NOT NULL, subject text NOT NULL, text text NOT NULL, created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL, sent_at timestamptz, attempts int NOT NULL DEFAULT 0, last_error text NOT NULL DEFAULT ''
);
CREATE INDEX mails_waiting ON mails (due_at) WHERE sent_at IS NULL;

-- What happened, as ids: who may see a thing asks its own address for it.
CREATE TABLE feed (
    pos bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    id uuid NOT NULL, client_id uuid NOT NULL, type text NOT NULL, subject text NOT NULL, at timestamptz NOT NULL,
    is_for_clients boolean NOT NULL
);
CREATE INDEX feed_in_order ON feed (txid, pos);
CREATE INDEX feed_of_client ON feed (client_id, txid, pos);
CREATE INDEX feed_by_age ON feed (at);
"""

AUDIT = """
ALTER TABLE audit ADD COLUMN of_client_id uuid, ADD COLUMN detail jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN address text NOT NULL DEFAULT '', ADD COLUMN previous_sha256 bytea, ADD COLUMN sha256 bytea;
CREATE INDEX audit_of_client ON audit (of_client_id, id) WHERE of_client_id IS NOT NULL;
CREATE TABLE audit_head (one boolean PRIMARY KEY DEFAULT true CHECK (one), sha256 bytea NOT NULL);
INSERT INTO audit_head (sha256) VALUES (sha256('the audit log begins'));

CREATE FUNCTION audit_digest(entry audit) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(entry.previous_sha256 || convert_to(jsonb_build_array(
        entry.id, extract(epoch FROM entry.at), entry.actor, entry.action, entry.object, entry.outcome, entry.request_id,
        entry.of_client_id, entry.detail, entry.address)::text, 'UTF8'))
$$;
-- Each entry carries the digest of the one before: nobody takes one out of the middle unnoticed. The head is locked until
-- commit, so the chain is in the order of the numbers.
CREATE FUNCTION chain_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    SELECT h.sha256 INTO NEW.previous_sha256 FROM audit_head h FOR UPDATE;
    NEW.id := nextval(pg_get_serial_sequence('audit', 'id'));
    NEW.at := clock_timestamp();
    NEW.sha256 := audit_digest(NEW);
    UPDATE audit_head SET sha256 = NEW.sha256;
    RETURN NEW;
END $$;
ALTER TABLE audit DISABLE TRIGGER audit_is_append_only;
DO $$
DECLARE entry audit; head bytea;
BEGIN
    SELECT h.sha256 INTO head FROM audit_head h;
    FOR entry IN SELECT * FROM audit ORDER BY id LOOP
        entry.previous_sha256 := head;
        head := audit_digest(entry);
        UPDATE audit SET previous_sha256 = entry.previous_sha256, sha256 = head WHERE id = entry.id;
    END LOOP;
    UPDATE audit_head SET sha256 = head;
END $$;
ALTER TABLE audit ENABLE TRIGGER audit_is_append_only;
ALTER TABLE audit ALTER COLUMN previous_sha256 SET NOT NULL, ALTER COLUMN sha256 SET NOT NULL;
CREATE TRIGGER audit_is_chained BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION chain_audit();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();
REVOKE EXECUTE ON FUNCTION chain_audit() FROM PUBLIC;
"""


def upgrade() -> None:
    execute(op, PEOPLE)
    execute(op, AUDIT)
    grant_staff(
        op,
        *("password_tickets", "half_sign_ins", "authenticator_apps", "recovery_codes", "passkeys", "challenges"),
        *("second_factor_policies", "identities", "provider_visits", "mails"),
        database=DATABASE,
    )
    grant_staff(op, "identity_providers", "api_keys", database=DATABASE, verbs="SELECT, INSERT, UPDATE")
    grant_staff(op, "audit_head", database=DATABASE, verbs="SELECT")
    protect(op, "feed", database=DATABASE, staff_verbs=("SELECT", "INSERT", "DELETE"))
