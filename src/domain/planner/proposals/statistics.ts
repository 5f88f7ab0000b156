/** Statistics of the head, for the engines' optimizers. */
import type { EngineName } from '../../engine.ts';
import type { TableHealth } from '../../health/health.ts';
import type { ComputeStatisticsOperation } from '../../operation.ts';
import { route } from '../capability.ts';
import { lastSuccess, type Proposal, type ProposalInput } from './proposal.ts';

export function proposeStatistics({ health, policy, recentReceipts }: ProposalInput): Proposal {
  const { enabled, engine, trigger, columns } = policy.settings.statistics;
  const last = lastSuccess('compute_statistics', recentReceipts);
  const same = last !== undefined && last.snapshotAfter === health.snapshotId;
  return {
    kind: 'compute_statistics',
    enabled,
    trigger,
    refusals: [],
    worth: [
      {
        metric: 'committed_since_last_statistics',
        value: !same,
        threshold: true,
        met: !same,
        because: same
          ? `nothing was committed since the statistics of ${last.finishedAt}`
          : 'this snapshot has no statistics yet',
      },
    ],
    route: route('compute_statistics', engine, health),
    operation: statisticsOperation(health, columns, engine),
    estimate: null,
  };
}

/** Spark also writes figures of each partition, where there are any. */
export function statisticsOperation(
  health: TableHealth,
  columns: readonly string[],
  wish: EngineName | 'auto',
): ComputeStatisticsOperation {
  const chosen = route('compute_statistics', wish, health);
  // A field whose transform is void has left the spec.
  const partitioned = health.partitionFields.some((field) => field.transform !== 'void');
  const perPartition = partitioned && chosen.engine === 'spark';
  return { kind: 'compute_statistics', columns, ...(perPartition ? { perPartition } : {}) };
}

/** Only by hand: new statistics replace the old ones. */
export function proposeDropStatistics({ health }: ProposalInput): Proposal {
  return {
    kind: 'drop_statistics',
    enabled: false,
    trigger: { kind: 'any', of: [] },
    refusals: [],
    worth: [],
    route: route('drop_statistics', 'auto', health),
    operation: { kind: 'drop_statistics' },
    estimate: null,
  };
}
