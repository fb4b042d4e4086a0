"""The shape of the database, for statements that are built; the migrations are what creates it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Date, DateTime, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import JSONB, UUID

metadata = MetaData()

clients = Table(
    "clients",
    metadata,
    Column("client_id", UUID, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("billing_address", JSONB, nullable=False),
    Column("tax_id", Text),
    Column("purchase_order", Text),
    Column("is_active", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("client_id", UUID, nullable=False),
    Column("name", Text, nullable=False),
    Column("email", Text, nullable=False),
    Column("phone", Text),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

calendars = Table(
    "calendars",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("name", Text, nullable=False),
    Column("calendar", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

job_types = Table(
    "job_types",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("code", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("is_billable", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
)

rate_cards = Table(
    "rate_cards",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("name", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("rates", JSONB, nullable=False),
    Column("overage_rates", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

contracts = Table(
    "contracts",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("client_id", UUID, nullable=False),
    Column("ref", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("currency", Text, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date),
    Column("rate_card_id", UUID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

contract_versions = Table(
    "contract_versions",
    metadata,
    Column("client_id", UUID, nullable=False),
    Column("contract_id", UUID, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("effective_from", Date, nullable=False),
    Column("terms", JSONB, nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
)

lots = Table(
    "lots",
    metadata,
    Column("id", UUID, primary_key=True),
    Column("client_id", UUID, nullable=False),
    Column("contract_id", UUID, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("origin", Text, nullable=False),
    Column("minutes", BigInteger, nullable=False),
    Column("left_minutes", BigInteger, nullable=False),
    Column("expired_minutes", BigInteger, nullable=False),
    Column("price_minor", BigInteger, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("expires_on", Date),
    Column("starts_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True)),
    Column("is_granted", Boolean, nullable=False),
    Column("is_lapsed", Boolean, nullable=False),
    Column("is_closed", Boolean, nullable=False),
    Column("expiry_seq", BigInteger),
    Column("alerted_percent", Integer, nullable=False),
)

buckets = Table(
    "buckets",
    metadata,
    Column("contract_id", UUID, primary_key=True),
    Column("client_id", UUID, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("contract_revision", Integer, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("last_hash", LargeBinary, nullable=False),
    Column("granted", BigInteger, nullable=False),
    Column("available", BigInteger, nullable=False),
    Column("held", BigInteger, nullable=False),
    Column("consumed", BigInteger, nullable=False),
    Column("worked", BigInteger, nullable=False),
    Column("overage", BigInteger, nullable=False),
    Column("time_and_materials", BigInteger, nullable=False),
    Column("excluded", BigInteger, nullable=False),
    Column("expired", BigInteger, nullable=False),
    Column("carried_in", BigInteger, nullable=False),
    Column("carried_out", BigInteger, nullable=False),
    Column("adjusted", BigInteger, nullable=False),
    Column("last_worked_from", DateTime(timezone=True)),
    Column("last_entry_id", UUID),
    Column("closed_until", DateTime(timezone=True)),
    Column("is_exhausted", Boolean, nullable=False),
)

hours = Table(
    "hours",
    metadata,
    Column("time_entry_id", UUID, primary_key=True),
    Column("client_id", UUID, nullable=False),
    Column("contract_id", UUID, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("entry_revision", Integer, nullable=False),
    Column("contract_version", Integer, nullable=False),
    Column("rate_card_version", Integer, nullable=False),
    Column("status", Text, nullable=False),
    Column("decision", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("worked_from", DateTime(timezone=True), nullable=False),
    Column("worked_minutes", Integer, nullable=False),
    Column("billed_minutes", BigInteger, nullable=False),
    Column("bucket_minutes", BigInteger, nullable=False),
    Column("overage_minutes", BigInteger, nullable=False),
    Column("time_and_materials_minutes", BigInteger, nullable=False),
    Column("excluded_minutes", BigInteger, nullable=False),
    Column("job_type", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("agent_id", UUID, nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("ticket_id", UUID),
    Column("task_id", UUID),
    Column("note", Text, nullable=False),
    Column("spans", JSONB, nullable=False),
    Column("legs", JSONB, nullable=False),
    Column("is_late", Boolean, nullable=False),
    Column("is_closed", Boolean, nullable=False),
    Column("period_close_id", UUID),
    Column("refusal", Text),
    Column("refusal_detail", Text),
)

postings = Table(
    "postings",
    metadata,
    Column("contract_id", UUID, primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("client_id", UUID, nullable=False),
    Column("kind", Text, nullable=False),
    Column("from_account", Text, nullable=False),
    Column("to_account", Text, nullable=False),
    Column("minutes", BigInteger, nullable=False),
    Column("lot_id", UUID),
    Column("corrects_seq", BigInteger),
    Column("time_entry_id", UUID),
    Column("source", Text, nullable=False),
    Column("source_n", Integer, nullable=False),
    Column("effective_at", DateTime(timezone=True), nullable=False),
    Column("recorded_at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

period_closes = Table(
    "period_closes",
    metadata,
    Column("period_close_id", UUID, primary_key=True),
    Column("client_id", UUID, nullable=False),
    Column("starts_on", Date, nullable=False),
    Column("ends_on", Date, nullable=False),
    Column("entry_count", Integer, nullable=False),
    Column("worked_minutes", BigInteger, nullable=False),
    Column("checksum", Text, nullable=False),
    Column("statements", JSONB, nullable=False),
    Column("closed_at", DateTime(timezone=True), nullable=False),
)
