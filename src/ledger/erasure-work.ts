/** Statements on the work of erasure: batches, tables, files, and who stays forgotten. */
import type {
  CarriedFiles,
  ErasureFile,
  FileFilter,
  Suppression,
  TableWork,
} from '../activities/erasure-ports.ts';
import { IcewrightError } from '../domain/errors.ts';
import { jsonText, type Queryable } from './connection.ts';
import { actOnRequest } from './erasures.ts';

interface RawFile {
  readonly batch_id: string;
  readonly path_hash: string;
  readonly table_key: string;
  readonly path: string | null;
  readonly kind: ErasureFile['kind'];
  readonly bytes: string;
  readonly etag: string | null;
  readonly version_ids: string[];
  readonly removed_at: Date | null;
}

export async function insertBatch(db: Queryable, batchId: string, openedAt: string): Promise<void> {
  await db.query(
    `insert into icewright.erasure_batch (batch_id, opened_at) values ($1, $2)
     on conflict (batch_id) do nothing`,
    [batchId, openedAt],
  );
}

/** `db` is a transaction: a batch that is closed meanwhile takes nobody. */
export async function insertIntoBatch(
  db: Queryable,
  { requestId, batchId, at }: { requestId: string; batchId: string; at: string },
): Promise<boolean> {
  // In this order: a request that comes to its end locks itself, then its batches.
  await db.query('select 1 from icewright.erasure_request where request_id = $1 for update', [
    requestId,
  ]);
  const { rows } = await db.query(
    'select 1 from icewright.erasure_batch where batch_id = $1 and closed_at is null for share',
    [batchId],
  );
  if (rows.length === 0) return false;
  const act = { kind: 'amend', patch: { batchId } } as const;
  await actOnRequest(db, noEvent, { requestId, act, by: 'workflow', at });
  return true;
}

/** To amend a request is no act of the chain. */
function noEvent(): never {
  throw new IcewrightError('Internal', 'an amendment asked for a signature');
}

export async function selectBatches(
  db: Queryable,
): Promise<readonly { batchId: string; openedAt: string; closedAt: string | null }[]> {
  const { rows } = await db.query(
    'select batch_id, opened_at, closed_at from icewright.erasure_batch order by opened_at',
    [],
  );
  const found = rows as { batch_id: string; opened_at: Date; closed_at: Date | null }[];
  return found.map((row) => ({
    batchId: row.batch_id,
    openedAt: row.opened_at.toISOString(),
    closedAt: row.closed_at?.toISOString() ?? null,
  }));
}

/** The first time counts. */
export async function updateBatch(db: Queryable, batchId: string, closedAt: string): Promise<void> {
  await db.query(
    `update icewright.erasure_batch set closed_at = $2 where batch_id = $1 and closed_at is null`,
    [batchId, closedAt],
  );
}

export async function upsertTableWork(db: Queryable, work: TableWork): Promise<void> {
  await db.query(
    `insert into icewright.erasure_table (batch_id, table_key, step, document)
     values ($1, $2, $3, $4)
     on conflict (batch_id, table_key) do update set
       step = excluded.step, document = excluded.document, updated_at = now()`,
    [work.batchId, work.table, work.step, jsonText(work.document)],
  );
}

export async function selectTableWork(
  db: Queryable,
  batchId: string,
): Promise<readonly TableWork[]> {
  const { rows } = await db.query(
    `select table_key, step, document from icewright.erasure_table
     where batch_id = $1 order by table_key`,
    [batchId],
  );
  const found = rows as { table_key: string; step: string; document: TableWork['document'] }[];
  return found.map((row) => ({
    batchId,
    table: row.table_key,
    step: row.step,
    document: row.document,
  }));
}

/**
 * All at once or none. What is known of a file stays known: a second purge, to which it is gone
 * already, forgets neither its versions, nor its size, nor when it was removed.
 */
