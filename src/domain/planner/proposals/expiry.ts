/** Expiry: of exactly the snapshots that are old and that nothing needs. */
import { route } from '../capability.ts';
import { previewExpiry } from '../expiry-preview.ts';
import { expiryReasons, refusalReason } from '../reasons.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

export function proposeExpiry({ health, policy, expiry }: ProposalInput): Proposal {
  const { enabled, trigger } = policy.settings.expire;
  const ids = expiry.kind === 'expire' ? expiry.snapshotIds : [];
  return {
    kind: 'expire_snapshots',
    enabled,
    trigger,
    refusals: expiry.kind === 'refuse' ? [refusalReason(expiry.metric, expiry.because)] : [],
    worth: expiry.kind === 'refuse' ? [] : expiryReasons(expiry),
    route: route('expire_snapshots', 'auto', health),
    operation: { kind: 'expire_snapshots', snapshotIds: ids },
    estimate: null,
    preview: previewExpiry(health, ids),
  };
}
