/** Table properties that a policy asks for and the table does not have. */
import { propertiesOf } from '../../table-facts.ts';
import { route } from '../capability.ts';
import { judgeProperties } from '../property-rules.ts';
import { propertiesWanting } from '../reasons.ts';
import type { Proposal, ProposalInput } from './proposal.ts';

export function proposeProperties({ health, policy }: ProposalInput): Proposal {
  const { enabled, set } = policy.settings.properties;
  const is = propertiesOf(health);
  const wanting = Object.entries(set).filter(([name, value]) => is[name] !== value);
  const names = wanting.map(([name]) => name);
  const operation = {
    kind: 'set_properties',
    set: Object.fromEntries(wanting),
    remove: [],
  } as const;
  return {
    kind: 'set_properties',
    enabled,
    trigger: { kind: 'all', of: [] },
    // Nobody is there to say that it is meant.
    refusals: judgeProperties(health, operation, []),
    worth: [
      propertiesWanting(names, {
        some: 'the policy asks for other values of',
        none: 'the table has every property that the policy asks for',
      }),
    ],
    route: route('set_properties', 'auto', health),
    operation,
    estimate: null,
  };
}
