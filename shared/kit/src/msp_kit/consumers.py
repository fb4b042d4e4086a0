"""The registry of what a service hears: plain functions, declared with the events they want and the order they need."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msp_events.base import Event
from msp_events.catalog import HEARS
from msp_kit.database import Transaction

Order = Literal["effect", "state", "ordered"]
Hear = Callable[[Transaction, Any], Awaitable[None]]


class Transient(Exception):
    """What this message needs is not there yet (a row it refers to): try again later."""


class Permanent(Exception):
    """This message can never be taken; park it. ``str`` says why."""


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that hears one event, or several of a kind at once."""

    event: type[Event]
    function: Hear
    is_batch: bool


class Consumers:
    """What one service hears.

    ``order`` names, per stream (``tickets.ticket``), what its handlers need:

    - ``effect``: every event exactly once, in any order (a ledger posting);
    - ``state``: the latest wins, older ones are stale (a local copy; events carry whole state);
    - ``ordered``: 1, 2, 3, … of each subject; a gap waits (a state machine).

    ``gather_seconds`` is how long a first event may wait for others to share its transaction. Zero where somebody waits
    for the effect; a service that mostly keeps copies does far less work with a little patience.
    """

    def __init__(self, service: str, *, order: dict[str, Order], gather_seconds: float = 0.0) -> None:
        expected = set(HEARS[service])
        assert set(order) == expected, f"{service} hears {sorted(expected)}, its consumers declare {sorted(order)}"
        self.service = service
        self.order = order
        self.gather_seconds = gather_seconds
        self.handlers: dict[str, Handler] = {}

    def hears(self, *events: type[Event]) -> Callable[[Hear], Hear]:
        """Register ``async def f(tx, event)`` for some types of event."""
        return self._register(events, is_batch=False)

    def hears_many(self, *events: type[Event]) -> Callable[[Hear], Hear]:
        """Register ``async def f(tx, events)``: all events of one transaction at once, in order (hot paths)."""
        return self._register(events, is_batch=True)

    def _register(self, events: Sequence[type[Event]], *, is_batch: bool) -> Callable[[Hear], Hear]:
        def register(function: Hear) -> Hear:
            for event in events:
                assert f"{event.owner}.{event.stream}" in self.order, f"{self.service} is not bound to {event}"
                assert event.type_name() not in self.handlers, f"{event} has a handler already"
                self.handlers[event.type_name()] = Handler(event, function, is_batch)
            return function

        return register

    def order_of(self, type_name: str) -> Order:
        """Return what the stream of an event type needs; unknown streams only pass by."""
        _, owner, stream, *_ = (*type_name.split("."), "", "")
        return self.order.get(f"{owner}.{stream}", "effect")
