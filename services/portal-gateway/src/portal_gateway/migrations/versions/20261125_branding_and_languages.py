"""How the house looks (name, logo, accent), and how each person likes to be spoken to."""

from alembic import op

from msp_kit.migrations import execute, grant_staff

revision = "20261125_branding_and_languages"
down_revision = "20261125_people_keys_and_audit"
DATABASE = "portal_gateway"

TABLES = """
CREATE TABLE branding (
    one boolean PRIMARY KEY DEFAULT true CHECK (one), revision int NOT NULL, name text NOT NULL,
    accent_light text CHECK (accent_light ~ '^#[0-9a-f]{6}$'), accent_dark text CHECK (accent_dark ~ '^#[0-9a-f]{6}$'),
    logo bytea CHECK (length(logo) <= 204800), logo_type text CHECK (logo_type IN ('image/png', 'image/svg+xml')),
    language text NOT NULL CHECK (language ~ '^[a-z]{2}(-[A-Z]{2})?$'), updated_at timestamptz NOT NULL,
    CHECK ((accent_light IS NULL) = (accent_dark IS NULL)), CHECK ((logo IS NULL) = (logo_type IS NULL))
);
COMMENT ON COLUMN branding.language IS 'of mails and pages for whoever has said none';
ALTER TABLE people
    ADD COLUMN language text CHECK (language ~ '^[a-z]{2}(-[A-Z]{2})?$'),
    ADD COLUMN has_shortcuts boolean NOT NULL DEFAULT true;
COMMENT ON COLUMN people.language IS 'null: what the browser asks for';
"""


def upgrade() -> None:
    execute(op, TABLES)
    grant_staff(op, "branding", database=DATABASE, verbs="SELECT, INSERT, UPDATE")
