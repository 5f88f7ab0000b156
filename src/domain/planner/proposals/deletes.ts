/** Delete files: worth a rewrite while there are position deletes. */
import { route } from '../capability.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

export function proposeDeletes({ health, policy }: ProposalInput): Proposal {
  const { enabled, engine, trigger } = policy.settings.rewriteDeletes;
  const files = health.detail?.deletes.positionFiles ?? null;
  return {
    kind: 'rewrite_deletes',
    enabled,
    trigger,
    refusals: [],
    worth: [
      {
        metric: 'position_delete_files',
        value: files,
        threshold: 2,
        met: files !== null && files >= 2,
        because:
          files === null
            ? 'the manifests were not read, so delete files are not known'
            : `${files} position delete files; two are the least that can be joined`,
      },
    ],
    route: route('rewrite_deletes', engine, health),
    operation: { kind: 'rewrite_deletes', where: null },
    estimate: null,
  };
}
