-- The last report of each table, and the tag of the metadata that it is true of.
create table icewright.table_report (
  table_key   text primary key,
  catalog     text not null,
  etag        text,
  location    text,
  measured_at timestamptz not null,
  document    jsonb not null,
  -- Who has read the reports up to some transaction asks for what was written since.
  written_by  xid8 not null default pg_current_xact_id()
);
create index table_report_written on icewright.table_report (catalog, written_by);

-- History as a step function: a point holds until the table's next one. `grain` 0: as it came,
-- 1: the last of its hour, 2: the last of its day.
create table icewright.health_point (
  table_key    text not null,
  at           timestamptz not null,
  grain        smallint not null default 0 check (grain between 0 and 2),
  data_files   bigint not null,
  small_files  bigint,
  total_bytes  bigint not null,
  snapshots    bigint not null,
  delete_files bigint not null,
  score        double precision,
  primary key (table_key, at)
);
-- What is still to be rolled up, by age.
create index health_point_grain on icewright.health_point (grain, at);
