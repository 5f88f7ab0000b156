/** Statements on looks for orphans: written once, exact, and thinned out when they are old. */
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { StoredFile } from '../domain/orphans/files.ts';
import type { OrphanLook } from '../domain/orphans/look-record.ts';
import type { Queryable } from './connection.ts';

/** Looks that no later one can be compared with; what was approved or deleted is kept for good. */
const KEEP_DAYS = 90;

interface RawLook {
  readonly look_id: string;
  readonly table_key: string;
  readonly table_uuid: string;
  readonly purpose: OrphanLook['purpose'];
  readonly looked_at: Date;
  readonly older_than_ms: string;
  readonly digest: string;
  readonly list: Buffer;
}

type RawFile = readonly [string, number, number | null, string | null];

/** Leaves a look that is already there as it is, and returns the one that stands. */
export async function insertLook(db: Queryable, look: OrphanLook): Promise<OrphanLook> {
  const rows: readonly RawFile[] = look.files.map((file) => [
    file.uri,
    file.sizeBytes,
    file.modifiedAtMs,
    file.etag,
  ]);
  const { rows: written } = await db.query(
    `insert into icewright.orphan_look (look_id, table_key, table_uuid, purpose, looked_at,
       older_than_ms, files, bytes, digest, list)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
     on conflict (look_id) do nothing
     returning look_id`,
    [
      look.lookId,
      look.table,
      look.tableUuid,
      look.purpose,
      look.lookedAt,
      look.olderThanMs,
      look.files.length,
      look.files.reduce((sum, file) => sum + file.sizeBytes, 0),
      look.digest,
      await promisify(gzip)(JSON.stringify(rows)),
    ],
  );
  await db.query(
    `delete from icewright.orphan_look
     where purpose = 'look' and looked_at < now() - make_interval(days => $1)`,
    [KEEP_DAYS],
  );
  return written.length > 0 ? look : ((await selectLook(db, look.lookId)) ?? look);
}

const COLUMNS = 'look_id, table_key, table_uuid, purpose, looked_at, older_than_ms, digest, list';

export async function selectLook(db: Queryable, lookId: string): Promise<OrphanLook | null> {
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.orphan_look where look_id = $1`,
    [lookId],
  );
  return readRow((rows as RawLook[])[0]);
}

/** Id of the newest list that was kept for a person's consent and has this digest. */
export async function selectApproval(
  db: Queryable,
  table: string,
  digest: string,
): Promise<string | null> {
  const { rows } = await db.query(
    `select look_id from icewright.orphan_look
     where table_key = $1 and purpose = 'approval' and digest = $2
     order by looked_at desc
     limit 1`,
    [table, digest],
  );
  return (rows as { look_id: string }[])[0]?.look_id ?? null;
}

/** The newest look of a table that was taken at `until` (ISO) or before. */
export async function selectLookUntil(
  db: Queryable,
  table: string,
  until: string,
): Promise<OrphanLook | null> {
  const { rows } = await db.query(
    `select ${COLUMNS} from icewright.orphan_look
     where table_key = $1 and purpose = 'look' and looked_at <= $2
     order by looked_at desc
     limit 1`,
    [table, until],
  );
  return readRow((rows as RawLook[])[0]);
}

async function readRow(row: RawLook | undefined): Promise<OrphanLook | null> {
  if (row === undefined) return null;
  const text = (await promisify(gunzip)(row.list)).toString('utf8');
  const files = (JSON.parse(text) as RawFile[]).map(
    ([uri, sizeBytes, modifiedAtMs, etag]): StoredFile => ({ uri, sizeBytes, modifiedAtMs, etag }),
  );
  return {
    lookId: row.look_id,
    table: row.table_key,
    tableUuid: row.table_uuid,
    purpose: row.purpose,
    lookedAt: row.looked_at.toISOString(),
    olderThanMs: Number(row.older_than_ms),
    digest: row.digest,
    files,
  };
}
