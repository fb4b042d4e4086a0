"""Files of projects: they lie beside those of tickets, and clients see those of projects that are shown to them."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261126_project_files"
down_revision = "20261125_counted_by_month"


def upgrade() -> None:
    execute(
        op,
        """
        ALTER TABLE attachments ALTER COLUMN ticket_id DROP NOT NULL, ADD COLUMN project_id uuid,
            ADD CONSTRAINT attachments_place CHECK (num_nonnulls(ticket_id, project_id) = 1
                                                    AND (message_id IS NULL OR project_id IS NULL)),
            ADD CONSTRAINT attachments_project FOREIGN KEY (client_id, project_id) REFERENCES projects (client_id, id);
        CREATE INDEX attachments_of_project ON attachments (client_id, project_id, added_at, id) WHERE project_id IS NOT NULL;
        CREATE POLICY of_shown_projects ON attachments AS RESTRICTIVE TO tickets_client
            USING (project_id IS NULL OR EXISTS (SELECT FROM projects p
                   WHERE p.client_id = attachments.client_id AND p.id = attachments.project_id))
            WITH CHECK (project_id IS NULL);
        """,
    )
