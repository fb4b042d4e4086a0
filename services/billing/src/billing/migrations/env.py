"""Alembic, by the kit."""

from msp_kit.migrations import run

run()
