import type { HandRequest } from '../../hand-request.ts';
import type { Decision, Operation } from '../../operation.ts';
import { failUsage, type HandPlanInput, refuseOnTrino, send } from './decision.ts';

type ManifestsRequest = Extract<HandRequest, { kind: 'rewrite_manifests' }>;

export function manifestsByHand(
  { health, policy }: HandPlanInput,
  request: ManifestsRequest,
): Decision {
  const { specId, sortBy } = request;
  const fields = health.partitionFields.map((field) => field.name);
  const lost = (sortBy ?? []).filter((name) => !fields.includes(name));
  if (specId === undefined && lost.length > 0) {
    const has = fields.length === 0 ? 'it is not partitioned' : `it has ${fields.join(', ')}`;
    failUsage(health, `${health.table} has no partition field ${lost.join(', ')}; ${has}`);
  }
  const operation: Operation = {
    kind: 'rewrite_manifests',
    ...(specId === undefined ? {} : { specId }),
    ...(sortBy === undefined ? {} : { sortBy }),
  };
  const plain = specId === undefined && sortBy === undefined;
  // Options that only Spark has outrank the policy's engine, not one that a person names.
  const wish = request.engine ?? (plain ? policy.settings.rewriteManifests.engine : 'auto');
  const because = 'Trino rewrites all manifests, in its own order';
  const refused = plain ? null : refuseOnTrino('rewrite_manifests', wish, because);
  return refused ?? send(health, operation, wish, [], null);
}
