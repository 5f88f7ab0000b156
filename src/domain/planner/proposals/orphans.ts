/** Orphans: looked for under a table's location, never without a good expiry before. */
import { route } from '../capability.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

/** No file younger than this is ever an orphan: its writer may not have committed yet. */
export const ORPHAN_AGE_FLOOR_MS = 72 * 3_600_000;

export function proposeOrphans({ health, policy }: ProposalInput): Proposal {
  const { enabled, trigger, olderThanMs, maxFiles, maxShare } = policy.settings.orphans;
  const cap = Math.min(maxFiles, Math.floor(maxShare * health.dataFiles));
  return {
    kind: 'remove_orphans',
    enabled,
    trigger,
    refusals: [],
    worth: [],
    route: route('remove_orphans', 'auto', health),
    operation: {
      kind: 'remove_orphans',
      olderThanMs: Math.max(olderThanMs, ORPHAN_AGE_FLOOR_MS),
      maxFiles: cap,
    },
    estimate: null,
  };
}
