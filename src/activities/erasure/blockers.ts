/** Refs that keep a subject alive and that no erasure may touch by itself, with what to do. */
import type { Blocker, FoundInRef } from '../../domain/erasure/request.ts';

/**
 * Refs beside main reach old files also where no row of theirs matches any more; what is found in
 * them is what a person has to settle.
 */
export function refBlockersOf(table: string, refs: readonly FoundInRef[]): readonly Blocker[] {
  const holding = refs.filter(({ name, rows }) => name !== 'main' && rows > 0);
  return holding.map((ref) => refBlocker(table, ref.type, ref.name, ref.rows));
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
      `why: icewright erase except <requestId> --table ${table} --kind ${type} --ref ${name} ` +
      '--because "…"',
    exception: null,
  };
}
