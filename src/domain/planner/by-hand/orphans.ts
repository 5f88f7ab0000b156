import type { HandRequest } from '../../hand-request.ts';
import type { Decision } from '../../operation.ts';
import { askedOrphans } from '../proposals/orphans.ts';
import { type HandPlanInput, send } from './decision.ts';

type OrphansRequest = Extract<HandRequest, { kind: 'remove_orphans' }>;

/** What only the store and the other tables tell is asked when it is carried out. */
export function orphansByHand(input: HandPlanInput, request: OrphansRequest): Decision {
  const { health, policy } = input;
  return send(health, askedOrphans(request, policy, health), 'auto', [], null);
}
