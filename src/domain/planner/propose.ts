/** The proposal of each operation, by its kind. */
import { assertNever } from '../errors.ts';
import type { OperationKind } from '../operation.ts';
import { proposeCompact } from './proposals/compact.ts';
import { proposeDeletes } from './proposals/deletes.ts';
import { proposeExpiry } from './proposals/expiry.ts';
import { proposeManifests } from './proposals/manifests.ts';
import { proposeOrphans } from './proposals/orphans.ts';
import { proposeProperties } from './proposals/properties.ts';
import type { Proposal, ProposalInput } from './proposals/proposal.ts';
import { proposeDropStatistics, proposeStatistics } from './proposals/statistics.ts';

export function propose(kind: OperationKind, input: ProposalInput): Proposal {
  switch (kind) {
    case 'set_properties':
      return proposeProperties(input);
    case 'rewrite_deletes':
      return proposeDeletes(input);
    case 'compact':
      return proposeCompact(input);
    case 'rewrite_manifests':
      return proposeManifests(input);
    case 'expire_snapshots':
      return proposeExpiry(input);
    case 'remove_orphans':
      return proposeOrphans(input);
    case 'drop_statistics':
      return proposeDropStatistics(input);
    case 'compute_statistics':
      return proposeStatistics(input);
    default:
      return assertNever(kind);
  }
}
