-- What is known of manifests, which never change: each is decoded once. Rows may be lost at any
-- time: they are made anew.
create table icewright.manifest_digest (
  path      text primary key,
  digest    bytea not null,
  last_used timestamptz not null default now()
);
create index manifest_digest_unused on icewright.manifest_digest (last_used);
-- Digests are compressed already.
alter table icewright.manifest_digest alter column digest set storage external;
