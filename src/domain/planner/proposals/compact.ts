/** Compaction: worth it where it leaves fewer files, or better clustered ones. */
import type { TableHealth } from '../../health/health.ts';
import type { Estimate, Reason, Receipt } from '../../operation.ts';
import { ancestry } from '../../watermark.ts';
import { capabilityOf, route } from '../capability.ts';
import { estimateBinpack } from '../estimate.ts';
import { refusalReason, unknownColumns } from '../reasons.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

export function proposeCompact({ health, policy, recentReceipts }: ProposalInput): Proposal {
  const { engine, strategy, columns, targetFileSizeBytes, minInputFiles, ...rest } =
    policy.settings.compact;
  const estimate = estimateBinpack(health, { targetFileSizeBytes, minInputFiles });
  const wanting =
    strategy !== 'binpack' && columns.length === 0
      ? refusalReason('columns', `${strategy} needs columns, and no policy names any`)
      : unknownColumns(health, columns);
  return {
    kind: 'compact',
    enabled: rest.enabled,
    trigger: rest.trigger,
    refusals: wanting === null ? [] : [wanting],
    worth: [worthCompacting(estimate?.reduction ?? null), freshToCompact(health, recentReceipts)],
    route: route(capabilityOf('compact', strategy), engine, health),
    operation: {
      kind: 'compact',
      strategy,
      columns: strategy === 'binpack' ? [] : columns,
      where: null,
      targetFileSizeBytes,
      minInputFiles,
      rewriteAll: false,
    },
    estimate: estimate === null ? null : pickEstimate(estimate),
  };
}

function pickEstimate({ filesBefore, filesAfter, bytesRewritten }: Estimate): Estimate {
  return { filesBefore, filesAfter, bytesRewritten };
}

function worthCompacting(reduction: number | null): Reason {
  return {
    metric: 'file_reduction',
    value: reduction,
    threshold: 1,
    met: reduction !== null && reduction > 0,
    because:
      reduction === null
        ? 'the manifests were not read, so what a compaction would gain is not known'
        : `a compaction would leave ${reduction} files fewer`,
  };
}

/** The last compaction found nothing to gain, and no rows were written since: nor will this one. */
function freshToCompact(health: TableHealth, receipts: readonly Receipt[]): Reason {
  const last = receipts.find((receipt) => receipt.operation === 'compact');
  const vain =
    last !== undefined &&
    (last.status === 'noop' || (last.status === 'done' && last.filesAfter >= last.filesBefore));
  const same = vain && holdsSameRows(health, last.snapshotAfter);
  return {
    metric: 'written_since_vain_compaction',
    value: !same,
    threshold: true,
    met: !same,
    because: same
      ? `the compaction of ${last.finishedAt} gained nothing, and nothing was written since`
      : 'no earlier compaction of the same files was in vain',
  };
}

/** Only snapshots that rearrange files lie between the head and `snapshotId`. */
function holdsSameRows(health: TableHealth, snapshotId: string | null): boolean {
  for (const snapshot of ancestry(health.snapshots, health.snapshotId)) {
    if (snapshot.snapshotId === snapshotId) return true;
    if (snapshot.operation !== 'replace') return false;
  }
  return false;
}
