/** The invariant of every operation: each file that the table reaches exists (design §5). */
import type { InvariantCheck } from '../domain/receipt.ts';
import type { TableRef } from '../domain/table.ts';
import type { TableFiles } from './table-files.ts';

/** Files that are named in a receipt. */
const NAMED_MAX = 3;

/**
 * Over all refs and snapshots; of very large tables a sample. Rejects with `SafetyRefused` when the
 * metadata cannot be read: then it is not known.
 */
export async function checkReachable(
  files: Pick<TableFiles, 'check'>,
  table: TableRef,
): Promise<InvariantCheck> {
  const name = 'reachable_files_exist';
  const { checked, sampled, missing, missingCount } = await files.check(table);
  const of = `${checked} files${sampled ? ', a sample,' : ''} looked at`;
  if (missingCount === 0) return { name, ok: true, detail: of };
  const named = missing.slice(0, NAMED_MAX).map(({ kind, uri }) => `${kind} ${uri}`);
  return { name, ok: false, detail: `${missingCount} missing of ${of}: ${named.join(', ')}` };
}
