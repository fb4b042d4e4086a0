"""Writing migrations."""

from __future__ import annotations

import pathlib
import shutil
import sys

import pytest

from msp_kit import migrations


def test_a_new_migration_follows_the_newest_one(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    probe = pathlib.Path(__file__).parent / "probe"
    shutil.copytree(probe, tmp_path / "probe_copy")
    monkeypatch.syspath_prepend(str(tmp_path))
    before = migrations.head("probe_copy")

    made = migrations.new("probe_copy", name="Create clocks!")

    assert made.name.endswith("_create_clocks.py")
    assert f"down_revision = {before!r}" in made.read_text()
    assert migrations.head("probe_copy") == made.stem
    sys.modules.pop("probe_copy", None)
