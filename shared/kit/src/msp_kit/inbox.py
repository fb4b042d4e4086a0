"""Hearing exactly once: an event dies in the transaction of its effect.

The inbox row, the position in the stream and the effect commit together. What cannot be handled stays in the database
with its reason: waiting for an earlier number, to be tried again, or parked for a person. Nothing is ever requeued.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from opentelemetry import trace
from pydantic import ValidationError

from msp_events.envelope import Envelope, parse
from msp_kit import telemetry
from msp_kit.consumers import Consumers, Handler, Permanent, Transient
from msp_kit.database import SYSTEM, Database, Transaction, is_unavailable, sqlstate

log = telemetry.logger(__name__)

RETRY_SECONDS = (1, 5, 30, 120, 600, 1800, 3600, 7200, 14_400, 28_800)
UNEXPECTED_ATTEMPTS_MAX = 3

_INSERT = """
    INSERT INTO bus.inbox (source, event_id, subject, epoch, seq, type, body_sha256, status)
    SELECT *, 'done' FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::int[], $6::text[], $7::bytea[])
    ON CONFLICT (source, event_id) DO NOTHING
    RETURNING source, event_id
"""
_POSITIONS = """
    INSERT INTO bus.stream_position AS p (source, subject, epoch, next_seq)
    SELECT source, subject, 1, 1
      FROM (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) AS w (source, subject)) AS wanted
     ORDER BY source, subject
    ON CONFLICT (source, subject) DO UPDATE SET next_seq = p.next_seq
    RETURNING source, subject, epoch, next_seq
"""
_ADVANCE = """
    UPDATE bus.stream_position p SET epoch = n.epoch, next_seq = n.next_seq
      FROM unnest($1::text[], $2::text[], $3::int[], $4::int[]) AS n (source, subject, epoch, next_seq)
     WHERE p.source = n.source AND p.subject = n.subject
"""
_SETTLE = """
    UPDATE bus.inbox SET status = $3, envelope = $4, error_code = $5, error_text = $6, attempts = attempts + $7,
           next_at = CASE WHEN $3 = 'retry' THEN clock_timestamp() + make_interval(secs => $8) END
     WHERE source = $1 AND event_id = $2
"""
_DUE = """
    SELECT envelope FROM bus.inbox
     WHERE status = 'retry' AND next_at <= clock_timestamp()
    UNION ALL
    SELECT i.envelope FROM bus.inbox i JOIN bus.stream_position p USING (source, subject)
     WHERE i.status = 'waiting' AND (i.epoch, i.seq) <= (p.epoch, p.next_seq)
     LIMIT 100
