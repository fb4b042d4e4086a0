"""Saying it again: recorded events are sent once more to one listener that lost or missed them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aio_pika
import asyncpg

from msp_events import envelope
from msp_kit import amqp, topology

_PAGE = 500
# The horizon hides rows of transactions that may still commit below it: a plain cursor over pos would miss them.
_FEED = """
    SELECT txid::text AS txid, pos, event_id::text AS event_id, routing_key, envelope FROM bus.event_log
     WHERE (txid, pos) > ($1::text::xid8, $2) AND txid < pg_snapshot_xmin(pg_current_snapshot())
       AND ($3::text IS NULL OR routing_key LIKE $3 || '.%') AND ($4::text IS NULL OR subject = $4)
     ORDER BY txid, pos LIMIT 500
"""


async def feed(
    connection: asyncpg.Connection[asyncpg.Record], *, stream: str | None = None, subject: str | None = None
) -> AsyncIterator[asyncpg.Record]:
    """Yield the recorded events of a stream (``contracts.client``) or subject, in commit order, none missed."""
    txid, pos = "0", 0
    while rows := await connection.fetch(_FEED, txid, pos, stream, subject):
        for row in rows:
            yield row
        txid, pos = rows[-1]["txid"], rows[-1]["pos"]
        if len(rows) < _PAGE:
            return


async def republish(
    *, database_url: str, database: str, amqp_url: str, to: str, stream: str | None = None, subject: str | None = None
) -> int:
    """Send recorded events to the replay queue of ``to``; return how many. Its inbox knows those it has seen."""
    connection = await asyncpg.connect(database_url)
    broker = await amqp.connect(amqp_url)
    sent = 0
    try:
        await connection.execute(f"SET ROLE {database}_staff")
        channel = await broker.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange(topology.REPLAY_EXCHANGE, ensure=False)
        async for row in feed(connection, stream=stream, subject=subject):
            message = aio_pika.Message(
                row["envelope"].encode(),
                content_type=envelope.CONTENT_TYPE,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
                message_id=row["event_id"],
            )
            await exchange.publish(message, routing_key=f"{to}.{row['routing_key']}", mandatory=True)
            sent += 1
    finally:
        await broker.close()
        await connection.close()
    return sent
