-- What a look under a table's location found: exact lists, of which alone files are ever deleted.
create table icewright.orphan_look (
  look_id       text primary key,
  table_key     text not null,
  table_uuid    text not null,
  -- look: the first of two; approval: waits for a person; deletion: what a run set out to delete.
  purpose       text not null check (purpose in ('look', 'approval', 'deletion')),
  looked_at     timestamptz not null,
  older_than_ms bigint not null,
  files         bigint not null,
  bytes         bigint not null,
  digest        text not null,
  -- Gzipped JSON: [address, size, time of modification, ETag] of each file.
  list          bytea not null
);
create index orphan_look_of_table on icewright.orphan_look (table_key, purpose, looked_at);
