/**
 * A plan for what a person asks now. Triggers, cadence and the breaker are passed over: the person
 * decides. Safety is not: what could do harm, or could not be done as asked, is refused.
 */

import type { EngineName } from '../engine.ts';
import { type ErrorCode, IcewrightError } from '../errors.ts';
import type { HandRequest } from '../hand-request.ts';
import type { TableHealth } from '../health/health.ts';
import type {
  CompactOperation,
  Decision,
  Estimate,
  Operation,
  Reason,
  TablePlan,
} from '../operation.ts';
import type { EffectivePolicy } from '../policy/policy.ts';
import { namesInPredicate } from '../predicate.ts';
import type { Consumers } from '../watermark.ts';
import { canRun, capabilityOf, route } from './capability.ts';
import { estimateBinpack, estimateRewriteAll } from './estimate.ts';
import { planExpiry } from './expiry.ts';
import {
  expiryReasons,
  hasSnapshot,
  refusalReason,
  routeReason,
  unknownColumns,
} from './reasons.ts';

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
const MIN_INPUT_FILES_BY_HAND = 2;

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
  switch (input.request.kind) {
    case 'compact':
      return compactByHand(input, input.request);
    case 'expire_snapshots':
      return expireByHand(input, input.request);
    case 'rewrite_manifests': {
      const operation: Operation = { kind: 'rewrite_manifests' };
      const wish = input.request.engine ?? input.policy.settings.rewriteManifests.engine;
      return send(input.health, operation, wish, [], null);
    }
  }
}

type CompactRequest = Extract<HandRequest, { kind: 'compact' }>;

function compactByHand({ health, policy }: HandPlanInput, request: CompactRequest): Decision {
  checkCompact(health, request);
  const { strategy, columns, where } = request;
  const operation: CompactOperation = {
    kind: 'compact',
    strategy,
    columns,
    where,
    targetFileSizeBytes: request.targetFileSizeBytes ?? policy.settings.compact.targetFileSizeBytes,
    minInputFiles: MIN_INPUT_FILES_BY_HAND,
    // By size alone no well-sized file would be chosen, however badly it is clustered.
    rewriteAll: strategy !== 'binpack',
  };
  const wish = request.engine ?? compactEngine(policy, operation, health);
  const blocked = wish === 'trino' ? trinoPredicate(health, where) : null;
  if (blocked !== null) return refuse(operation, 'trino', [byHand(), blocked]);
  return send(health, operation, wish, [], estimateByHand(health, operation));
}

/** The policy's engine if it can do this; else whichever can, for the person named none. */
function compactEngine(
  policy: EffectivePolicy,
  operation: CompactOperation,
  health: TableHealth,
): EngineName | 'auto' {
  const { engine } = policy.settings.compact;
  if (engine === 'auto') return engine;
  const capability = capabilityOf('compact', operation.strategy);
  const able = canRun(capability, engine, health) === true;
  const fits = engine !== 'trino' || trinoPredicate(health, operation.where) === null;
  return able && fits ? engine : 'auto';
}

function estimateByHand(health: TableHealth, operation: CompactOperation): Estimate | null {
  // Which files a predicate selects only the engine can say.
  if (operation.where !== null) return null;
  if (operation.rewriteAll) return estimateRewriteAll(health, operation.targetFileSizeBytes);
  const found = estimateBinpack(health, operation);
  if (found === null) return null;
  const { filesBefore, filesAfter, bytesRewritten } = found;
  return { filesBefore, filesAfter, bytesRewritten };
}

function checkCompact(health: TableHealth, request: CompactRequest): void {
  const { strategy, columns, where, targetFileSizeBytes } = request;
  const fail = (message: string): never => {
    throw new IcewrightError('UsageInvalid', message, { table: health.table });
  };
  if (strategy !== 'binpack' && columns.length === 0) {
    fail(`${strategy} needs columns: add --columns a,b`);
  }
  if (strategy === 'binpack' && columns.length > 0) {
    fail('bin-pack takes no columns: leave --columns out, or use --strategy sort or zorder');
  }
  if (new Set(columns).size < columns.length) fail('a column is named twice in --columns');
  if (targetFileSizeBytes !== null && !(targetFileSizeBytes >= 2 ** 20)) {
    fail('the target file size must be at least 1MB');
  }
  const unknown =
    unknownColumns(health, columns) ??
    (where === null ? null : unknownNames(health, namesInPredicate(where)));
  if (unknown !== null) fail(unknown.because);
}

