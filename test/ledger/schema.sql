erasure_batch.batch_id text not null
erasure_batch.opened_at timestamp with time zone not null
erasure_batch.closed_at timestamp with time zone
erasure_batch: constraint erasure_batch_pkey PRIMARY KEY (batch_id)
erasure_batch: CREATE UNIQUE INDEX erasure_batch_pkey ON icewright.erasure_batch USING btree (batch_id)
erasure_file.batch_id text not null
erasure_file.path_hash text not null
erasure_file.table_key text not null
erasure_file.path text
erasure_file.kind text not null
erasure_file.bytes bigint not null
erasure_file.etag text
erasure_file.version_ids text[] not null
erasure_file.removed_at timestamp with time zone
erasure_file: constraint erasure_file_pkey PRIMARY KEY (batch_id, path_hash)
erasure_file: constraint erasure_file_kind_check CHECK ((kind = ANY (ARRAY['data'::text, 'deletes'::text, 'manifest'::text, 'manifest_list'::text, 'metadata'::text, 'statistics'::text])))
erasure_file: constraint erasure_file_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES icewright.erasure_batch(batch_id)
erasure_file: CREATE UNIQUE INDEX erasure_file_pkey ON icewright.erasure_file USING btree (batch_id, path_hash)
erasure_request.request_id text not null
erasure_request.subject text not null
erasure_request.subject_hash text not null
erasure_request.state text not null
erasure_request.ground text not null
erasure_request.requested_by text not null
erasure_request.requested_at timestamp with time zone not null
erasure_request.deadline_at timestamp with time zone not null
erasure_request.approved_by text
erasure_request.approved_at timestamp with time zone
erasure_request.approved_account text
erasure_request.hold jsonb
erasure_request.paused_by text
erasure_request.found jsonb not null default '[]'::jsonb
erasure_request.shared_identifiers text[] not null default '{}'::text[]
erasure_request.seen jsonb not null default '[]'::jsonb
erasure_request.blockers jsonb not null default '[]'::jsonb
erasure_request.forgetting_at timestamp with time zone
erasure_request.batch_id text
erasure_request.batches text[] not null default '{}'::text[]
erasure_request.certificate_id text
erasure_request.error jsonb
erasure_request.updated_at timestamp with time zone not null
erasure_request.last_entry bigint not null
erasure_request: constraint erasure_request_pkey PRIMARY KEY (request_id)
erasure_request: constraint erasure_request_check CHECK (((state <> 'done'::text) OR (certificate_id IS NOT NULL)))
erasure_request: constraint erasure_request_check1 CHECK (((forgetting_at IS NULL) OR (approved_by IS NOT NULL)))
erasure_request: constraint erasure_request_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'found'::text, 'awaiting_approval'::text, 'forgetting'::text, 'verifying'::text, 'done'::text, 'refused'::text, 'cancelled'::text, 'failed'::text])))
erasure_request: CREATE UNIQUE INDEX erasure_request_pkey ON icewright.erasure_request USING btree (request_id)
erasure_request: CREATE INDEX erasure_request_batch ON icewright.erasure_request USING btree (batch_id)
erasure_request: CREATE INDEX erasure_request_entry ON icewright.erasure_request USING btree (last_entry)
erasure_request: CREATE INDEX erasure_request_newest ON icewright.erasure_request USING btree (requested_at DESC, request_id DESC)
erasure_request: CREATE INDEX erasure_request_batches ON icewright.erasure_request USING gin (batches)
erasure_request: CREATE INDEX erasure_request_subject ON icewright.erasure_request USING btree (subject_hash)
erasure_subject.request_id text not null
erasure_subject.key_id text not null
erasure_subject.cipher bytea not null
erasure_subject: constraint erasure_subject_pkey PRIMARY KEY (request_id)
erasure_subject: constraint erasure_subject_request_id_fkey FOREIGN KEY (request_id) REFERENCES icewright.erasure_request(request_id)
erasure_subject: CREATE UNIQUE INDEX erasure_subject_pkey ON icewright.erasure_subject USING btree (request_id)
erasure_table.batch_id text not null
erasure_table.table_key text not null
erasure_table.step text not null
erasure_table.document jsonb not null
erasure_table.updated_at timestamp with time zone not null default now()
erasure_table: constraint erasure_table_pkey PRIMARY KEY (batch_id, table_key)
erasure_table: constraint erasure_table_batch_id_fkey FOREIGN KEY (batch_id) REFERENCES icewright.erasure_batch(batch_id)
erasure_table: CREATE UNIQUE INDEX erasure_table_pkey ON icewright.erasure_table USING btree (batch_id, table_key)
health_point.table_key text not null
health_point.at timestamp with time zone not null
health_point.grain smallint not null default 0
health_point.data_files bigint not null
health_point.small_files bigint
health_point.total_bytes bigint not null
health_point.snapshots bigint not null
health_point.delete_files bigint not null
health_point.score double precision
health_point.small_bytes bigint
health_point.manifests bigint
health_point.delete_ratio double precision
health_point.backlog_files bigint
health_point: constraint health_point_pkey PRIMARY KEY (table_key, at)
health_point: constraint health_point_grain_check CHECK (((grain >= 0) AND (grain <= 2)))
health_point: CREATE UNIQUE INDEX health_point_pkey ON icewright.health_point USING btree (table_key, at)
health_point: CREATE INDEX health_point_grain ON icewright.health_point USING btree (grain, at)
manifest_digest.path text not null
manifest_digest.digest bytea not null
manifest_digest.last_used timestamp with time zone not null default now()
manifest_digest: constraint manifest_digest_pkey PRIMARY KEY (path)
manifest_digest: CREATE UNIQUE INDEX manifest_digest_pkey ON icewright.manifest_digest USING btree (path)
manifest_digest: CREATE INDEX manifest_digest_unused ON icewright.manifest_digest USING btree (last_used)
migration.number integer not null
migration.name text not null
migration.checksum text not null
migration.applied_at timestamp with time zone not null default now()
migration: constraint migration_pkey PRIMARY KEY (number)
migration: CREATE UNIQUE INDEX migration_pkey ON icewright.migration USING btree (number)
orphan_look.look_id text not null
orphan_look.table_key text not null
orphan_look.table_uuid text not null
orphan_look.purpose text not null
orphan_look.looked_at timestamp with time zone not null
orphan_look.older_than_ms bigint not null
orphan_look.files bigint not null
orphan_look.bytes bigint not null
orphan_look.digest text not null
orphan_look.list bytea not null
orphan_look: constraint orphan_look_pkey PRIMARY KEY (look_id)
orphan_look: constraint orphan_look_purpose_check CHECK ((purpose = ANY (ARRAY['look'::text, 'approval'::text, 'deletion'::text])))
orphan_look: CREATE UNIQUE INDEX orphan_look_pkey ON icewright.orphan_look USING btree (look_id)
orphan_look: CREATE INDEX orphan_look_of_table ON icewright.orphan_look USING btree (table_key, purpose, looked_at)
pause_event.event_no bigint not null identity
pause_event.kind text not null
pause_event.pattern text not null
pause_event.operation text
pause_event.until timestamp with time zone
pause_event.reason text not null
pause_event.made_by text not null
pause_event.made_at timestamp with time zone not null
pause_event: constraint pause_event_pkey PRIMARY KEY (event_no)
pause_event: constraint pause_event_kind_check CHECK ((kind = ANY (ARRAY['pause'::text, 'resume'::text])))
pause_event: CREATE UNIQUE INDEX pause_event_pkey ON icewright.pause_event USING btree (event_no)
pause_event: CREATE TRIGGER pause_event_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON icewright.pause_event FOR EACH STATEMENT EXECUTE FUNCTION icewright.refuse_change() -- always
plan.plan_id text not null
plan.created_at timestamp with time zone not null
plan.digest text not null
plan.document jsonb not null
plan: constraint plan_pkey PRIMARY KEY (plan_id)
plan: CREATE UNIQUE INDEX plan_pkey ON icewright.plan USING btree (plan_id)
plan: CREATE TRIGGER plan_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON icewright.plan FOR EACH STATEMENT EXECUTE FUNCTION icewright.refuse_change() -- always
policy_version.version_no bigint not null identity
policy_version.digest text not null
policy_version.documents jsonb not null
policy_version.applied_by text not null
policy_version.applied_at timestamp with time zone not null
policy_version: constraint policy_version_pkey PRIMARY KEY (version_no)
policy_version: CREATE UNIQUE INDEX policy_version_pkey ON icewright.policy_version USING btree (version_no)
policy_version: CREATE TRIGGER policy_version_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON icewright.policy_version FOR EACH STATEMENT EXECUTE FUNCTION icewright.refuse_change() -- always
proof.entry bigint not null
proof.document text not null
proof.previous text not null
proof.digest text not null
proof.key_id text not null
proof.public_key text not null
proof.signature text not null
proof.request_id text not null generated ((document)::jsonb ->> 'requestId'::text)
proof.certificate_id text generated ((document)::jsonb ->> 'certificateId'::text)
proof.at text not null generated COALESCE(((document)::jsonb ->> 'at'::text), ((document)::jsonb ->> 'finishedAt'::text))
proof: constraint proof_pkey PRIMARY KEY (entry)
proof: constraint proof_entry_check CHECK ((entry > 0))
proof: CREATE UNIQUE INDEX proof_pkey ON icewright.proof USING btree (entry)
proof: CREATE UNIQUE INDEX proof_certificate ON icewright.proof USING btree (certificate_id)
proof: CREATE UNIQUE INDEX proof_certificate_of ON icewright.proof USING btree (request_id) WHERE (certificate_id IS NOT NULL)
proof: CREATE TRIGGER proof_follows BEFORE INSERT ON icewright.proof FOR EACH ROW EXECUTE FUNCTION icewright.check_proof() -- always
proof: CREATE TRIGGER proof_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON icewright.proof FOR EACH STATEMENT EXECUTE FUNCTION icewright.refuse_change() -- always
receipt.receipt_no bigint not null identity
receipt.run_id text not null
receipt.ordinal integer not null
receipt.table_key text not null
receipt.operation text not null generated (document ->> 'operation'::text)
receipt.status text not null generated (document ->> 'status'::text)
receipt.recorded_at timestamp with time zone not null default now()
receipt.document jsonb not null
receipt: constraint receipt_pkey PRIMARY KEY (receipt_no)
receipt: constraint receipt_ordinal_check CHECK ((ordinal >= 0))
receipt: constraint receipt_run_id_ordinal_key UNIQUE (run_id, ordinal)
receipt: CREATE UNIQUE INDEX receipt_pkey ON icewright.receipt USING btree (receipt_no)
receipt: CREATE INDEX receipt_by_time ON icewright.receipt USING btree (recorded_at)
receipt: CREATE INDEX receipt_by_table ON icewright.receipt USING btree (table_key, receipt_no DESC)
receipt: CREATE INDEX receipt_by_operation ON icewright.receipt USING btree (table_key, operation, (
CASE
    WHEN ((document #>> '{error,code}'::text[]) = 'Cancelled'::text) THEN 'cancelled'::text
    ELSE status
END), receipt_no DESC)
receipt: CREATE UNIQUE INDEX receipt_run_id_ordinal_key ON icewright.receipt USING btree (run_id, ordinal)
receipt: CREATE TRIGGER receipt_append_only BEFORE DELETE OR UPDATE OR TRUNCATE ON icewright.receipt FOR EACH STATEMENT EXECUTE FUNCTION icewright.refuse_change() -- always
run.run_id text not null
run.kind text not null
run.table_key text
run.title text not null
run.parent_run_id text
run.workflow_id text not null
run.plan_id text
run.state text not null
run.requested_by text not null
run.created_at timestamp with time zone not null
run.started_at timestamp with time zone
run.finished_at timestamp with time zone
run.error jsonb
run.outcome jsonb
run: constraint run_pkey PRIMARY KEY (run_id)
run: constraint run_kind_check CHECK ((kind = ANY (ARRAY['nightly'::text, 'transform'::text, 'maintenance'::text])))
run: constraint run_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'running'::text, 'done'::text, 'failed'::text, 'refused'::text, 'cancelled'::text])))
run: CREATE UNIQUE INDEX run_pkey ON icewright.run USING btree (run_id)
run: CREATE INDEX run_created ON icewright.run USING btree (created_at DESC, run_id DESC)
run: CREATE INDEX run_running ON icewright.run USING btree (table_key) WHERE (state = 'running'::text)
run: CREATE INDEX run_by_table ON icewright.run USING btree (table_key, created_at DESC)
run: CREATE INDEX run_by_parent ON icewright.run USING btree (parent_run_id, created_at DESC)
snapshot_pin.run_id text not null
snapshot_pin.table_key text not null
snapshot_pin.snapshot_id text not null
snapshot_pin.expires_at timestamp with time zone not null
snapshot_pin: constraint snapshot_pin_pkey PRIMARY KEY (run_id, table_key, snapshot_id)
snapshot_pin: CREATE UNIQUE INDEX snapshot_pin_pkey ON icewright.snapshot_pin USING btree (run_id, table_key, snapshot_id)
snapshot_pin: CREATE INDEX snapshot_pin_by_table ON icewright.snapshot_pin USING btree (table_key, expires_at)
started_operation.run_id text not null
started_operation.ordinal integer not null
started_operation.table_key text not null
started_operation.operation text not null
started_operation.engine text not null
started_operation.before jsonb not null
started_operation.started_at timestamp with time zone not null
started_operation: constraint started_operation_pkey PRIMARY KEY (run_id, ordinal)
started_operation: constraint started_operation_ordinal_check CHECK ((ordinal >= 0))
started_operation: CREATE UNIQUE INDEX started_operation_pkey ON icewright.started_operation USING btree (run_id, ordinal)
suppression.subject text not null
suppression.identifier text not null
suppression.hash text not null
suppression.request_id text not null
suppression.added_at timestamp with time zone not null default now()
suppression: constraint suppression_pkey PRIMARY KEY (subject, identifier, hash)
suppression: CREATE UNIQUE INDEX suppression_pkey ON icewright.suppression USING btree (subject, identifier, hash)
sweep_note.table_key text not null
sweep_note.etag text
sweep_note.rules text not null
sweep_note.quiet_until timestamp with time zone
sweep_note.waiting_since timestamp with time zone
sweep_note: constraint sweep_note_pkey PRIMARY KEY (table_key)
sweep_note: CREATE UNIQUE INDEX sweep_note_pkey ON icewright.sweep_note USING btree (table_key)
sweep_plan.sweep_id text not null
sweep_plan.table_key text not null
sweep_plan.planned_at timestamp with time zone not null default now()
sweep_plan.document jsonb not null
sweep_plan: constraint sweep_plan_pkey PRIMARY KEY (sweep_id, table_key)
sweep_plan: CREATE UNIQUE INDEX sweep_plan_pkey ON icewright.sweep_plan USING btree (sweep_id, table_key)
table_report.table_key text not null
table_report.catalog text not null
table_report.etag text
table_report.location text
table_report.measured_at timestamp with time zone not null
table_report.document jsonb not null
table_report.written_by xid8 not null default pg_current_xact_id()
table_report: constraint table_report_pkey PRIMARY KEY (table_key)
table_report: CREATE UNIQUE INDEX table_report_pkey ON icewright.table_report USING btree (table_key)
table_report: CREATE INDEX table_report_written ON icewright.table_report USING btree (catalog, written_by)
CREATE OR REPLACE FUNCTION icewright.check_proof()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
$function$
CREATE OR REPLACE FUNCTION icewright.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'icewright.% is append-only: % is refused', tg_table_name, lower(tg_op)
    using errcode = 'restrict_violation';
end
$function$
