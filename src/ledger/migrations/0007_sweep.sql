-- What the sweep concluded of each table. `quiet_until`: nothing to do before then, unless the
-- metadata (by their tag) or the rules (by their digest) change; null: something is to be done.
create table icewright.sweep_note (
  table_key     text primary key,
  etag          text,
  rules         text not null,
  quiet_until   timestamptz,
  -- Since when it has had something to do and was not chosen.
  waiting_since timestamptz
);

-- Plans of a sweep that is under way, until it has chosen among them.
create table icewright.sweep_plan (
  sweep_id   text not null,
  table_key  text not null,
  planned_at timestamptz not null default now(),
  document   jsonb not null,
  primary key (sweep_id, table_key)
);
