"""Projects: milestones, tasks, dependencies, templates, and the tickets tasks belong to."""

from alembic import op

from msp_kit.migrations import execute, grant_staff, protect

revision = "20261125_projects"
down_revision = "20261125_staffing"
DATABASE = "tickets"

PROJECTS = """
CREATE TABLE project_counters (client_id uuid PRIMARY KEY, last_number int NOT NULL CHECK (last_number >= 1));
CREATE TABLE projects (
    client_id uuid NOT NULL, id uuid NOT NULL, ref text NOT NULL UNIQUE, revision int NOT NULL CHECK (revision >= 1),
    contract_id uuid NOT NULL, name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200), description text NOT NULL,
    status text NOT NULL CHECK (status IN ('planned', 'active', 'on_hold', 'closed')),
    is_client_visible boolean NOT NULL, budget_minutes int CHECK (budget_minutes BETWEEN 1 AND 10000000),
    starts_on date, due_on date, created_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, id), UNIQUE (id), CHECK (starts_on <= due_on),
    CONSTRAINT projects_contract FOREIGN KEY (client_id, contract_id) REFERENCES contracts (client_id, contract_id)
);
CREATE INDEX projects_by_contract ON projects (client_id, contract_id);
CREATE TABLE milestones (
    client_id uuid NOT NULL, id uuid NOT NULL, project_id uuid NOT NULL,
    name text NOT NULL CHECK (length(name) BETWEEN 1 AND 200), due_on date, position int NOT NULL,
    PRIMARY KEY (client_id, id), UNIQUE (client_id, project_id, id),
    CONSTRAINT milestones_project FOREIGN KEY (client_id, project_id) REFERENCES projects (client_id, id)
);
CREATE TABLE tasks (
    client_id uuid NOT NULL, id uuid NOT NULL, project_id uuid NOT NULL, milestone_id uuid, revision int NOT NULL,
    title text NOT NULL CHECK (length(title) BETWEEN 1 AND 200), description text NOT NULL,
    status text NOT NULL CHECK (status IN ('todo', 'doing', 'waiting', 'done', 'cancelled')),
    position int NOT NULL, estimate_minutes int CHECK (estimate_minutes BETWEEN 1 AND 1000000),
    assignee_id uuid CONSTRAINT tasks_assignee REFERENCES agents, job_type text NOT NULL,
    level text NOT NULL CHECK (level IN ('L1', 'L2', 'L3', 'SA')), due_on date, is_client_visible boolean NOT NULL,
    done_at timestamptz, updated_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, id), UNIQUE (id), UNIQUE (client_id, project_id, id),
    CONSTRAINT tasks_project FOREIGN KEY (client_id, project_id) REFERENCES projects (client_id, id),
    CONSTRAINT tasks_milestone FOREIGN KEY (client_id, project_id, milestone_id)
        REFERENCES milestones (client_id, project_id, id)
);
CREATE INDEX tasks_of_milestone ON tasks (client_id, project_id, milestone_id);
CREATE INDEX tasks_of_assignee ON tasks (assignee_id) WHERE status NOT IN ('done', 'cancelled');
-- Both ends lie in one project of one client: the keys say so.
CREATE TABLE task_dependencies (
    client_id uuid NOT NULL, project_id uuid NOT NULL, task_id uuid NOT NULL, needs_id uuid NOT NULL,
    PRIMARY KEY (client_id, task_id, needs_id), CHECK (task_id <> needs_id),
    CONSTRAINT task_dependencies_task FOREIGN KEY (client_id, project_id, task_id) REFERENCES tasks (client_id, project_id, id),
    CONSTRAINT task_dependencies_needs FOREIGN KEY (client_id, project_id, needs_id) REFERENCES tasks (client_id, project_id, id)
);
CREATE INDEX task_dependencies_task ON task_dependencies (client_id, project_id, task_id);
CREATE INDEX task_dependencies_needs ON task_dependencies (client_id, project_id, needs_id);
CREATE TABLE task_tickets (
    client_id uuid NOT NULL, task_id uuid NOT NULL, ticket_id uuid NOT NULL, linked_at timestamptz NOT NULL,
    PRIMARY KEY (client_id, task_id, ticket_id),
    CONSTRAINT task_tickets_task FOREIGN KEY (client_id, task_id) REFERENCES tasks (client_id, id),
    CONSTRAINT task_tickets_ticket FOREIGN KEY (client_id, ticket_id) REFERENCES tickets (client_id, id)
);
CREATE INDEX task_tickets_ticket ON task_tickets (client_id, ticket_id);
CREATE TABLE project_templates (id uuid PRIMARY KEY, name text NOT NULL UNIQUE, plan jsonb NOT NULL);
ALTER TABLE time_entries
    ADD CONSTRAINT time_entries_task FOREIGN KEY (client_id, task_id) REFERENCES tasks (client_id, id);
ALTER TABLE timers ADD CONSTRAINT timers_task FOREIGN KEY (client_id, task_id) REFERENCES tasks (client_id, id);
CREATE INDEX timers_of_task ON timers (client_id, task_id);
"""


def upgrade() -> None:
    execute(op, PROJECTS)
    grant_staff(op, "project_templates", database=DATABASE)
    protect(op, "project_counters", database=DATABASE, client_verbs=())
    for table in ("projects", "milestones", "tasks"):
        protect(op, table, database=DATABASE)
    for table in ("task_dependencies", "task_tickets"):
        protect(op, table, database=DATABASE, client_verbs=())
    # What is not meant for the client does not exist for its people, whatever a query asks for.
    execute(
        op,
        """
        CREATE POLICY shown ON projects AS RESTRICTIVE TO tickets_client USING (is_client_visible);
        CREATE POLICY shown ON milestones AS RESTRICTIVE TO tickets_client
            USING (EXISTS (SELECT FROM projects p WHERE p.client_id = milestones.client_id AND p.id = milestones.project_id));
        CREATE POLICY shown ON tasks AS RESTRICTIVE TO tickets_client
            USING (is_client_visible
                   AND EXISTS (SELECT FROM projects p WHERE p.client_id = tasks.client_id AND p.id = tasks.project_id));
        """,
    )
