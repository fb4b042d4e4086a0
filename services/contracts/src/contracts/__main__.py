"""``python -m contracts serve|api|worker|migrate|topology|verify|dead-letters|republish``."""

import sys

from contracts import api, reports, worker
from contracts.settings import Settings
from msp_kit import cli

SERVICE = cli.Service(
    name="contracts",
    module="contracts",
    database="contracts",
    settings=Settings,
    create_api=api.create,
    create_worker=worker.create,
    verify=reports.verify,
    verify_one="contract",
)

if __name__ == "__main__":
    sys.exit(cli.run(SERVICE))
