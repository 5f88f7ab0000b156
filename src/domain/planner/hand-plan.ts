/**
 * A plan for what a person asks now. Triggers, cadence and the breaker are passed over: the person
 * decides. Safety is not: what could do harm, or could not be done as asked, is refused.
 */
import type { ErrorCode } from '../errors.ts';
import type { Decision, TablePlan } from '../operation.ts';
import { compactByHand } from './by-hand/compact.ts';
import type { HandPlanInput } from './by-hand/decision.ts';
import { deletesByHand } from './by-hand/deletes.ts';
import { expireByHand } from './by-hand/expiry.ts';
import { manifestsByHand } from './by-hand/manifests.ts';
import { orphansByHand } from './by-hand/orphans.ts';
import { propertiesByHand } from './by-hand/properties.ts';
import { statisticsByHand } from './by-hand/statistics.ts';

export type { HandPlanInput } from './by-hand/decision.ts';

/**
 * One decision for the one operation asked. Throws `UsageInvalid` for a request that makes no
 * sense for this table (an unknown column, Z-order without columns).
 */
export function planByHand(input: HandPlanInput): TablePlan {
  const { health } = input;
  return {
    table: health.table,
    tableUuid: health.tableUuid,
    snapshotId: health.snapshotId,
    decisions: [decideByHand(input)],
  };
}

function decideByHand(input: HandPlanInput): Decision {
  const { request } = input;
  switch (request.kind) {
    case 'compact':
      return compactByHand(input, request);
    case 'rewrite_deletes':
      return deletesByHand(input, request);
    case 'expire_snapshots':
      return expireByHand(input, request);
    case 'remove_orphans':
      return orphansByHand(input, request);
    case 'rewrite_manifests':
      return manifestsByHand(input, request);
    case 'compute_statistics':
    case 'drop_statistics':
      return statisticsByHand(input, request);
    case 'set_properties':
      return propertiesByHand(input, request);
  }
}

/** A refused decision as an error has it; `null` for one that was not refused. */
export function refusalOf(
  decision: Decision,
): { readonly code: ErrorCode; readonly message: string } | null {
  if (decision.action !== 'refuse') return null;
  // The reason that refuses always stands last; others may be unmet parts of an "any" trigger.
  const against = decision.reasons.findLast((reason) => !reason.met);
  return {
    code: against?.metric === 'engine' ? 'OperationUnsupported' : 'SafetyRefused',
    message: against?.because ?? `${decision.kind} was refused`,
  };
}
