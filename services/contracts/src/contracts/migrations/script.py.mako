"""${message}."""

from __future__ import annotations

from alembic import op
from msp_kit.migrations import execute, grant_staff, protect

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    execute(op, """ """)
