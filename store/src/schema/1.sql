-- Version 1. All of it is in a schema of its own, so that it can share a database with anything.

create table ractor_host.store (
    is_only boolean primary key default true check (is_only),
    -- The version of the tables, and the oldest program that may use them.
    version int not null,
    usable_from int not null,
    -- What the hash of keys to shards is keyed with.
    secret bytea not null check (length(secret) = 16),
    made timestamptz not null default now()
);

create table ractor_host.node (
    incarnation bigint primary key,
    name text not null,
    address text not null,
    weight int not null,
    labels jsonb not null,
    types smallint[] not null,
    -- 0 live, 1 draining, 2 ended.
    standing smallint not null,
    lease_until timestamptz not null,
    joined timestamptz not null default now(),
    -- The transaction that changed this row last, renewals apart.
    changed xid8 not null default pg_current_xact_id()
-- Each row is renewed every second or so. There is no index on what a renewal changes, and room in each page, so that a renewal is a
-- heap-only update, and pages are cleaned as they are read.
) with (fillfactor = 40, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);

create table ractor_host.type (
    type_id smallint primary key,
    name text not null unique,
    shards int not null check (shards > 0)
);

create table ractor_host.shard (
    type_id smallint not null,
    shard int not null,
    epoch bigint not null default 0,
    owner bigint,
    changed xid8 not null default pg_current_xact_id(),
    primary key (type_id, shard)
) with (fillfactor = 70);
create index shard_changed on ractor_host.shard (changed);

create table ractor_host.state (
    type_id smallint not null,
    key bytea not null,
    shard int not null,
    epoch bigint not null,
    version bigint not null,
    code text not null,
    state_version int not null,
    -- Microseconds since 1970.
    taken bigint not null,
    -- None: the state was deleted at this epoch and version. A write that comes late must not bring it back.
    bytes bytea,
    primary key (type_id, key)
) with (fillfactor = 70);

create table ractor_host.reminder (
    type_id smallint not null,
    key bytea not null,
    number int not null,
    name text not null,
    shard int not null,
    -- Microseconds since 1970, and of a period; none: once.
    due bigint not null,
    period bigint check (period > 0),
    message bytea not null,
    failures int not null default 0,
    primary key (type_id, key, number)
) with (fillfactor = 70);
create index reminder_due on ractor_host.reminder (due);

create table ractor_host.answered (
    type_id smallint not null,
    key bytea not null,
    -- Who called, and with which idempotency key.
    caller bytea not null,
    idempotency_key bytea not null,
    -- Of variant and arguments: the same key with another digest is a mistake.
    digest bytea not null,
    outcome smallint not null,
    reply bytea,
    -- Microseconds since 1970.
    kept_until bigint not null,
    primary key (type_id, key, caller, idempotency_key)
);
create index answered_kept_until on ractor_host.answered (kept_until);
