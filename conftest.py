"""Gives every test real servers: those of the environment, or throw-away ones for this run."""

from __future__ import annotations

import contextlib
import os

import pytest

_stack = contextlib.ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers before any test module reads their addresses."""
    if "MSP_POSTGRES_URL" in os.environ and "MSP_AMQP_URL" in os.environ:
        return
    if config.option.collectonly or config.option.help or config.option.version:
        return
    from msp_local.servers.throwaway import throwaway_servers

    servers = _stack.enter_context(throwaway_servers())
    os.environ["MSP_POSTGRES_URL"] = servers.postgres_url
    os.environ["MSP_AMQP_URL"] = servers.amqp_url
    os.environ["MSP_TEST_VHOSTS"] = ",".join(servers.vhosts)
    config.stash[_SERVERS] = servers.description


def pytest_report_header(config: pytest.Config) -> str:
    """Say which servers serve."""
    return f"servers: {config.stash.get(_SERVERS, 'from the environment')}"


def pytest_unconfigure() -> None:
    """End what was started."""
    _stack.close()


_SERVERS = pytest.StashKey[str]()
