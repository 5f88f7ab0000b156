-- Plans: what was decided and why. Written once.
create table icewright.plan (
  plan_id    text primary key,
  created_at timestamptz not null,
  digest     text not null,
  document   jsonb not null
);

-- Runs: one row per requested piece of work; its state moves on until it has ended.
create table icewright.run (
  run_id        text primary key,
  kind          text not null check (kind in ('nightly', 'transform', 'maintenance')),
  table_key     text,
  title         text not null,
  parent_run_id text,
  workflow_id   text not null,
  plan_id       text,
  state         text not null
    check (state in ('queued', 'running', 'done', 'failed', 'refused', 'cancelled')),
  requested_by  text not null,
  created_at    timestamptz not null,
  started_at    timestamptz,
  finished_at   timestamptz,
  error         jsonb,
  -- What the run answers to whoever asked for it, once it has ended.
  outcome       jsonb
);
create index run_created on icewright.run (created_at desc, run_id desc);
create index run_by_table on icewright.run (table_key, created_at desc);
create index run_by_parent on icewright.run (parent_run_id, created_at desc);

-- Operations that were begun: the row exists before the engine hears of them.
create table icewright.started_operation (
  run_id     text not null,
  ordinal    integer not null check (ordinal >= 0),
  table_key  text not null,
  operation  text not null,
  engine     text not null,
  before     jsonb not null,
  started_at timestamptz not null,
  primary key (run_id, ordinal)
);

-- Receipts: what was done. No foreign key to run: a receipt is never refused because another
-- row is late or gone.
create table icewright.receipt (
  receipt_no  bigint generated always as identity primary key,
  run_id      text not null,
  ordinal     integer not null check (ordinal >= 0),
  table_key   text not null,
  operation   text not null generated always as (document ->> 'operation') stored,
  status      text not null generated always as (document ->> 'status') stored,
  recorded_at timestamptz not null default now(),
  document    jsonb not null,
  unique (run_id, ordinal)
);
create index receipt_by_table on icewright.receipt (table_key, receipt_no desc);

-- Snapshots that a live run reads. A run that dies leaves its pins; they end by themselves.
create table icewright.snapshot_pin (
  run_id      text not null,
  table_key   text not null,
  snapshot_id text not null,
  expires_at  timestamptz not null,
  primary key (run_id, table_key, snapshot_id)
);
create index snapshot_pin_by_table on icewright.snapshot_pin (table_key, expires_at);

-- Plans and receipts are evidence: the database itself refuses to change them.
create function icewright.refuse_change() returns trigger language plpgsql as $$
begin
  raise exception 'icewright.% is append-only: % is refused', tg_table_name, lower(tg_op)
    using errcode = 'restrict_violation';
end
$$;

create trigger receipt_append_only before update or delete or truncate on icewright.receipt
  for each statement execute function icewright.refuse_change();
create trigger plan_append_only before update or delete or truncate on icewright.plan
  for each statement execute function icewright.refuse_change();

-- Also in sessions that switch ordinary triggers off (session_replication_role = replica).
alter table icewright.receipt enable always trigger receipt_append_only;
alter table icewright.plan enable always trigger plan_append_only;
