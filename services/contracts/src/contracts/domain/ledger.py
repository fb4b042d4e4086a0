"""The ledger of one contract: postings between accounts, balances that follow from them, and the chain that seals them.

A posting moves minutes from one account to another, so every transaction sums to zero by its form. Nothing is changed
or taken back: a correction is a posting the other way that names the one it corrects.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

Account = Literal[
    "granted",
    "available",
    "held",
    "consumed",
    "worked",
    "overage",
    "time_and_materials",
    "excluded",
    "expired",
    "carried_in",
    "carried_out",
    "adjusted",
]
PostingKind = Literal["grant", "carry", "adjust", "hold", "post", "release", "correct", "expire"]

SOURCES: tuple[Account, ...] = ("granted", "worked", "carried_in", "adjusted")
"""Accounts minutes come from: their balance is shown as what they gave."""
GENESIS = b""


class LedgerBroken(Exception):
    """The ledger does not hold: the message names the first posting or identity that fails."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Minutes to be moved, before the ledger has given them a place."""

    kind: PostingKind
    from_account: Account
    to_account: Account
    minutes: int
    lot_id: UUID | None = None
    corrects_seq: int | None = None

    def __post_init__(self) -> None:
        """Check that the leg says something."""
        assert self.minutes > 0, "a posting moves minutes"
        assert self.from_account != self.to_account, "a posting moves minutes somewhere else"


@dataclass(frozen=True, slots=True)
class Posting:
    """One immutable line. ``seq`` counts 1, 2, 3, … on its contract."""

    contract_id: UUID
    client_id: UUID
    seq: int
    leg: Leg
    time_entry_id: UUID | None
    source: str
    """What caused it, e.g. ``time_entry:<id>:2``; with ``source_n`` it is unique on the contract."""
    source_n: int
    effective_at: datetime
    """When it counts: the worked instant of an entry, the validity of a lot."""
    recorded_at: datetime
    actor: str
    reason: str
    hash: bytes = field(default=GENESIS, compare=False)


@dataclass(slots=True)
class Balances:
    """Minutes on each account of a contract."""

    granted: int = 0
    available: int = 0
    held: int = 0
    consumed: int = 0
    worked: int = 0
    overage: int = 0
    time_and_materials: int = 0
    excluded: int = 0
    expired: int = 0
    carried_in: int = 0
    carried_out: int = 0
    adjusted: int = 0

    def move(self, leg: Leg) -> None:
        """Apply a posting."""
        for account, sign in ((leg.from_account, -1), (leg.to_account, 1)):
            gives = -sign if account in SOURCES else sign
            setattr(self, account, getattr(self, account) + gives * leg.minutes)

    def broken_identity(self) -> str | None:
        """Return which identity does not hold, as a sentence; ``None`` when all hold."""
        funded = self.granted + self.carried_in + self.adjusted
        spent = self.available + self.held + self.consumed + self.expired + self.carried_out
        if funded != spent:
            return (
                f"granted + carried_in + adjusted is {funded},"
                f" available + held + consumed + expired + carried_out is {spent}"
            )
        beyond = self.overage + self.time_and_materials + self.excluded
        if self.worked != beyond:
            return f"worked beyond the bucket is {self.worked}, overage + time_and_materials + excluded is {beyond}"
        for one in fields(self):
            if one.name != "adjusted" and getattr(self, one.name) < 0:
                return f"{one.name} is {getattr(self, one.name)}, below zero"
        return None


def reversal(posting_seq: int, leg: Leg, *, kind: PostingKind) -> Leg:
    """Return the leg that takes another one back and names it."""
    return Leg(
        kind=kind,
        from_account=leg.to_account,
        to_account=leg.from_account,
        minutes=leg.minutes,
        lot_id=leg.lot_id,
        corrects_seq=posting_seq,
    )


def sealed(posting: Posting, *, previous: bytes) -> bytes:
    """Return the hash of a posting: SHA-256 over the hash before it and every fact in it."""
    leg = posting.leg
    facts = (
        posting.contract_id,
        posting.client_id,
        posting.seq,
        leg.kind,
        leg.from_account,
        leg.to_account,
        leg.minutes,
        leg.lot_id or "",
        leg.corrects_seq or "",
        posting.time_entry_id or "",
        posting.source,
        posting.source_n,
        _instant(posting.effective_at),
        _instant(posting.recorded_at),
        posting.actor,
        posting.reason,
    )
    return hashlib.sha256(previous + "\x1f".join(map(str, facts)).encode()).digest()


def verify_chain(postings: Sequence[Posting], *, previous: bytes = GENESIS, first_seq: int = 1) -> bytes:
    """Return the last hash of consecutive postings.

    Raises:
        LedgerBroken: a posting is missing, or is not what was once sealed.
    """
    for seq, posting in enumerate(postings, start=first_seq):
        if posting.seq != seq:
            message = f"posting {seq} is missing, {posting.seq} stands in its place"
            raise LedgerBroken(message)
        expected = sealed(posting, previous=previous)
        if posting.hash != expected:
            message = f"posting {seq} was changed after it was sealed: its hash does not fit its facts"
            raise LedgerBroken(message)
        previous = expected
    return previous


def checksum(entries: Iterable[tuple[UUID, int]]) -> str:
    """Return the control checksum over (time entry id, worked minutes): SHA-256 over sorted lines, as hexadecimal."""
    lines = sorted(f"{entry_id}:{minutes}\n" for entry_id, minutes in entries)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
