-- Version 2: what is beside the states of entities as the entities write it. Whatever an actor or a caller has chosen is bytea, because text has
-- an order of its language and no zero byte.

-- None: the row was made by a write of what is beside the state, before there was one. Its epoch and version keep what comes late away.
alter table ractor_host.state alter column code drop not null;

alter table ractor_host.reminder rename to reminder_1;
alter table ractor_host.reminder_1 rename constraint reminder_pkey to reminder_1_pkey;
drop index ractor_host.reminder_due;

create table ractor_host.reminder (
    type_id smallint not null,
    key bytea not null,
    id bytea not null,
    shard int not null,
    -- A hash of type and key, by which overdue ones are spread after an outage.
    slot smallint not null,
    -- Milliseconds since 1970; none: it never is again.
    due bigint,
    -- Milliseconds; none: once.
    period bigint,
    variant bytea not null,
    args bytea not null,
    -- The firing that was given up last: when it was due, and when that was; milliseconds since 1970.
    given_up_due bigint,
    given_up_at bigint,
    primary key (type_id, key, id)
) with (fillfactor = 70);

-- Two of an entity with the same name are told apart by their numbers.
insert into ractor_host.reminder (type_id, key, id, shard, slot, due, period, variant, args)
select type_id, key,
    convert_to(case when count(*) over (partition by type_id, key, name) > 1 then name || ' ' || number else name end, 'UTF8'),
    shard, 0, due / 1000, case when period is not null then greatest(period / 1000, 1) end, '', message
from ractor_host.reminder_1;
drop table ractor_host.reminder_1;

-- In the order in which they are read.
create index reminder_due on ractor_host.reminder (slot, due, type_id, key, id) where due is not null;

-- Kept ten minutes, as far as is known of rows from before.
alter table ractor_host.answered rename column caller to scope;
alter table ractor_host.answered rename column idempotency_key to call_key;
alter table ractor_host.answered rename column kept_until to at;
update ractor_host.answered set at = at / 1000 - 600000, reply = coalesce(reply, '');
alter table ractor_host.answered alter column reply set not null;
-- 0: `reply` is the reply. 1: it is why there is none, as text. Times are milliseconds since 1970.
comment on column ractor_host.answered.outcome is '0 reply, 1 failure';
alter index ractor_host.answered_kept_until rename to answered_at;
