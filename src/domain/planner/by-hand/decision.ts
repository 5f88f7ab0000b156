/** What every decision by hand is made of. */
import type { EngineName } from '../../engine.ts';
import { IcewrightError } from '../../errors.ts';
import type { HandRequest } from '../../hand-request.ts';
import type { TableHealth } from '../../health/health.ts';
import type { Decision, Estimate, Operation, OperationKind, Reason } from '../../operation.ts';
import type { EffectivePolicy } from '../../policy/policy.ts';
import { namesInPredicate } from '../../predicate.ts';
import type { Consumers } from '../../watermark.ts';
import { capabilityOf, route } from '../capability.ts';
import { hasSnapshot, refusalReason, routeReason, unknownColumns } from '../reasons.ts';

export interface HandPlanInput {
  readonly health: TableHealth;
  readonly request: HandRequest;
  /** Fills what the request leaves open. */
  readonly policy: EffectivePolicy;
  readonly pinned: readonly string[];
  readonly consumers: Consumers;
  readonly nowMs: number;
}

/** By hand two files are worth joining: the person has already decided that it is worth it. */
export const MIN_INPUT_FILES_BY_HAND = 2;

/** A decision to run it, unless no engine can or the table has no snapshot yet. */
export function send(
  health: TableHealth,
  operation: Operation,
  wish: EngineName | 'auto',
  reasons: readonly Reason[],
  estimate: Estimate | null,
): Decision {
  const snapshot = hasSnapshot(health);
  if (!snapshot.met) return skip(operation.kind, [byHand(), snapshot, ...reasons]);
  return dispatch(health, operation, wish, [byHand(), snapshot, ...reasons], estimate);
}

/** As {@link send}, of a table that may be empty. */
export function dispatch(
  health: TableHealth,
  operation: Operation,
  wish: EngineName | 'auto',
  reasons: readonly Reason[],
  estimate: Estimate | null = null,
): Decision {
  const strategy = operation.kind === 'compact' ? operation.strategy : 'binpack';
  const chosen = route(capabilityOf(operation.kind, strategy), wish, health);
  const all = [...reasons, routeReason(chosen, health)];
  if (chosen.kind === 'refused') return refuse(operation.kind, chosen.engine, all);
  return {
    kind: operation.kind,
    action: 'run',
    engine: chosen.engine,
    operation,
    reasons: all,
    nextEligibleAt: null,
    estimate,
  };
}

export function byHand(): Reason {
  const because = 'asked for by hand: trigger, interval and breaker are passed over';
  return { metric: 'by_hand', value: true, threshold: null, met: true, because };
}

export function skip(kind: OperationKind, reasons: readonly Reason[]): Decision {
  const nothing = { engine: null, operation: null, nextEligibleAt: null, estimate: null };
  return { kind, action: 'skip', reasons, ...nothing };
}

export function refuse(
  kind: OperationKind,
  engine: EngineName | null,
  reasons: readonly Reason[],
): Decision {
  const nothing = { operation: null, nextEligibleAt: null, estimate: null };
  return { kind, action: 'refuse', engine, reasons, ...nothing };
}

/** A refusal because Trino has no such option; `null`: another engine is asked for. */
export function refuseOnTrino(
  kind: OperationKind,
  wish: EngineName | 'auto',
  because: string,
): Decision | null {
  if (wish !== 'trino') return null;
  return refuse(kind, 'trino', [byHand(), refusalReason('engine', `${because}; spark can`)]);
}

/** Throws `UsageInvalid`: the request makes no sense for this table. */
export function failUsage(health: TableHealth, message: string): never {
  throw new IcewrightError('UsageInvalid', message, { table: health.table });
}

/** Throws `UsageInvalid` unless every name is a column of the table. */
export function checkColumns(health: TableHealth, columns: readonly string[]): void {
  if (new Set(columns).size < columns.length) {
    failUsage(health, 'a column is named twice in --columns');
  }
  const unknown = unknownColumns(health, columns);
  if (unknown !== null) failUsage(health, unknown.because);
}

/** Throws `UsageInvalid` unless it is one predicate on columns of the table. */
export function checkPredicate(health: TableHealth, where: string | null): void {
  if (where === null) return;
  const lower = health.columns.map((column) => ({ ...column, name: column.name.toLowerCase() }));
  const unknown = unknownColumns({ ...health, columns: lower }, namesInPredicate(where));
  if (unknown !== null) failUsage(health, unknown.because);
}
