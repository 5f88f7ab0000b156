/** Statements on requests for erasure and what their subjects are known by. */
import type {
  ErasureAct,
  ErasureActed,
  ErasureFilter,
  NewErasure,
  SealedValues,
  Sealer,
} from '../activities/erasure-ports.ts';
import type { ErasureEvent } from '../domain/erasure/event.ts';
import type { ErasureRequest } from '../domain/erasure/request.ts';
import { applyAct, hasEnded } from '../domain/erasure/transitions.ts';
import { IcewrightError } from '../domain/errors.ts';
import { jsonText, type Queryable } from './connection.ts';
import { appendProof } from './proofs.ts';

/** A request as the driver gives it: times as `Date`. */
interface RawRequest {
  readonly request_id: string;
  readonly subject: string;
  readonly subject_hash: string;
  readonly state: ErasureRequest['state'];
  readonly ground: string;
  readonly requested_by: string;
  readonly requested_at: Date;
  readonly deadline_at: Date;
  readonly approved_by: string | null;
  readonly approved_at: Date | null;
  readonly approved_account: string | null;
  readonly hold: ErasureRequest['hold'];
  readonly paused_by: string | null;
  readonly found: ErasureRequest['found'];
  readonly seen: ErasureRequest['seen'];
  readonly shared_identifiers: readonly string[];
  readonly blockers: ErasureRequest['blockers'];
  readonly forgetting_at: Date | null;
  readonly batch_id: string | null;
  readonly batches: readonly string[];
  readonly certificate_id: string | null;
  readonly error: ErasureRequest['error'];
  readonly updated_at: Date;
}

const COLUMNS = `request_id, subject, subject_hash, state, ground, requested_by, requested_at,
  deadline_at, approved_by, approved_at, approved_account, hold, paused_by, found,
  shared_identifiers, seen, blockers, forgetting_at, batch_id, batches, certificate_id, error,
  updated_at`;

/** `db` is a transaction. */
export async function insertRequest(
  db: Queryable,
  sealer: Sealer,
  request: NewErasure,
  values: SealedValues,
): Promise<ErasureRequest> {
  const { rows } = await db.query(
    `insert into icewright.erasure_request (request_id, subject, subject_hash, state, ground,
       requested_by, requested_at, deadline_at, updated_at, last_entry)
     values ($1, $2, $3, 'requested', $4, $5, $6, $7, $6, 0)
     on conflict (request_id) do nothing
     returning ${COLUMNS}`,
    [
      request.requestId,
      request.subject,
      request.subjectHash,
      request.ground,
      request.requestedBy,
      request.requestedAt,
      request.deadlineAt,
    ],
  );
  const row = (rows as RawRequest[])[0];
  if (row === undefined) return findRequest(db, request.requestId, '');
  const opened = requestOf(row);
  await upsertValues(db, opened.requestId, values);
  const { requestedBy: by, requestedAt: at } = opened;
  await recordEvent(db, sealer, { ...eventOf(opened), by, at, act: 'open', from: null });
  return opened;
}

export async function selectRequest(
  db: Queryable,
  requestId: string,
): Promise<ErasureRequest | null> {
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.erasure_request where request_id = $1`,
    [requestId],
  );
  const row = (rows as RawRequest[])[0];
  return row === undefined ? null : requestOf(row);
}

export async function selectRequests(
  db: Queryable,
  filter: ErasureFilter,
): Promise<readonly ErasureRequest[]> {
  const { states, subjectHash, batchId, limit } = filter;
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.erasure_request
     where ($1::text[] is null or state = any($1))
       and ($2::text is null or subject_hash = $2)
       and ($3::text is null or batch_id = $3)
     order by requested_at desc, request_id desc
     limit $4`,
    [states ?? null, subjectHash ?? null, batchId ?? null, limit],
  );
  return (rows as RawRequest[]).map(requestOf);
}

/** `db` is a transaction: the change and its entry in the chain are written together. */
export async function actOnRequest(
  db: Queryable,
  sealer: () => Sealer,
  { requestId, from, act, ...who }: ErasureAct,
): Promise<ErasureActed> {
  const before = await findRequest(db, requestId, 'for update');
  if (from !== undefined && !from.includes(before.state)) return { acted: false, request: before };
  const result = applyAct(before, act, who);
  if (!result.ok) throw refused(requestId, act.kind, result.because);
  const { request } = result;
  // A step that is repeated leaves no second entry.
  if (isUnchanged(before, request)) return { acted: true, request: before };
  if (request.state === 'done') await checkCertificate(db, request);
  await updateRequest(db, request);
  if (act.kind !== 'amend') {
    const { by, account = by, at } = who;
    const told = { by, ...(account === by ? {} : { account }), at };
    const event = { ...eventOf(request), ...told, act: act.kind, from: before.state };
    await recordEvent(db, sealer(), event);
  }
  if (hasEnded(request)) await forgetValues(db, request);
  return { acted: true, request };
}

export async function updateValues(
  db: Queryable,
  requestId: string,
  values: SealedValues,
): Promise<void> {
  const request = await findRequest(db, requestId, 'for update');
  if (hasEnded(request)) throw refused(requestId, 'keeping values', 'it has ended');
  await upsertValues(db, requestId, values);
}

