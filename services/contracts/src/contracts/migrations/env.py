"""The Alembic environment of this service: the kit's."""

from msp_kit.migrations import run

run()
