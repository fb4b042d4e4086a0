"""The environment of the migrations."""

from msp_kit.migrations import run

run()
