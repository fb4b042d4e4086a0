"""``python -m msp_local run|test|replay``."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

from msp_local.servers.processes import ServerFailed
from msp_local.servers.throwaway import throwaway_servers


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m msp_local")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("run", help="start the platform and stay with it")
    commands.add_parser("clean", help="remove the platform's data")
    with_servers = commands.add_parser("with-servers", help="run a program with throw-away servers")
    with_servers.add_argument("program", nargs=argparse.REMAINDER)
    replay = commands.add_parser("replay", help="import an incident log of another system")
    replay.add_argument("file")
    replay.add_argument("--url", default=f"http://127.0.0.1:{os.environ.get('MSP_PORT', '8000')}")
    arguments = parser.parse_args(argv)
    try:
        return _dispatch(arguments)
    except ServerFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _dispatch(arguments: argparse.Namespace) -> int:
    if arguments.command == "with-servers":
        return _with_servers(arguments.program)
    if arguments.command == "replay":
        from msp_local.replay.run import replay  # noqa: PLC0415 - the other commands do without an HTTP client

        return replay(arguments.file, url=arguments.url)
    from msp_local import run  # noqa: PLC0415 - as above

    return run.clean() if arguments.command == "clean" else run.run()


def _with_servers(program: Sequence[str]) -> int:
    with throwaway_servers() as servers:
        sys.stdout.write(f"servers: {servers.description}\n")
        sys.stdout.flush()
        env = {
            **os.environ,
            "MSP_POSTGRES_URL": servers.postgres_url,
            "MSP_AMQP_URL": servers.amqp_url,
            "MSP_TEST_VHOSTS": ",".join(servers.vhosts),
        }
        return subprocess.run(list(program), env=env, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
