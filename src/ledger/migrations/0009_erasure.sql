-- Requests to forget a subject. No personal data: the subject is known by its keyed hash.
create table icewright.erasure_request (
  request_id     text primary key,
  subject        text not null,
  subject_hash   text not null,
  state          text not null check (state in ('requested', 'found', 'awaiting_approval',
    'forgetting', 'verifying', 'done', 'refused', 'cancelled', 'failed')),
  ground         text not null,
  requested_by   text not null,
  requested_at   timestamptz not null,
  deadline_at    timestamptz not null,
  approved_by    text,
  approved_at    timestamptz,
  -- The account, whatever name was given with it.
  approved_account text,
  hold           jsonb,
  paused_by      text,
  found          jsonb not null default '[]',
  shared_identifiers text[] not null default '{}',
  -- Every table that was there when the subject was looked for.
  seen           jsonb not null default '[]',
  blockers       jsonb not null default '[]',
  forgetting_at  timestamptz,
  batch_id       text,
  -- Every one that it was ever in.
  batches        text[] not null default '{}',
  certificate_id text,
  error          jsonb,
  updated_at     timestamptz not null,
  -- The last entry in the chain of proof that tells of it.
  last_entry     bigint not null,
  check (state <> 'done' or certificate_id is not null),
  check (forgetting_at is null or approved_by is not null)
);
create index erasure_request_newest on icewright.erasure_request (requested_at desc, request_id desc);
create index erasure_request_subject on icewright.erasure_request (subject_hash);
create index erasure_request_batch on icewright.erasure_request (batch_id);
create index erasure_request_batches on icewright.erasure_request using gin (batches);
create index erasure_request_entry on icewright.erasure_request (last_entry);

-- What the subject is known by, encrypted: there while its request is open.
create table icewright.erasure_subject (
  request_id text primary key references icewright.erasure_request,
  key_id     text not null,
  cipher     bytea not null
);

-- Requests that are forgotten together.
create table icewright.erasure_batch (
  batch_id  text primary key,
  opened_at timestamptz not null,
  closed_at timestamptz
);

create table icewright.erasure_table (
  batch_id   text not null references icewright.erasure_batch,
  table_key  text not null,
  step       text not null,
  document   jsonb not null,
  updated_at timestamptz not null default now(),
  primary key (batch_id, table_key)
);

-- Exactly these objects go, or are gone. A path may hold partition values: it is kept while a
-- request that was ever in its batch is open, its hash for good.
create table icewright.erasure_file (
  batch_id    text not null references icewright.erasure_batch,
  path_hash   text not null,
  table_key   text not null,
  path        text,
  kind        text not null
    check (kind in ('data', 'deletes', 'manifest', 'manifest_list', 'metadata', 'statistics')),
  bytes       bigint not null,
  etag        text,
  version_ids text[] not null,
  removed_at  timestamptz,
  primary key (batch_id, path_hash)
);

-- Who must not be taken in again, by keyed hash.
create table icewright.suppression (
  subject    text not null,
  identifier text not null,
  hash       text not null,
  request_id text not null,
  added_at   timestamptz not null default now(),
  primary key (subject, identifier, hash)
);

-- The chain of proof. Everything a reader goes by is in the document, which the digest covers.
create table icewright.proof (
  entry          bigint primary key check (entry > 0),
  document       text not null,
  previous       text not null,
  digest         text not null,
  key_id         text not null,
  public_key     text not null,
  signature      text not null,
  request_id     text not null generated always as (document::jsonb ->> 'requestId') stored,
  certificate_id text generated always as (document::jsonb ->> 'certificateId') stored,
  at             text not null generated always as
    (coalesce(document::jsonb ->> 'at', document::jsonb ->> 'finishedAt')) stored
);
create unique index proof_certificate on icewright.proof (certificate_id);
create unique index proof_certificate_of on icewright.proof (request_id)
  where certificate_id is not null;

-- Entries follow each other without gaps: whoever appends waits for whoever appended before.
create function icewright.check_proof() returns trigger language plpgsql as $$
declare
  last record;
begin
  perform pg_advisory_xact_lock(1229149523);
  select entry, digest into last from icewright.proof order by entry desc limit 1;
  if new.entry <> coalesce(last.entry, 0) + 1
     or new.previous <> coalesce(last.digest, repeat('0', 64)) then
    raise exception 'icewright.proof: entry % does not follow the last one', new.entry
      using errcode = 'restrict_violation';
  end if;
  if new.digest <> encode(sha256(convert_to(
       new.entry || E'\n' || new.previous || E'\n' || new.document, 'UTF8')), 'hex')
  then
    raise exception 'icewright.proof: the digest of entry % is not that of its document', new.entry
      using errcode = 'restrict_violation';
  end if;
  return new;
end
$$;
create trigger proof_follows before insert on icewright.proof
  for each row execute function icewright.check_proof();
create trigger proof_append_only before update or delete or truncate on icewright.proof
  for each statement execute function icewright.refuse_change();
alter table icewright.proof enable always trigger proof_follows;
alter table icewright.proof enable always trigger proof_append_only;
-- Of the owner, too: who is no superuser would first have to grant it to themselves.
revoke update, delete, truncate on icewright.proof from public, current_user;
