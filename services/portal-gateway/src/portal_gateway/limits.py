"""How much one identity may ask: a bucket that refills each second, and headers that say how full it is."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from msp_kit.identity import SAFE_METHODS
from portal_gateway.scope import Visitor

READS_PER_MINUTE: Final = 600
WRITES_PER_MINUTE: Final = {"client": 60, "staff": 300}
KEY_PER_MINUTE: Final = 1200
ANONYMOUS_PER_MINUTE: Final = 30
IDENTITIES_MAX: Final = 10_000


class TooManyRequests(Exception):
    """More was asked than is allowed in a minute; wait as long as `Retry-After` says."""

    def __init__(self, state: State) -> None:
        super().__init__(f"at most {state.limit} a minute; try again in {state.reset_seconds} seconds")
        self.state = state


@dataclass(frozen=True, slots=True)
class State:
    """How a bucket stands."""

    limit: int
    remaining: int
    reset_seconds: int

    def headers(self) -> dict[str, str]:
        """Return the ``RateLimit-*`` headers."""
        return {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(self.reset_seconds),
        }


class Limits:
    """The buckets of one process."""

    def __init__(self, *, factor: int) -> None:
        self.factor = factor
        self._buckets: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    def of_visitor(self, visitor: Visitor, *, method: str) -> State:
        """Take one request of a visitor.

        Raises:
            TooManyRequests: the bucket is empty.
        """
        kind = "read" if method in SAFE_METHODS else "write"
        if visitor.key is not None:
            per_minute = KEY_PER_MINUTE
        else:
            per_minute = READS_PER_MINUTE if kind == "read" else WRITES_PER_MINUTE[visitor.caller.kind]
        return self._take((kind, str(visitor.caller.id)), per_minute)

    def of_address(self, address: str) -> State:
        """Take one request of somebody who has not signed in.

        Raises:
            TooManyRequests: the bucket is empty.
        """
        return self._take(("anonymous", address), ANONYMOUS_PER_MINUTE)

    def _take(self, key: tuple[str, str], per_minute: int) -> State:
        limit = per_minute * self.factor
        per_second = limit / 60
        now = time.monotonic()
        level, then = self._buckets.pop(key, (limit * 1.0, now))
        level = min(limit, level + (now - then) * per_second)
        is_empty = level < 1
        level = level if is_empty else level - 1
        self._buckets[key] = (level, now)
        while len(self._buckets) > IDENTITIES_MAX:
            self._buckets.popitem(last=False)
        missing = (1 - level) if is_empty else (limit - level)
        state = State(limit, int(level), math.ceil(missing / per_second))
        if is_empty:
            raise TooManyRequests(state)
        return state