function unknownNames(health: TableHealth, names: readonly string[]): Reason | null {
  const lower = health.columns.map((column) => ({ ...column, name: column.name.toLowerCase() }));
  return unknownColumns({ ...health, columns: lower }, names);
}

/** Trino's `optimize` takes predicates on partition columns only; `null`: it can take this one. */
function trinoPredicate(health: TableHealth, where: string | null): Reason | null {
  if (where === null) return null;
  const sources = health.partitionFields.map((field) => field.source.toLowerCase());
  const others = namesInPredicate(where).filter((name) => !sources.includes(name));
  if (others.length === 0) return null;
  const has = sources.length === 0 ? 'this table has none' : `here: ${sources.join(', ')}`;
  return refusalReason(
    'engine',
    `Trino compacts by predicates on partition columns only (${has}), not on ` +
      `${others.join(', ')}; spark can`,
  );
}

type ExpireRequest = Extract<HandRequest, { kind: 'expire_snapshots' }>;

function expireByHand(input: HandPlanInput, request: ExpireRequest): Decision {
  const { health, policy, pinned, consumers, nowMs } = input;
  const olderThanMs = request.olderThanMs ?? policy.settings.expire.olderThanMs;
  const keepLast = request.keepLast ?? policy.settings.expire.keepLast;
  if (!(olderThanMs >= 0)) throw new IcewrightError('UsageInvalid', '--older-than is negative');
  if (!(Number.isInteger(keepLast) && keepLast >= 1)) {
    throw new IcewrightError('UsageInvalid', '--keep-last must be a whole number of at least 1');
  }
  const expiry = planExpiry({ health, olderThanMs, keepLast, pinned, consumers, nowMs });
  if (expiry.kind === 'refuse') {
    const operation: Operation = { kind: 'expire_snapshots', snapshotIds: [] };
    return refuse(operation, null, [refusalReason(expiry.metric, expiry.because)]);
  }
  const { snapshotIds } = expiry;
  const operation: Operation = { kind: 'expire_snapshots', snapshotIds };
  const reasons = expiryReasons(expiry);
  if (snapshotIds.length === 0) return skip(operation, reasons);
  return send(health, operation, 'auto', reasons, null);
}

function send(
  health: TableHealth,
  operation: Operation,
  wish: EngineName | 'auto',
  reasons: readonly Reason[],
  estimate: Estimate | null,
): Decision {
  const snapshot = hasSnapshot(health);
  if (!snapshot.met) return skip(operation, [byHand(), snapshot, ...reasons]);
  const strategy = operation.kind === 'compact' ? operation.strategy : 'binpack';
  const chosen = route(capabilityOf(operation.kind, strategy), wish, health);
  const all = [byHand(), snapshot, ...reasons, routeReason(chosen, health)];
  if (chosen.kind === 'refused') return refuse(operation, chosen.engine, all);
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

function byHand(): Reason {
  const because = 'asked for by hand: trigger, interval and breaker are passed over';
  return { metric: 'by_hand', value: true, threshold: null, met: true, because };
}

function skip({ kind }: Operation, reasons: readonly Reason[]): Decision {
  const nothing = { engine: null, operation: null, nextEligibleAt: null, estimate: null };
  return { kind, action: 'skip', reasons, ...nothing };
}

function refuse(
  { kind }: Operation,
  engine: EngineName | null,
  reasons: readonly Reason[],
): Decision {
  const nothing = { operation: null, nextEligibleAt: null, estimate: null };
  return { kind, action: 'refuse', engine, reasons, ...nothing };
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
