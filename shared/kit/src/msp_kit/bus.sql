-- The bus schema of one service database: what it said, what it heard, and what it answered to a repeated request.
-- {database} is the service's database name; the roles {database}_client and {database}_staff exist already.

CREATE SCHEMA bus;

CREATE TABLE bus.self (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    service text NOT NULL,
    epoch int NOT NULL DEFAULT 1 CHECK (epoch >= 1)
);

CREATE FUNCTION bus.refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'append-only: % refused on %.%', TG_OP, TG_TABLE_SCHEMA, TG_TABLE_NAME USING ERRCODE = 'MSP01';
END $$;

CREATE FUNCTION bus.client_id() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(current_setting('app.client_id', true), '')::uuid
$$;

-- ---- said ----------------------------------------------------------------------------------------------------

CREATE TABLE bus.stream_head (subject text PRIMARY KEY, last_seq int NOT NULL CHECK (last_seq >= 1));

CREATE TABLE bus.event_log (
    pos bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
    event_id uuid NOT NULL UNIQUE,
    subject text NOT NULL,
    epoch int NOT NULL,
    seq int NOT NULL,
    routing_key text NOT NULL,
    client_id uuid,
    envelope text NOT NULL CHECK (octet_length(envelope) <= 65536),
    recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    UNIQUE (subject, epoch, seq)
);
CREATE INDEX event_log_feed ON bus.event_log (txid, pos);
CREATE TRIGGER event_log_is_append_only BEFORE UPDATE OR DELETE ON bus.event_log
    FOR EACH ROW EXECUTE FUNCTION bus.refuse_change();
CREATE TRIGGER event_log_is_not_truncated BEFORE TRUNCATE ON bus.event_log
    FOR EACH STATEMENT EXECUTE FUNCTION bus.refuse_change();

CREATE TABLE bus.outbox (
    pos bigint PRIMARY KEY REFERENCES bus.event_log (pos),
    shard smallint NOT NULL,
    added_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX outbox_shard_pos ON bus.outbox (shard, pos);

-- One call records any number of events; the row lock on stream_head gives each subject the numbers 1..n in commit order.
-- SECURITY DEFINER: nobody can write the log in any other way.
CREATE FUNCTION bus.record(
    p_ids uuid[], p_subjects text[], p_keys text[], p_clients uuid[], p_heads text[], p_datas text[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = bus, pg_temp AS $$
DECLARE
    v_epoch int;
    v_seq int;
    v_pos bigint;
BEGIN
    SELECT epoch INTO v_epoch FROM self;
    FOR i IN 1 .. cardinality(p_ids) LOOP
        INSERT INTO stream_head AS h VALUES (p_subjects[i], 1)
            ON CONFLICT (subject) DO UPDATE SET last_seq = h.last_seq + 1
            RETURNING last_seq INTO v_seq;
        INSERT INTO event_log (event_id, subject, epoch, seq, routing_key, client_id, envelope)
            VALUES (p_ids[i], p_subjects[i], v_epoch, v_seq, p_keys[i], p_clients[i],
                    p_heads[i] || ',"mspseq":' || v_seq || ',"mspepoch":' || v_epoch || ',"data":' || p_datas[i] || '}')
            RETURNING pos INTO v_pos;
        INSERT INTO outbox (pos, shard) VALUES (v_pos, (hashtext(p_subjects[i]) & 7)::smallint);
    END LOOP;
END $$;

-- ---- heard ---------------------------------------------------------------------------------------------------

CREATE TABLE bus.inbox (
    source text NOT NULL,
    event_id text NOT NULL,
    subject text NOT NULL,
    epoch int NOT NULL,
    seq int NOT NULL,
    type text NOT NULL,
    body_sha256 bytea NOT NULL,
    status text NOT NULL CHECK (status IN ('done', 'stale', 'waiting', 'retry', 'parked', 'discarded')),
    attempts int NOT NULL DEFAULT 0,
    next_at timestamptz,
    error_code text,
    error_text text,
    envelope bytea,
    received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (source, event_id),
    CHECK (status IN ('done', 'stale', 'discarded') OR envelope IS NOT NULL),
    CHECK ((status = 'retry') = (next_at IS NOT NULL))
);
CREATE INDEX inbox_retry ON bus.inbox (next_at) WHERE status = 'retry';
CREATE INDEX inbox_open ON bus.inbox (source, subject, epoch, seq) WHERE status IN ('waiting', 'retry', 'parked');

CREATE TABLE bus.stream_position (
    source text NOT NULL,
    subject text NOT NULL,
    epoch int NOT NULL,
    next_seq int NOT NULL,
    PRIMARY KEY (source, subject)
);

CREATE TABLE bus.unreadable (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL,
    reason text NOT NULL,
    detail text NOT NULL,
    headers jsonb NOT NULL,
    body bytea NOT NULL,
    parked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    resolution text
);

-- ---- answered ------------------------------------------------------------------------------------------------

CREATE TABLE bus.idempotency (
    actor text NOT NULL,
    route text NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 8 AND 128),
    request_sha256 bytea NOT NULL,
    status smallint,
    headers jsonb,
    body bytea,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (actor, route, key)
);
CREATE INDEX idempotency_created_at ON bus.idempotency (created_at);

-- ---- who may do what -----------------------------------------------------------------------------------------

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA bus FROM PUBLIC;
GRANT USAGE ON SCHEMA bus, public TO {database}_app, {database}_client, {database}_staff;
GRANT EXECUTE ON FUNCTION bus.client_id() TO {database}_app, {database}_client, {database}_staff;
GRANT EXECUTE ON FUNCTION bus.record(uuid[], text[], text[], uuid[], text[], text[]) TO {database}_client, {database}_staff;
GRANT SELECT, INSERT, UPDATE ON bus.idempotency TO {database}_client, {database}_staff;
GRANT DELETE ON bus.idempotency TO {database}_staff;
GRANT SELECT ON bus.self, bus.event_log, bus.stream_head TO {database}_staff;
GRANT SELECT, DELETE ON bus.outbox TO {database}_staff;
GRANT SELECT, INSERT, UPDATE ON bus.inbox, bus.stream_position, bus.unreadable TO {database}_staff;
