"""${message}."""

from alembic import op

from msp_kit.migrations import execute

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    execute(op, """ """)
