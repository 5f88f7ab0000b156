/** Statements on the digests of manifests: a cache that outlives processes. */
import type { Queryable } from './connection.ts';

/** A manifest that no table has named for so long is of an expired snapshot or a dropped table. */
const KEEP_DAYS = 30;
/** Rows that one saving removes at most: it must not take long. */
const PRUNE_ROWS = 1_000;
/** A use is noted once a day: reading shall not write. */
const NOTE_AFTER = '1 day';

/** Those that are there, by path. */
export async function selectDigests(
  db: Queryable,
  paths: readonly string[],
): Promise<ReadonlyMap<string, Buffer>> {
  const { rows } = await db.query(
    `with noted as (
       update icewright.manifest_digest set last_used = now()
       where path = any($1) and last_used < now() - $2::interval
     )
     select path, digest from icewright.manifest_digest where path = any($1)`,
    [paths, NOTE_AFTER],
  );
  const found = rows as readonly { readonly path: string; readonly digest: Buffer }[];
  return new Map(found.map((row) => [row.path, row.digest]));
}

/** Replaces what is there, and removes some of what is not used any more. */
export async function upsertDigests(
  db: Queryable,
  entries: ReadonlyMap<string, Buffer>,
): Promise<void> {
  // In order, so that two processes that save the same never wait for each other in a circle.
  const sorted = [...entries].sort(([left], [right]) => (left < right ? -1 : 1));
  await db.query(
    `insert into icewright.manifest_digest (path, digest)
     select * from unnest($1::text[], $2::bytea[])
     on conflict (path) do update set digest = excluded.digest, last_used = now()`,
    [sorted.map(([path]) => path), sorted.map(([, digest]) => digest)],
  );
  await db.query(
    `delete from icewright.manifest_digest where path in (
       select path from icewright.manifest_digest
       where last_used < now() - make_interval(days => $1)
       order by last_used limit $2
       for update skip locked
     )`,
    [KEEP_DAYS, PRUNE_ROWS],
  );
}
