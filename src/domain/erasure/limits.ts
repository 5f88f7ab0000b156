/** What a certificate cannot say, in words. */
import type { Certificate, VerificationLimit } from './certificate.ts';

/** Tables that nobody could read, on somebody's word. */
export function givenUp({ tables, verification }: Certificate): readonly string[] {
  const read = new Set(verification.tables.map(({ table }) => table));
  const unread = tables.filter(({ action, table }) => action === 'none' && !read.has(table));
  return unread.filter(({ because }) => !isNone(because)).map(({ table }) => table);
}

function isNone(because: string | null): boolean {
  return because === NOT_THERE || because === GONE_SINCE;
}

/** Of a table that was mapped, and that the catalog does not have. */
export const NOT_THERE = 'it does not exist';
/** Of one that was there when the subject was looked for; its places are empty. */
export const GONE_SINCE = 'it is gone since, with all that it had';

const LIMITS: Readonly<Record<VerificationLimit['kind'], string>> = {
  short_value: 'values of fewer than 6 characters were looked for in their own columns alone',
  shared_value: 'a value was not looked for: rows of other people hold it as well',
  not_compared: 'a column of a type whose values are not compared',
  bloom_filter: 'filters hold hashes of values',
  sketch: 'statistics hold hashes of values',
  hashed_partition: 'partitions hold hashes or beginnings of values',
  unknown_format: 'objects that are no part of a table were searched as bytes',
};

/** Limit, identifier, tables, objects: what is alike in several tables stands once. */
export function limitRows({ verification }: Certificate): readonly (readonly string[])[] {
  const all = verification.tables.flatMap(({ table, limits }) =>
    limits.map((one) => ({ ...one, table })),
  );
  const groups = Map.groupBy(all, ({ kind, identifier }) => `${kind} ${identifier ?? ''}`);
  return [...groups.values()].map((group) => {
    const [{ kind, identifier }] = group as [(typeof group)[number]];
    const objects = group.reduce((sum, one) => sum + one.objects, 0);
    const tables = group.map(({ table }) => table).join(', ');
    return [LIMITS[kind], identifier ?? '', tables, objects === 0 ? '' : String(objects)];
  });
}
