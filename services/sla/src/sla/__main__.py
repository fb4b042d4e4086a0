"""``python -m sla serve|api|worker|migrate|verify|…``."""

from __future__ import annotations

import argparse
import sys

from msp_kit import cli
from msp_kit.database import SYSTEM, Database
from msp_kit.settings import ServiceSettings
from sla import api, reports, store, worker
from sla.settings import Settings


def commands(parser: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what only this service can do."""
    rebuild = parser.add_parser("rebuild-rollups", help="make the sums of compliance anew from the clocks")
    rebuild.set_defaults(call=rebuild_rollups)


async def rebuild_rollups(_settings: ServiceSettings, database: Database, _arguments: argparse.Namespace) -> int:
    """Make the sums anew; writers wait meanwhile."""
    async with database.transaction(SYSTEM) as tx:
        count = await store.rebuild_rollups(tx)
    sys.stdout.write(f"{count} sums made anew\n")
    return 0


SERVICE = cli.Service(
    name="sla",
    module="sla",
    database="sla",
    settings=Settings,
    create_api=api.create,
    create_worker=worker.create,
    verify=reports.verify,
    extra=commands,
)

if __name__ == "__main__":
    sys.exit(cli.run(SERVICE))
