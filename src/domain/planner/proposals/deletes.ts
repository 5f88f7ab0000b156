/** Delete files: worth a rewrite while there are position deletes that one might join or drop. */
import type { TableHealth } from '../../health/health.ts';
import type { Reason } from '../../operation.ts';
import type { Receipt } from '../../receipt.ts';
import { ancestry } from '../../watermark.ts';
import { route } from '../capability.ts';
import { lastSuccess, type Proposal, type ProposalInput } from './proposal.ts';

/** Two are the least that can be joined. */
const MIN_INPUT_FILES = 2;

export function proposeDeletes({ health, policy, recentReceipts }: ProposalInput): Proposal {
  const { enabled, engine, trigger } = policy.settings.rewriteDeletes;
  return {
    kind: 'rewrite_deletes',
    enabled,
    trigger,
    refusals: [],
    worth: [positionDeletes(health), changedSince(health, recentReceipts)],
    route: route('rewrite_deletes', engine, health),
    operation: { kind: 'rewrite_deletes', where: null, minInputFiles: MIN_INPUT_FILES },
    estimate: null,
  };
}

/** In a table of version 3 each one left becomes a deletion vector, so that one is enough. */
function positionDeletes({ detail, formatVersion }: TableHealth): Reason {
  const files = detail?.deletes.positionFiles ?? null;
  const threshold = formatVersion === 3 ? 1 : MIN_INPUT_FILES;
  const needed =
    threshold === 1 ? 'one is enough to become a deletion vector' : 'two can be joined';
  return {
    metric: 'position_delete_files',
    value: files,
    threshold,
    met: files !== null && files >= threshold,
    because:
      files === null
        ? 'the manifests were not read, so delete files are not known'
        : `${files} position delete files; ${needed}`,
  };
}

/**
 * Delete files of one data file each (`write.delete.granularity=file`, Spark's default) stay as many
 * as they are, however often they are rewritten: only new rows, or a compaction that left deletes
 * behind, give the next rewrite something to do.
 */
function changedSince(health: TableHealth, receipts: readonly Receipt[]): Reason {
  const last = lastSuccess('rewrite_deletes', receipts);
  const same =
    last !== undefined &&
    !writtenSince(health, last.snapshotAfter) &&
    !receipts.some(
      ({ operation, status, startedAt }) =>
        operation === 'compact' && status === 'done' && startedAt >= last.finishedAt,
    );
  return {
    metric: 'changed_since_last_rewrite',
    value: !same,
    threshold: true,
    met: !same,
    because: same
      ? `nothing was written or compacted since the delete files were rewritten at ${last.finishedAt}`
      : 'the delete files were not rewritten since the last write or compaction',
  };
}

/** A snapshot that is no mere rearrangement lies between the head and `snapshotId`. */
function writtenSince(health: TableHealth, snapshotId: string | null): boolean {
  for (const snapshot of ancestry(health.snapshots, health.snapshotId)) {
    if (snapshot.snapshotId === snapshotId) return false;
    if (snapshot.operation !== 'replace') return true;
  }
  return true;
}
