/** Manifests: worth a rewrite when something was committed since the last one. */
import { route } from '../capability.ts';
import { lastSuccess, type Proposal, type ProposalInput } from './proposal.ts';

export function proposeManifests({ health, policy, recentReceipts }: ProposalInput): Proposal {
  const { enabled, engine, trigger } = policy.settings.rewriteManifests;
  const last = lastSuccess('rewrite_manifests', recentReceipts);
  const same = last !== undefined && last.snapshotAfter === health.snapshotId;
  return {
    kind: 'rewrite_manifests',
    enabled,
    trigger,
    refusals: [],
    worth: [
      {
        metric: 'committed_since_last_rewrite',
        value: !same,
        threshold: true,
        met: !same,
        because: same
          ? `nothing was committed since the manifests were rewritten at ${last.finishedAt}`
          : 'the manifests of this snapshot were not rewritten yet',
      },
    ],
    route: route('rewrite_manifests', engine, health),
    operation: { kind: 'rewrite_manifests' },
    estimate: null,
  };
}
