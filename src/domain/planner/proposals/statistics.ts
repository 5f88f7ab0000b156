/** Statistics of the head, for the engines' optimizers. */
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
    operation: { kind: 'compute_statistics', columns },
    estimate: null,
  };
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
