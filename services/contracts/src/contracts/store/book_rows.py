"""Books between rows and values: what the columns of the ledger mean."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from contracts.domain.allocation import Carry, Demand, Fact, Lot, Part, Split, Take
from contracts.domain.book import Book
from contracts.domain.coverage import Check, Work
from contracts.domain.entry import BookLot, Hours, TimeEntry
from contracts.domain.ledger import Balances, Leg, Posting
from contracts.domain.proof import Told

ACCOUNTS = tuple(one.name for one in fields(Balances))


def lot_of(row: Mapping[str, Any]) -> BookLot:
    """Return the domain value of a stored lot."""
    return BookLot(
        lot=Lot(
            id=row["id"],
            sequence=row["sequence"],
            minutes=row["minutes"],
            left_minutes=row["left_minutes"],
            starts_at=row["starts_at"],
            ends_at=row["ends_at"],
            priority=row["priority"],
            carry=_carry_of(row),
        ),
        origin=row["origin"],
        adjusted_minutes=row["adjusted_minutes"],
        expired_minutes=row["expired_minutes"],
        expiry_seq=row["expiry_seq"],
        carried_out_minutes=row["carried_out_minutes"],
        carry_out_seq=row["carry_out_seq"],
        carry_in_seq=row["carry_in_seq"],
        is_lapsed=row["is_lapsed"],
        is_closed=row["is_closed"],
        alerted_percent=row["alerted_percent"],
    )


def _carry_of(row: Mapping[str, Any]) -> Carry | None:
    if row["carried_from"] is None:
        return None
    minutes = row["minutes"] - row["adjusted_minutes"]
    return Carry(row["carried_from"], row["carry_percent"], row["carry_cap_minutes"], minutes)


def hours_from(row: Mapping[str, Any]) -> Hours:
    """Return the domain value of stored hours."""
    legs = tuple(
        (one[0], Leg(one[1], one[2], one[3], one[4], None if one[5] is None else UUID(one[5]))) for one in row["legs"]
    )
    parts = tuple(_part_of(one) for one in row["spans"])
    demands = tuple(part.demand for part in parts)
    is_refused = row["status"] == "refused"
    takes = tuple(Take(leg.lot_id, leg.minutes) for _, leg in legs if leg.to_account == "held" and leg.lot_id)
    refusal = None
    if is_refused:
        refusal = Check(row["refusal"], is_passed=False, text=row["refusal_detail"])
    return Hours(
        entry=TimeEntry(
            id=row["time_entry_id"],
            revision=row["entry_revision"],
            decision=row["decision"],
            work=Work(row["job_type"], row["level"], row["worked_from"], row["worked_minutes"]),
            agent_id=row["agent_id"],
            agent_name=row["agent_name"],
            ticket_id=row["ticket_id"],
            task_id=row["task_id"],
            note=row["note"],
            ref=row["ref"],
        ),
        revision=row["revision"],
        status=row["status"],
        contract_version=row["contract_version"],
        rate_card_version=row["rate_card_version"],
        policy=row["policy"],
        demands=demands,
        split=Split((), (), is_refused=bool(demands)) if is_refused else Split(parts, takes),
        legs=legs,
        is_late=row["is_late"],
        period_close_id=row["period_close_id"],
        refusal=refusal,
        asked_minutes=row["asked_minutes"],
        consented_minutes=row["consented_minutes"],
        is_declined=row["is_declined"],
    )


def told_from(rows: Iterable[Any], lots: Mapping[str | None, UUID | None]) -> Iterator[Told]:
    """Yield what can be proved of stored hours; ``lots`` are the ids of the contract's lots by their text."""
    for entry_id, status, policy, worked_from, worked_minutes, is_open, spans, stored in rows:
        # A lot that is not the contract's stays text, and fits no posting.
        legs = [(*one[:5], lots.get(one[5], one[5])) for one in stored]
        parts = tuple([_part_of(one) for one in spans])
        demands = tuple([part.demand for part in parts])
        if status == "refused":
            split = Split((), (), is_refused=bool(demands))
        else:
            split = Split(parts, tuple([Take(one[5], one[4]) for one in legs if one[3] == "held" and one[5]]))
        fact = Fact(entry_id, worked_from, demands, policy)
        yield Told(fact, split, worked_minutes, status == "posted", is_open, legs)


