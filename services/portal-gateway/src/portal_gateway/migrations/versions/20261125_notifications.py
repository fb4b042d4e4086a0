"""Notifications: what each person is told, how they want it, and mail that leaves at most once."""

from alembic import op

from msp_kit.migrations import execute, grant_staff, protect

revision = "20261125_notifications"
down_revision = "20261125_branding_and_languages"
DATABASE = "portal_gateway"

TABLES = """
-- Of tickets, what it takes to tell somebody about them.
CREATE TABLE known_tickets (
    ticket_id uuid PRIMARY KEY, client_id uuid NOT NULL, revision int NOT NULL, ref text NOT NULL, title text NOT NULL,
    priority text NOT NULL, assignee_person_id uuid, raised_by uuid
);
CREATE TABLE notifications (
    id uuid PRIMARY KEY, person_id uuid NOT NULL CONSTRAINT notifications_person REFERENCES people, client_id uuid NOT NULL,
    client_name text NOT NULL, is_for_client boolean NOT NULL, kind text NOT NULL, fact text NOT NULL, about text NOT NULL, link text NOT NULL,
    words jsonb NOT NULL, is_critical boolean NOT NULL, at timestamptz NOT NULL,
    done_at timestamptz, snoozed_until timestamptz, mail_due_at timestamptz, mailed_at timestamptz,
    CONSTRAINT notifications_once UNIQUE (person_id, fact)
);
COMMENT ON COLUMN notifications.client_id IS 'whose affair it is; of staff, too';
COMMENT ON COLUMN notifications.about IS 'what belongs together on the page';
CREATE INDEX notifications_of_person ON notifications (person_id, at DESC, id DESC);
CREATE INDEX notifications_to_mail ON notifications (mail_due_at) WHERE mail_due_at IS NOT NULL;
CREATE INDEX notifications_by_age ON notifications (at);

-- Whatever a program believes: staff hears what is for staff, a client's people what is of their client.
CREATE FUNCTION check_receiver() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM people p WHERE p.id = NEW.person_id
                   AND CASE WHEN NEW.is_for_client THEN p.of_client_id = NEW.client_id ELSE p.kind = 'staff' END) THEN
        RAISE EXCEPTION 'the notification is not for %', NEW.person_id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
REVOKE EXECUTE ON FUNCTION check_receiver() FROM PUBLIC;
CREATE TRIGGER notification_has_its_receiver BEFORE INSERT ON notifications
    FOR EACH ROW EXECUTE FUNCTION check_receiver();
CREATE TRIGGER notification_keeps_its_receiver BEFORE UPDATE OF person_id, client_id, is_for_client, fact ON notifications
    FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();

CREATE TABLE notification_settings (
    person_id uuid PRIMARY KEY CONSTRAINT notification_settings_person REFERENCES people,
    zone text NOT NULL, digest text NOT NULL CHECK (digest IN ('off', 'hourly', 'daily')),
    quiet_from int CHECK (quiet_from BETWEEN 0 AND 1439), quiet_until int CHECK (quiet_until BETWEEN 0 AND 1439),
    channels jsonb NOT NULL, refusal text NOT NULL DEFAULT '', refused_at timestamptz,
    CHECK ((quiet_from IS NULL) = (quiet_until IS NULL))
);

ALTER TABLE mails ADD COLUMN person_id uuid CONSTRAINT mails_person REFERENCES people,
    ADD COLUMN of_client_id uuid, ADD COLUMN unsubscribe text NOT NULL DEFAULT '', ADD COLUMN is_once boolean NOT NULL DEFAULT false,
    ADD COLUMN claim uuid, ADD COLUMN outcome text NOT NULL DEFAULT ''
        CHECK (outcome IN ('', 'sent', 'refused', 'unknown', 'given-up'));
COMMENT ON COLUMN mails.is_once IS 'rather lost than sent twice: who sends it claims it first, in a transaction of its own';
CREATE INDEX mails_of_person ON mails (person_id) WHERE person_id IS NOT NULL;
UPDATE mails SET outcome = 'sent' WHERE sent_at IS NOT NULL;
DROP INDEX mails_waiting;
CREATE INDEX mails_waiting ON mails (due_at) WHERE outcome = '';
"""

OWN = """
-- Inside a client, a person reads and changes what is for that very person; who looks on as staff finds nothing.
CREATE POLICY own ON notifications AS RESTRICTIVE TO portal_gateway_client
    USING (is_for_client AND person_id::text = current_setting('app.actor', true));
"""


def upgrade() -> None:
    execute(op, TABLES)
    protect(op, "known_tickets", database=DATABASE, client_verbs=())
    protect(op, "notifications", database=DATABASE, client_verbs=("SELECT", "UPDATE (done_at, snoozed_until)"))
    execute(op, OWN)
    grant_staff(op, "notification_settings", database=DATABASE)
