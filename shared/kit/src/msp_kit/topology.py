"""Exchanges, queues and bindings: one manifest, made from the catalogue of events.

Services declare nothing at run time; ``python -m <service> topology`` does, with a user that may.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field

import aio_pika

from msp_events.catalog import HEARS, SERVICES
from msp_kit import amqp

EVENTS_EXCHANGE = "msp.events"
REPLAY_EXCHANGE = "msp.replay"
PARKING_EXCHANGE = "msp.parking"


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable quorum queue and what is bound to it: pairs of exchange and routing key."""

    name: str
    bindings: tuple[tuple[str, str], ...]
    arguments: dict[str, str | int] = field(default_factory=dict)


def events_queue(service: str) -> str:
    """Return the name of a service's queue of live events."""
    return f"{service}.events"


def replay_queue(service: str) -> str:
    """Return the name of a service's queue of repeated events; it cannot starve the live one."""
    return f"{service}.replay"


def parked_queue(service: str) -> str:
    """Return the name of the queue for messages that killed the process again and again."""
    return f"{service}.parked"


def queues() -> tuple[Queue, ...]:
    """Return every queue of the platform."""
    made: list[Queue] = []
    for service in SERVICES:
        # A message that kills the process twenty times is put aside by the broker; nothing else is ever requeued.
        work: dict[str, str | int] = {
            "x-queue-type": "quorum",
            "x-delivery-limit": 20,
            "x-dead-letter-exchange": PARKING_EXCHANGE,
            "x-dead-letter-routing-key": service,
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
            "x-max-length": 1_000_000,
        }
        streams = tuple(stream.split(".") for stream in HEARS[service])
        live = tuple((EVENTS_EXCHANGE, f"{owner}.{stream}.v1.#") for owner, stream in streams)
        made += [
            Queue(events_queue(service), live, work),
            Queue(replay_queue(service), ((REPLAY_EXCHANGE, f"{service}.#"),), work),
            Queue(parked_queue(service), ((PARKING_EXCHANGE, service),), {"x-queue-type": "quorum"}),
        ]
    return tuple(made)


async def declare(amqp_url: str) -> None:
    """Declare the whole topology; it may run any number of times.

    Raises:
        aio_pika.exceptions.ChannelPreconditionFailed: a queue exists with other arguments.
    """
    connection = await amqp.connect(amqp_url)
    async with connection:
        channel = await connection.channel()
        for name in (EVENTS_EXCHANGE, REPLAY_EXCHANGE, PARKING_EXCHANGE):
            await channel.declare_exchange(name, aio_pika.ExchangeType.TOPIC, durable=True)
        await asyncio.gather(*(_declare_queue(channel, queue) for queue in queues()))


async def _declare_queue(channel: aio_pika.abc.AbstractChannel, queue: Queue) -> None:
    declared = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
    for exchange, key in queue.bindings:
        await declared.bind(exchange, routing_key=key)


async def is_reachable(amqp_url: str) -> bool:
    """Return whether the broker takes a connection now."""
    with contextlib.suppress(OSError, aio_pika.exceptions.AMQPError, TimeoutError):
        connection = await amqp.connect(amqp_url, timeout_seconds=3)
        await connection.close()
        return True
    return False