"""


@dataclass(slots=True)
class _Position:
    epoch: int
    next_seq: int
    has_moved: bool = False


class Inbox:
    """Takes events into one service, a batch per transaction when all goes well, one by one when it does not."""

    def __init__(self, database: Database, consumers: Consumers) -> None:
        self.database = database
        self.consumers = consumers

    async def accept(self, envelopes: Sequence[Envelope]) -> None:
        """Take events durably: handled, waiting, to be retried or parked. Returns after the commit.

        Raises:
            OSError, asyncpg.PostgresConnectionError: the database is away; nothing was taken.
        """
        wanted = [one for one in envelopes if self._concerns_us(one)]
        if not wanted:
            return
        try:
            await self._accept_together(wanted)
        except Exception as error:
            if is_unavailable(error):
                raise
            # Somebody in the batch cannot be handled: each event alone, so that it harms no other.
            for envelope in wanted:
                await self._accept_alone(envelope)

    def _concerns_us(self, one: Envelope) -> bool:
        """Return whether an event has a handler, or a number that handled events of its subject wait for."""
        if one.type in self.consumers.handlers or self.consumers.order_of(one.type) == "ordered":
            return True
        telemetry.EVENTS_HEARD.labels(self.consumers.service, one.stream, "ignored").inc()
        return False

    async def _accept_together(self, envelopes: Sequence[Envelope]) -> None:
        async with self.database.transaction(SYSTEM) as tx:
            await _Batch(tx, self.consumers).take(envelopes)

    async def _accept_alone(self, envelope: Envelope) -> None:
        try:
            await self._accept_together([envelope])
        except Exception as error:
            if is_unavailable(error):
                raise
            await self._put_aside(envelope, error, is_new=True)

    async def sweep(self) -> int:
        """Try again what is due, and what waited for an earlier number that has come; return how many were tried."""
        async with self.database.transaction(SYSTEM) as tx:
            rows = await tx.fetch(_DUE)
        for row in rows:
            (envelope,) = parse(row["envelope"])
            await self.again(envelope)
        return len(rows)

    async def again(self, envelope: Envelope) -> None:
        """Try one open event again."""
        try:
            async with self.database.transaction(SYSTEM) as tx:
                is_mine = await tx.fetchval(
                    "SELECT true FROM bus.inbox WHERE source = $1 AND event_id = $2 AND status IN ('waiting', 'retry', 'parked')"
                    " FOR UPDATE SKIP LOCKED",
                    envelope.source,
                    envelope.id,
                )
                if is_mine:
                    await _settle(tx, envelope, status="done")
                    await _Batch(tx, self.consumers).handle([envelope])
        except Exception as error:
            if is_unavailable(error):
                raise
            await self._put_aside(envelope, error, is_new=False)

    async def _put_aside(self, envelope: Envelope, error: Exception, *, is_new: bool) -> None:
        async with self.database.transaction(SYSTEM) as tx:
            if is_new and not await _insert(tx, [envelope]):
                return
            attempts = await tx.fetchval(
                "SELECT attempts FROM bus.inbox WHERE source = $1 AND event_id = $2", envelope.source, envelope.id
            )
            delay_seconds = _delay_seconds(error, attempts)
            status = "parked" if delay_seconds is None else "retry"
            await _settle(tx, envelope, status=status, error=error, delay_seconds=delay_seconds or 0)
        outcome = telemetry.EVENTS_HEARD.labels(self.consumers.service, envelope.stream, status)
        outcome.inc()
        log.warning(
            "event put aside",
            status=status,
            event_id=envelope.id,
            type=envelope.type,
            subject=envelope.subject,
            error=repr(error)[:500],
            exc_info=None if isinstance(error, Transient | Permanent) else error,
        )


class _Batch:
    """The work of one transaction."""

    def __init__(self, tx: Transaction, consumers: Consumers) -> None:
        self.tx = tx
        self.consumers = consumers

    async def take(self, envelopes: Sequence[Envelope]) -> None:
        fresh_keys = await _insert(self.tx, envelopes)
        fresh = [one for one in envelopes if (one.source, one.id) in fresh_keys]
        for one in envelopes:
            if (one.source, one.id) in fresh_keys:
                fresh_keys.discard((one.source, one.id))
            else:
                await self._note_duplicate(one)
        if fresh:
            # The same id twice in one batch: the first one counts.
            await self.handle(list({(one.source, one.id): one for one in reversed(fresh)}.values())[::-1])

    async def handle(self, envelopes: Sequence[Envelope]) -> None:
        """Handle events whose inbox rows are in place, in the order their streams need.

        What waits behind them is left to the sweep: in a transaction of its own, it cannot harm these.
        """
        positions = await self._positions(envelopes)
        ready: list[Envelope] = []
        for one in envelopes:
            position = positions.get((one.source, one.subject))
            if position is None:
                ready.append(one)
                continue
            if await self._is_next(one, position):
                ready.append(one)
        await self._run(ready)
        moved = [(*key, at.epoch, at.next_seq) for key, at in positions.items() if at.has_moved]
        if moved:
            await self.tx.driver.execute(_ADVANCE, *map(list, zip(*moved, strict=True)))

    async def _positions(self, envelopes: Sequence[Envelope]) -> dict[tuple[str, str], _Position]:
        keys = sorted({(one.source, one.subject) for one in envelopes if self.consumers.order_of(one.type) != "effect"})
        if not keys:
            return {}
        rows = await self.tx.fetch(_POSITIONS, [key[0] for key in keys], [key[1] for key in keys])
        return {(row["source"], row["subject"]): _Position(row["epoch"], row["next_seq"]) for row in rows}

    async def _is_next(self, one: Envelope, at: _Position) -> bool:
        """Return whether an event may be handled now, and move past it; settle it as stale or waiting otherwise."""
        if one.epoch > at.epoch:
            at.epoch, at.next_seq, at.has_moved = one.epoch, 1, True
        if (one.epoch, one.seq) < (at.epoch, at.next_seq):
            await _settle(self.tx, one, status="stale")
            self._count(one, "stale")
            return False
        is_ordered = self.consumers.order_of(one.type) == "ordered"
        if is_ordered and one.seq > at.next_seq:
            await _settle(self.tx, one, status="waiting")
            self._count(one, "waiting")
            return False
        at.next_seq, at.has_moved = one.seq + 1, True
        return True

    async def _run(self, ready: Sequence[Envelope]) -> None:
        """Call the handlers; neighbours with the same batch handler go together."""
        group: list[Envelope] = []
        current: Handler | None = None
        for one in ready:
            handler = self.consumers.handlers.get(one.type)
            self._count(one, "ignored" if handler is None else "done")
            if handler is None:
                continue
            if current is not None and (handler.function is not current.function or not handler.is_batch):
                await self._call(current, group)
                group = []
            current = handler
            group.append(one)
        if current is not None:
            await self._call(current, group)

    async def _call(self, handler: Handler, group: Sequence[Envelope]) -> None:
        events = [self._read(one) for one in group]
        first = group[0]
        token = telemetry.request_id.set(first.correlation_id or first.id)
        links = [trace.Link(_span_context(one)) for one in group[1:]] if len(group) > 1 else None
        try:
            with telemetry.tracer.start_as_current_span(
                f"hear {type(events[0]).__name__}",
                context=telemetry.incoming(first.traceparent),
                kind=trace.SpanKind.CONSUMER,
                links=links,
            ):
                await handler.function(self.tx, events if handler.is_batch else events[0])
        finally:
            telemetry.request_id.reset(token)

    def _read(self, one: Envelope) -> Any:
        try:
            return self.consumers.handlers[one.type].event.model_validate(one.data)
        except ValidationError as error:
            raise Permanent(f"data does not fit {one.type}: {_first_errors(error)}") from error

    def _count(self, one: Envelope, outcome: str) -> None:
        telemetry.EVENTS_HEARD.labels(self.consumers.service, one.stream, outcome).inc()

    async def _note_duplicate(self, one: Envelope) -> None:
        known = await self.tx.fetchval(
            "SELECT body_sha256 FROM bus.inbox WHERE source = $1 AND event_id = $2", one.source, one.id
        )
        is_same = known == _sha256(one)
        self._count(one, "duplicate" if is_same else "duplicate_conflict")
        if not is_same:
            log.error("one id, two contents: the first one counts", event_id=one.id, type=one.type, source=one.source)


async def _insert(tx: Transaction, envelopes: Sequence[Envelope]) -> set[tuple[str, str]]:
    columns: Iterable[Sequence[Any]] = zip(
        *((e.source, e.id, e.subject, e.epoch, e.seq, e.type, _sha256(e)) for e in envelopes), strict=True
    )
    rows = await tx.fetch(_INSERT, *map(list, columns))
    return {(row["source"], row["event_id"]) for row in rows}


async def _settle(
    tx: Transaction, one: Envelope, *, status: str, error: Exception | None = None, delay_seconds: float = 0
) -> None:
    body = one.body if status in ("waiting", "retry", "parked") else None
    code = None if error is None else type(error).__name__
    text = None if error is None else str(error)[:2000].replace("\x00", "")
    attempted = 0 if error is None else 1
    await tx.driver.execute(_SETTLE, one.source, one.id, status, body, code, text, attempted, delay_seconds)


def _delay_seconds(error: Exception, attempts: int) -> float | None:
    """Return when to try again, or ``None`` to park."""
    if isinstance(error, Permanent):
        return None
    ladder = (
        RETRY_SECONDS
        if isinstance(error, Transient) or _is_contention(error)
        else RETRY_SECONDS[:UNEXPECTED_ATTEMPTS_MAX]
    )
    if attempts >= len(ladder):
        return None
    return ladder[attempts] * random.uniform(0.8, 1.2)


def _is_contention(error: Exception) -> bool:
    return sqlstate(error) in ("40001", "40P01", "55P03")


def _sha256(one: Envelope) -> bytes:
    return hashlib.sha256(one.body).digest()


def _span_context(one: Envelope) -> trace.SpanContext:
    return trace.get_current_span(telemetry.incoming(one.traceparent)).get_span_context()


def _first_errors(error: ValidationError) -> str:
    return "; ".join(f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
