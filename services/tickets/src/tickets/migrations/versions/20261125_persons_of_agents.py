"""Who an agent signs in as, for those whose change concerns the agent."""

from alembic import op

from msp_kit.migrations import execute

revision = "20261125_persons_of_agents"
down_revision = "20261125_open_counted"

# A client's people may not read agents; that their answer concerns one is said all the same.
FUNCTION = """
CREATE FUNCTION persons_of_agents(wanted uuid[]) RETURNS TABLE (id uuid, person_id uuid)
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public AS $$
    SELECT a.id, a.person_id FROM agents a WHERE a.id = ANY (wanted) AND a.person_id IS NOT NULL ORDER BY a.id
$$;
REVOKE EXECUTE ON FUNCTION persons_of_agents(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION persons_of_agents(uuid[]) TO tickets_staff, tickets_client;
"""


def upgrade() -> None:
    execute(op, FUNCTION)