export async function selectValues(db: Queryable, requestId: string): Promise<SealedValues | null> {
  const { rows } = await db.query(
    'select key_id, cipher from icewright.erasure_subject where request_id = $1',
    [requestId],
  );
  const row = (rows as { key_id: string; cipher: Buffer }[])[0];
  return row === undefined ? null : { keyId: row.key_id, bytes: row.cipher };
}

async function upsertValues(db: Queryable, requestId: string, values: SealedValues): Promise<void> {
  await db.query(
    `insert into icewright.erasure_subject (request_id, key_id, cipher) values ($1, $2, $3)
     on conflict (request_id) do update set key_id = excluded.key_id, cipher = excluded.cipher`,
    [requestId, values.keyId, Buffer.from(values.bytes)],
  );
}

/** At the end of a request; the last one that was ever in a batch takes the paths along. */
async function forgetValues(db: Queryable, { requestId, batches }: ErasureRequest): Promise<void> {
  await db.query('delete from icewright.erasure_subject where request_id = $1', [requestId]);
  if (batches.length === 0) return;
  // Of two that end at once, the later one must see the earlier one's end.
  await db.query(
    `select 1 from icewright.erasure_batch where batch_id = any($1) order by batch_id for update`,
    [batches],
  );
  await db.query(
    `update icewright.erasure_file file set path = null
     where batch_id = any($1) and path is not null and not exists (
       select from icewright.erasure_request
       where batches @> array[file.batch_id] and state not in ('done', 'refused', 'cancelled'))`,
    [batches],
  );
}

async function updateRequest(db: Queryable, request: ErasureRequest): Promise<void> {
  await db.query(
    `update icewright.erasure_request set
       state = $2, approved_by = $3, approved_at = $4, hold = $5, paused_by = $6, found = $7,
       blockers = $8, forgetting_at = $9, batch_id = $10, certificate_id = $11, error = $12,
       updated_at = $13, approved_account = $14, seen = $15, batches = $16,
       shared_identifiers = $17
     where request_id = $1`,
    [
      request.requestId,
      request.state,
      request.approvedBy,
      request.approvedAt,
      toJson(request.hold),
      request.pausedBy,
      jsonText(request.found),
      jsonText(request.blockers),
      request.forgettingAt,
      request.batchId,
      request.certificateId,
      toJson(request.error),
      request.updatedAt,
      request.approvedAccount,
      jsonText(request.seen),
      request.batches,
      request.sharedIdentifiers,
    ],
  );
}

async function recordEvent(db: Queryable, sealer: Sealer, event: ErasureEvent): Promise<void> {
  const entry = await appendProof(db, sealer, event);
  await db.query('update icewright.erasure_request set last_entry = $2 where request_id = $1', [
    event.requestId,
    entry,
  ]);
}

/** Nothing is done without its proof: not even by a caller that says there is one. */
async function checkCertificate(db: Queryable, request: ErasureRequest): Promise<void> {
  const { requestId, certificateId } = request;
  const { rows } = await db.query(
    'select 1 from icewright.proof where certificate_id = $1 and request_id = $2',
    [certificateId, requestId],
  );
  if (rows.length > 0) return;
  throw refused(requestId, 'move', `certificate ${certificateId} of it was not issued`);
}

export async function findRequest(
  db: Queryable,
  requestId: string,
  lock: '' | 'for update',
): Promise<ErasureRequest> {
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.erasure_request where request_id = $1 ${lock}`,
    [requestId],
  );
  const row = (rows as RawRequest[])[0];
  if (row !== undefined) return requestOf(row);
  const message = `erasure ${requestId} is not known: see "icewright erase list"`;
  throw new IcewrightError('RunNotFound', message, { requestId });
}

function refused(requestId: string, what: string, because: string): IcewrightError {
  const message = `erasure ${requestId}: ${what} is refused: ${because}`;
  return new IcewrightError('SafetyRefused', message, { requestId, act: what });
}

function eventOf({ requestId, state, error }: ErasureRequest) {
  const format = 'icewright.erasure-event/1' as const;
  return { format, requestId, to: state, error: error?.code ?? null };
}

function isUnchanged(before: ErasureRequest, after: ErasureRequest): boolean {
  const { updatedAt } = before;
  return JSON.stringify(before) === JSON.stringify({ ...after, updatedAt });
}

function requestOf(row: RawRequest): ErasureRequest {
  return {
    requestId: row.request_id,
    subject: row.subject,
    subjectHash: row.subject_hash,
    state: row.state,
    ground: row.ground,
    requestedBy: row.requested_by,
    requestedAt: row.requested_at.toISOString(),
    deadlineAt: row.deadline_at.toISOString(),
    approvedBy: row.approved_by,
    approvedAt: row.approved_at?.toISOString() ?? null,
    approvedAccount: row.approved_account,
    hold: row.hold,
    pausedBy: row.paused_by,
    found: row.found,
    seen: row.seen,
    sharedIdentifiers: row.shared_identifiers,
    blockers: row.blockers,
    forgettingAt: row.forgetting_at?.toISOString() ?? null,
    batchId: row.batch_id,
    batches: row.batches,
    certificateId: row.certificate_id,
    error: row.error,
    updatedAt: row.updated_at.toISOString(),
  };
}

function toJson(value: unknown): string | null {
  return value === null ? null : jsonText(value);
}
