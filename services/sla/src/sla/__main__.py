"""``python -m sla serve|api|worker|migrate|verify|…``."""

from __future__ import annotations

import sys

from msp_kit import cli
from sla import api, reports, worker
from sla.settings import Settings

SERVICE = cli.Service(
    name="sla",
    module="sla",
    database="sla",
    settings=Settings,
    create_api=api.create,
    create_worker=worker.create,
    verify=reports.verify,
)

if __name__ == "__main__":
    sys.exit(cli.run(SERVICE))
