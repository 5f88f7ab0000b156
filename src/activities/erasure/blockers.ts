/** What keeps a subject alive that no erasure may touch by itself, with what to do about it. */
import type { Blocker, FoundInRef } from '../../domain/erasure/request.ts';
import type { TableHealth } from '../../domain/health/health.ts';

/**
 * Refs beside main reach old files also where no row of theirs matches any more; what is found in
 * them is what a person has to settle.
 */
export function blockersOf(
  { table, properties }: Pick<TableHealth, 'table' | 'properties'>,
  refs: readonly FoundInRef[],
): readonly Blocker[] {
  const holding = refs.filter(({ name, rows }) => name !== 'main' && rows > 0);
  const blockers = holding.map((ref) => refBlocker(table, ref.type, ref.name, ref.rows));
  const shared = properties['gc.enabled']?.toLowerCase() === 'false';
  return shared && refs.some(({ rows }) => rows > 0) ? [...blockers, gcBlocker(table)] : blockers;
}

/** A tag or branch that still reaches files of the subject. */
export function refBlocker(
  table: string,
  type: 'branch' | 'tag',
  name: string,
  rows: number | null,
): Blocker {
  const what = rows === null ? 'files that held the subject' : `${rows} rows of the subject`;
  const command = `ALTER TABLE ${table} DROP ${type === 'tag' ? 'TAG' : 'BRANCH'} \`${name}\``;
  return {
    table,
    kind: type,
    name,
    because: `${type} ${name} still reaches ${what}`,
    remedy:
      `drop it (${command}), or move it to a snapshot after the erasure; if it must stay, record ` +
      `why: icewright erase except <requestId> --table ${table} --ref ${name} --because "…"`,
    exception: null,
  };
}

function gcBlocker(table: string): Blocker {
  return {
    table,
    kind: 'gc_disabled',
    name: 'gc.enabled',
    because: 'gc.enabled is false: snapshots must not be expired, files may be shared',
    remedy:
      "remove the subject from the catalog's other branches and use its own garbage collection, " +
      'or record an exception',
    exception: null,
  };
}
