/** Deletes exactly the files of a list, each only while it is as it was listed. */
import type { StoredFile } from '../domain/orphans/files.ts';
import { isSameFile } from '../domain/orphans/look.ts';
import type { TableRef } from '../domain/table.ts';
import type { LookDeps } from './orphan-look.ts';
import { directoryOf, refusal, settle } from './orphan-look.ts';
import type { Reach } from './table-files.ts';

export interface Deleted {
  /** Gone now: deleted by this run, in this attempt or an earlier one. */
  readonly files: readonly StoredFile[];
  /** Written anew since they were listed: they stay. */
  readonly changed: readonly StoredFile[];
  /** Still there although the store was told to delete them. */
  readonly left: readonly { readonly uri: string; readonly reason: string }[];
  /** How many were not come to when the run was cancelled. */
  readonly untouched: number;
}

/** Between two looks at the table; what may go wrong is bounded by it. */
const BATCH = 200;
const HEADS_AT_ONCE = 16;

/**
 * Rejects with `SafetyRefused` when a file of the list has become reachable: then nothing more goes.
 * @param first what the table reaches, as of the last look
 */
export async function deleteExactly(
  deps: LookDeps,
  table: TableRef,
  first: Reach,
  list: readonly StoredFile[],
  signal: AbortSignal,
): Promise<Deleted> {
  const gone: StoredFile[] = [];
  const changed: StoredFile[] = [];
  const left: { uri: string; reason: string }[] = [];
  const directory = directoryOf(first.location);
  let reach = first;
  for (let start = 0; start < list.length; start += BATCH) {
    // What is deleted is deleted: the run tells of it, and stops.
    if (signal.aborted) return { files: gone, changed, left, untouched: list.length - start };
    const batch = list.slice(start, start + BATCH);
    reach = (await settle(deps, table, reach, { candidates: [] })).reach;
    const { has } = reach;
    const odd = batch.find(({ uri }) => has(uri) || !uri.startsWith(directory));
    if (odd !== undefined) {
      throw refusal(table, `${odd.uri} was on the list, and the table reaches it now: plan again`);
    }
    const found = await headAll(deps, batch);
    const same = batch.filter((file, at) => isThere(found[at]) && isSameFile(file, found[at]));
    changed.push(...batch.filter((file, at) => isThere(found[at]) && !isSameFile(file, found[at])));
    gone.push(...batch.filter((_, at) => found[at] === null));
    const failed = await deps.files.remove(same.map((file) => file.uri));
    const reasons = new Map(failed.map(({ uri, reason }) => [uri, reason]));
    const after = await headAll(deps, same);
    for (const [at, file] of same.entries()) {
      if (after[at] === null) gone.push(file);
      else left.push({ uri: file.uri, reason: reasons.get(file.uri) ?? 'it is still there' });
    }
  }
  return { files: gone, changed, left, untouched: 0 };
}

function isThere(found: StoredFile | null | undefined): found is StoredFile {
  return found != null;
}

async function headAll(
  { files }: LookDeps,
  batch: readonly StoredFile[],
): Promise<readonly (StoredFile | null)[]> {
  const found: (StoredFile | null)[] = [];
  const queue = batch.entries();
  const worker = async () => {
    for (const [at, { uri }] of queue) found[at] = await files.head(uri);
  };
  await Promise.all(Array.from({ length: HEADS_AT_ONCE }, worker));
  return found;
}
