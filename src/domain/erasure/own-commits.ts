/** Which commits of a table are an erasure's own, and between which snapshots rows must agree. */
import type { SnapshotInfo } from '../health/health.ts';

/** In the summary of the commits that an erasure marks: the id of its batch. */
export const BATCH_PROPERTY = 'icewright.erasure-batch';

/** Commits of ours, one after another, with none of anybody else in between. */
export interface OwnRun {
  /** The snapshot before the first of them; `null`: there was none. */
  readonly from: string | null;
  readonly to: string;
  /** One of them is the statement that removes the subject's rows. */
  readonly deletes: boolean;
}

/**
 * Ours is what carries the batch's mark, and what replaces files: nobody else may rewrite while the
 * table is held, and whoever does must leave every row as it is.
 */
export function isOwn({ operation, summary }: SnapshotInfo, batchId: string): boolean {
  return summary[BATCH_PROPERTY] === batchId || operation === 'replace';
}

/** @param line oldest first, each the parent of the next */
export function ownRuns(line: readonly SnapshotInfo[], batchId: string): readonly OwnRun[] {
  const runs: OwnRun[] = [];
  let isOpen = false;
  for (const commit of line) {
    const { snapshotId, parentSnapshotId, operation } = commit;
    if (!isOwn(commit, batchId)) {
      isOpen = false;
      continue;
    }
    const deletes = operation !== 'append' && operation !== 'replace';
    const before = isOpen ? runs.pop() : undefined;
    runs.push({
      from: before === undefined ? parentSnapshotId : before.from,
      to: snapshotId,
      deletes: deletes || before?.deletes === true,
    });
    isOpen = true;
  }
  return runs;
}
