/** Deletes exactly the files of a list, each only while it is as it was listed. */
import { IcewrightError } from '../../domain/errors.ts';
import type { StoredFile } from '../../domain/orphans/files.ts';
import { isSameFile } from '../../domain/orphans/look.ts';
import type { TableRef } from '../../domain/table.ts';
import type { Reach } from '../table-files.ts';
import type { LookDeps } from './look.ts';
import { directoryOf, refusal, settle } from './look.ts';

export interface Deleted {
  /** Gone now: deleted by this run, in this attempt or an earlier one. */
  readonly files: readonly StoredFile[];
  /** Written anew since they were listed: they stay. */
  readonly changed: readonly StoredFile[];
  /** Still there although the store was told to delete them. */
  readonly left: readonly { readonly uri: string; readonly reason: string }[];
  /** How many were not come to, for the run was cancelled or the table changed. */
  readonly untouched: number;
  /** Why it stopped after some were deleted already; `null`: it did not, or was cancelled. */
  readonly refused: string | null;
}

/** Between two looks at the table; what may go wrong is bounded by it. */
const BATCH = 200;
const HEADS_AT_ONCE = 16;

/**
 * Stops when a file of the list has become reachable, or the table cannot be read: then nothing
 * more goes. Rejects with `SafetyRefused` for it only while nothing is deleted.
 * @param first what the table reaches, as of the last look
 */
export async function deleteExactly(
  deps: LookDeps,
  table: TableRef,
  first: Reach,
  list: readonly StoredFile[],
  signal: AbortSignal,
): Promise<Deleted> {
  const done: Progress = { files: [], changed: [], left: [] };
  let reach = first;
  for (let start = 0; start < list.length; start += BATCH) {
    const untouched = list.length - start;
    // What is deleted is deleted: the run tells of it, and stops.
    if (signal.aborted) return { ...done, untouched, refused: null };
    const batch = list.slice(start, start + BATCH);
    try {
      reach = await refuseReachable(deps, table, reach, batch);
    } catch (error) {
      const refused = error instanceof IcewrightError && error.code === 'SafetyRefused';
      if (!refused || start === 0) throw error;
      return { ...done, untouched, refused: error.message };
    }
    await deleteBatch(deps, batch, done);
  }
  return { ...done, untouched: 0, refused: null };
}

interface Progress {
  readonly files: StoredFile[];
  readonly changed: StoredFile[];
  readonly left: { readonly uri: string; readonly reason: string }[];
}

/** What the table reaches now; rejects with `SafetyRefused` when it reaches one of these. */
async function refuseReachable(
  deps: LookDeps,
  table: TableRef,
  before: Reach,
  batch: readonly StoredFile[],
): Promise<Reach> {
  const { reach } = await settle(deps, table, before, { candidates: [] });
  const directory = directoryOf(reach.location);
  const odd = batch.find(({ uri }) => reach.has(uri) || !uri.startsWith(directory));
  if (odd === undefined) return reach;
  throw refusal(table, `${odd.uri} was on the list, and the table reaches it now: plan again`);
}

async function deleteBatch(
  deps: LookDeps,
  batch: readonly StoredFile[],
  done: Progress,
): Promise<void> {
  const found = await headAll(deps, batch);
  const same = batch.filter((file, at) => isThere(found[at]) && isSameFile(file, found[at]));
  done.changed.push(
    ...batch.filter((file, at) => isThere(found[at]) && !isSameFile(file, found[at])),
  );
  done.files.push(...batch.filter((_, at) => found[at] === null));
  const failed = await deps.files.remove(same.map((file) => file.uri));
  const reasons = new Map(failed.map(({ uri, reason }) => [uri, reason]));
  const after = await headAll(deps, same);
  for (const [at, file] of same.entries()) {
    if (after[at] === null) done.files.push(file);
    else done.left.push({ uri: file.uri, reason: reasons.get(file.uri) ?? 'it is still there' });
  }
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
