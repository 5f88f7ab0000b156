-- What operators paused and resumed: a log, from which what holds now is read off.
create table icewright.pause_event (
  event_no  bigint primary key generated always as identity,
  kind      text not null check (kind in ('pause', 'resume')),
  pattern   text not null,
  -- Null: every operation.
  operation text,
  until     timestamptz,
  reason    text not null,
  made_by   text not null,
  made_at   timestamptz not null
);
create trigger pause_event_append_only before update or delete or truncate on icewright.pause_event
  for each statement execute function icewright.refuse_change();
alter table icewright.pause_event enable always trigger pause_event_append_only;

-- The policies that took effect, one row for each time that they changed: file name → its text.
create table icewright.policy_version (
  version_no bigint primary key generated always as identity,
  digest     text not null,
  documents  jsonb not null,
  applied_by text not null,
  applied_at timestamptz not null
);
create trigger policy_version_append_only
  before update or delete or truncate on icewright.policy_version
  for each statement execute function icewright.refuse_change();
alter table icewright.policy_version enable always trigger policy_version_append_only;

-- Budgets and simulations ask for everything that was done in a span of time.
create index receipt_by_time on icewright.receipt (recorded_at);

-- What triggers look at, so that a policy can be tried on the past. Null: not measured, or before.
alter table icewright.health_point
  add column small_bytes   bigint,
  add column manifests     bigint,
  add column delete_ratio  double precision,
  add column backlog_files bigint;
