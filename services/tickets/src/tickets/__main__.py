"""``python -m tickets``."""

from __future__ import annotations

import sys

from msp_kit.cli import Service, run
from tickets import api, reports, worker
from tickets.settings import Settings

SERVICE = Service(
    name="tickets",
    module="tickets",
    database="tickets",
    settings=Settings,
    create_api=api.create,
    create_worker=worker.create,
    verify=reports.verify,
)

if __name__ == "__main__":
    sys.exit(run(SERVICE))
