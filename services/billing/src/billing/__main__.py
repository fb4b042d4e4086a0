"""``python -m billing``."""

from __future__ import annotations

import sys

from billing import api, reports, worker
from billing.settings import Settings
from msp_kit.cli import Service, run

SERVICE = Service(
    name="billing",
    module="billing",
    database="billing",
    settings=Settings,
    create_api=api.create,
    create_worker=worker.create,
    verify=reports.verify,
)

if __name__ == "__main__":
    sys.exit(run(SERVICE))