export async function upsertFiles(db: Queryable, files: readonly ErasureFile[]): Promise<void> {
  const rows = files.map((file) => ({
    batch_id: file.batchId,
    path_hash: file.pathHash,
    table_key: file.table,
    path: file.path,
    kind: file.kind,
    bytes: file.bytes,
    etag: file.etag,
    version_ids: file.versionIds,
    removed_at: file.removedAt,
  }));
  await db.query(
    `insert into icewright.erasure_file as old
     select * from jsonb_to_recordset($1::jsonb) as file (batch_id text, path_hash text,
       table_key text, path text, kind text, bytes bigint, etag text, version_ids text[],
       removed_at timestamptz)
     on conflict (batch_id, path_hash) do update set
       bytes = greatest(old.bytes, excluded.bytes), etag = coalesce(excluded.etag, old.etag),
       version_ids = array(
         select distinct id from unnest(old.version_ids || excluded.version_ids) as id order by id),
       removed_at = coalesce(old.removed_at, excluded.removed_at)`,
    [JSON.stringify(rows)],
  );
}

/** Each file once; what either of the two knows of it stays. */
export async function copyFiles(db: Queryable, { from, to }: CarriedFiles): Promise<void> {
  await db.query(
    `insert into icewright.erasure_file as old (batch_id, path_hash, table_key, path, kind, bytes,
       etag, version_ids, removed_at)
     select $3, path_hash, $4, path, kind, bytes, etag, version_ids, removed_at
     from icewright.erasure_file where batch_id = $1 and table_key = $2
     on conflict (batch_id, path_hash) do update set
       path = coalesce(old.path, excluded.path),
       version_ids = array(
         select distinct id from unnest(old.version_ids || excluded.version_ids) as id order by id),
       removed_at = coalesce(old.removed_at, excluded.removed_at)`,
    [from.batchId, from.table, to.batchId, to.table],
  );
}

/** In the order of their path hashes. */
export async function selectFiles(
  db: Queryable,
  filter: FileFilter,
): Promise<readonly ErasureFile[]> {
  const { batchId, table, removed, after, limit } = filter;
  const { rows } = await db.query(
    `select * from icewright.erasure_file
     where batch_id = $1
       and ($2::text is null or table_key = $2)
       and ($3::boolean is null or (removed_at is not null) = $3)
       and ($4::text is null or path_hash > $4)
     order by path_hash
     limit $5`,
    [batchId, table ?? null, removed ?? null, after ?? null, limit],
  );
  return (rows as RawFile[]).map(fileOf);
}

export async function updateRemoved(
  db: Queryable,
  batchId: string,
  pathHashes: readonly string[],
  at: string,
): Promise<void> {
  await db.query(
    `update icewright.erasure_file set removed_at = $3
     where batch_id = $1 and path_hash = any($2) and removed_at is null`,
    [batchId, pathHashes, at],
  );
}

export async function insertSuppressions(
  db: Queryable,
  list: readonly Suppression[],
): Promise<void> {
  await db.query(
    `insert into icewright.suppression (subject, identifier, hash, request_id)
     select * from unnest($1::text[], $2::text[], $3::text[], $4::text[])
     on conflict (subject, identifier, hash) do nothing`,
    [
      list.map((one) => one.subject),
      list.map((one) => one.identifier),
      list.map((one) => one.hash),
      list.map((one) => one.requestId),
    ],
  );
}

export async function selectSuppressions(
  db: Queryable,
  subject: string,
): Promise<readonly Suppression[]> {
  const { rows } = await db.query(
    `select identifier, hash, request_id from icewright.suppression
     where subject = $1 order by identifier, hash`,
    [subject],
  );
  const found = rows as { identifier: string; hash: string; request_id: string }[];
  return found.map((row) => ({
    subject,
    identifier: row.identifier,
    hash: row.hash,
    requestId: row.request_id,
  }));
}

function fileOf(row: RawFile): ErasureFile {
  return {
    batchId: row.batch_id,
    table: row.table_key,
    pathHash: row.path_hash,
    path: row.path,
    kind: row.kind,
    bytes: Number(row.bytes),
    etag: row.etag,
    versionIds: row.version_ids,
    removedAt: row.removed_at?.toISOString() ?? null,
  };
}
