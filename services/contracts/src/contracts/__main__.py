"""``python -m contracts serve|api|worker|migrate|topology|verify|backtest|dead-letters|republish``."""

import argparse
import sys

from contracts import api, reports, worker
from contracts.reports.forecasts import back_tests
from contracts.settings import Settings
from msp_kit import cli
from msp_kit.database import SYSTEM, Database
from msp_kit.settings import ServiceSettings


async def backtest(_settings: ServiceSettings, database: Database, _arguments: argparse.Namespace) -> int:
    """Show how often the intervals of forecasts would have held."""
    async with database.transaction(SYSTEM, is_snapshot=True) as tx:
        found = await back_tests(tx)
    for ref, told in (*found["contracts"].items(), ("all", found["all"])):
        share = "too short a history" if told["coverage_percent"] is None else f"{told['coverage_percent']} %"
        sys.stdout.write(f"{ref:12} {told['held_count']:6} of {told['interval_count']:6} intervals held: {share}\n")
    return 0


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add what only this service can be told to do."""
    parser = commands.add_parser("backtest", help="how often the forecasts of buckets would have held")
    parser.set_defaults(call=backtest)


SERVICE = cli.Service(
    name="contracts",
    module="contracts",
    database="contracts",
    settings=Settings,
    create_api=api.create,
    create_worker=worker.create,
    verify=reports.verify,
    verify_one="contract",
    extra=add_commands,
)

if __name__ == "__main__":
    sys.exit(cli.run(SERVICE))
