/** What one operation would be on a table, and what speaks for and against it. */
import type { TableHealth } from '../../health/health.ts';
import type {
  Estimate,
  Operation,
  OperationKind,
  PartGain,
  Preview,
  Reason,
} from '../../operation.ts';
import type { PauseEvent } from '../../policy/pause.ts';
import type { EffectivePolicy } from '../../policy/policy.ts';
import type { Trigger } from '../../policy/trigger.ts';
import type { Receipt } from '../../receipt.ts';
import type { Consumers } from '../../watermark.ts';
import type { Route } from '../capability.ts';
import type { ExpiryPlan } from '../expiry.ts';

export interface PlanTableInput {
  readonly health: TableHealth;
  readonly policy: EffectivePolicy;
  /** Of this table, newest first; 50 are plenty. */
  readonly recentReceipts: readonly Receipt[];
  /** Snapshot ids that live runs read. */
  readonly pinned: readonly string[];
  readonly consumers: Consumers;
  /** What operators paused and resumed, oldest first; absent: nothing. */
  readonly pauses?: readonly PauseEvent[];
  readonly nowMs: number;
}

/** What every proposal is made from. */
export interface ProposalInput extends PlanTableInput {
  readonly expiry: ExpiryPlan;
}

/** What one operation adds to the common rules. */
export interface Proposal {
  readonly kind: OperationKind;
  readonly enabled: boolean;
  readonly trigger: Trigger;
  /** Why it must not run whatever the trigger says: shown as a refusal. */
  readonly refusals: readonly Reason[];
  /** Conditions besides the trigger: would it change anything? */
  readonly worth: readonly Reason[];
  readonly route: Route;
  readonly operation: Operation;
  readonly estimate: Estimate | null;
  readonly preview?: Preview;
  /** Only of compactions: what each partition would gain, best first. */
  readonly parts?: readonly PartGain[];
}

/** The last receipt of an operation that came to a good end. */
export function lastSuccess(
  kind: OperationKind,
  receipts: readonly Receipt[],
): Receipt | undefined {
  return receipts.find(
    ({ operation, status }) => operation === kind && (status === 'done' || status === 'noop'),
  );
}