def posting_from(row: Mapping[str, Any]) -> Posting:
    """Return the domain value of a stored posting."""
    return Posting(
        contract_id=row["contract_id"],
        client_id=row["client_id"],
        seq=row["seq"],
        leg=Leg(
            row["kind"], row["from_account"], row["to_account"], row["minutes"], row["lot_id"], row["corrects_seq"]
        ),
        time_entry_id=row["time_entry_id"],
        source=row["source"],
        source_n=row["source_n"],
        effective_at=row["effective_at"],
        recorded_at=row["recorded_at"],
        actor=row["actor"],
        reason=row["reason"],
        hash=row["hash"],
    )


def _part_of(one: Mapping[str, Any]) -> Part:
    return Part(
        Demand(
            condition=one["condition"],
            starts_at=datetime.fromisoformat(one["starts_at"]),
            worked_minutes=one["worked"],
            billed_minutes=one["billed"],
            weight_percent=one["weight"],
            route=one["route"],
            rule_ids=tuple(one["rules"]),
        ),
        bucket_billed_minutes=one["bucket_billed"],
        bucket_minutes=one["bucket"],
        overage_minutes=one["overage"],
    )


def _span_of(part: Part) -> dict[str, Any]:
    demand = part.demand
    return {
        "condition": demand.condition,
        "starts_at": demand.starts_at,
        "worked": demand.worked_minutes,
        "billed": demand.billed_minutes,
        "weight": demand.weight_percent,
        "route": demand.route,
        "rules": demand.rule_ids,
        "bucket_billed": part.bucket_billed_minutes,
        "bucket": part.bucket_minutes,
        "overage": part.overage_minutes,
    }


def hours_row(book: Book, one: Hours) -> tuple[Any, ...]:
    """Return the columns of saved hours, in the order of the statement that saves them."""
    entry, work, split = one.entry, one.entry.work, one.split
    parts = split.parts or tuple(Part(demand) for demand in one.demands)
    legs = [
        # The driver's own UUIDs are not JSON yet.
        (seq, leg.kind, leg.from_account, leg.to_account, leg.minutes, leg.lot_id and str(leg.lot_id))
        for seq, leg in one.legs
    ]
    return (
        entry.id,
        book.contract.client_id,
        book.contract.id,
        one.revision,
        entry.revision,
        one.contract_version,
        one.rate_card_version,
        one.status,
        entry.decision,
        one.policy,
        work.worked_from,
        work.worked_minutes,
        split.billed_minutes,
        split.bucket_minutes,
        split.overage_minutes,
        split.time_and_materials_minutes,
        split.excluded_minutes,
        work.job_type,
        work.level,
        entry.agent_id,
        entry.agent_name,
        entry.ticket_id,
        entry.task_id,
        entry.note,
        entry.ref,
        orjson.dumps([_span_of(part) for part in parts]).decode(),
        orjson.dumps(legs).decode(),
        one.is_late,
        one.period_close_id is not None,
        one.period_close_id,
        None if one.refusal is None else one.refusal.rule,
        None if one.refusal is None else one.refusal.text,
        one.asked_minutes,
        one.consented_minutes,
        one.is_declined,
    )


def posting_row(posting: Posting) -> tuple[Any, ...]:
    """Return the columns of a saved posting."""
    leg = posting.leg
    return (
        posting.contract_id,
        posting.seq,
        posting.client_id,
        leg.kind,
        leg.from_account,
        leg.to_account,
        leg.minutes,
        leg.lot_id,
        leg.corrects_seq,
        posting.time_entry_id,
        posting.source,
        posting.source_n,
        posting.effective_at,
        posting.recorded_at,
        posting.actor,
        posting.reason,
        posting.hash,
    )


def bucket_row(book: Book) -> tuple[Any, ...]:
    """Return the columns of a saved balance."""
    worked_from, entry_id = book.last_position or (None, None)
    balances = tuple(getattr(book.balances, account) for account in ACCOUNTS)
    said = (book.is_exhausted, book.is_shortfall_said)
    return (book.contract.id, book.last_seq, book.last_hash, *balances, worked_from, entry_id, *said)


def lot_row(one: BookLot) -> tuple[Any, ...]:
    """Return the columns of a saved lot."""
    return (
        one.lot.id,
        one.lot.minutes,
        one.lot.left_minutes,
        one.adjusted_minutes,
        one.expired_minutes,
        one.expiry_seq,
        one.carried_out_minutes,
        one.carry_out_seq,
        one.carry_in_seq,
        one.is_lapsed,
        one.is_closed,
        True,
        one.alerted_percent,
    )
