"""``python -m portal_gateway``: the commands of every service, and ``create-person``."""

from __future__ import annotations

import argparse
import sys

from msp_kit.cli import Service, run
from msp_kit.database import SYSTEM, Database
from msp_kit.settings import ServiceSettings
from portal_gateway import api, worker
from portal_gateway.actions import notes, people
from portal_gateway.passwords import BadPassword
from portal_gateway.person import STAFF_ROLES, UnknownRole
from portal_gateway.settings import Settings


async def create_person(_settings: ServiceSettings, database: Database, arguments: argparse.Namespace) -> int:
    """Make a staff person; nothing happens when the address is taken."""
    password = sys.stdin.readline().rstrip("\n")
    try:
        async with database.transaction(SYSTEM) as tx:
            person = await people.add_person(
                tx,
                kind="staff",
                client_id=None,
                email=arguments.email,
                display_name=arguments.name,
                roles=(arguments.role,),
                password=password,
                actor="operator",
            )
    except people.EmailTaken:
        sys.stdout.write(f"{arguments.email} is there already\n")
        return 0
    except (BadPassword, UnknownRole) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{person.email} can sign in\n")
    return 0


def commands(parsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the gateway's own commands."""
    parser = parsers.add_parser("create-person", help="make a staff person who can sign in")
    parser.add_argument("--email", required=True)
    parser.add_argument("--name", required=True)
    parser.add_argument("--role", choices=STAFF_ROLES, required=True)
    parser.add_argument("--password-stdin", action="store_true", required=True)
    parser.set_defaults(call=create_person)


SERVICE = Service(
    name="portal-gateway",
    module="portal_gateway",
    database="portal_gateway",
    settings=Settings,
    create_api=api.create,
    create_worker=worker.create,
    verify=notes.verify,
    extra=commands,
)

if __name__ == "__main__":
    sys.exit(run(SERVICE))
