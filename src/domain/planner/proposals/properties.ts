/** Table properties that a policy asks for and the table does not have. */
import { route } from '../capability.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

export function proposeProperties({ health, policy }: ProposalInput): Proposal {
  const { enabled, set } = policy.settings.properties;
  const wanting = Object.entries(set).filter(([name, value]) => health.properties[name] !== value);
  const names = wanting.map(([name]) => name);
  return {
    kind: 'set_properties',
    enabled,
    trigger: { kind: 'all', of: [] },
    refusals: [],
    worth: [
      {
        metric: 'properties_wanting',
        value: names.length,
        threshold: 1,
        met: names.length > 0,
        because:
          names.length > 0
            ? `the policy asks for other values of ${names.join(', ')}`
            : 'the table has every property that the policy asks for',
      },
    ],
    route: route('set_properties', 'auto', health),
    operation: { kind: 'set_properties', set: Object.fromEntries(wanting), remove: [] },
    estimate: null,
  };
}
