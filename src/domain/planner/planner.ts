/**
 * Health + policy + receipts + now → decisions with their reasons. Pure: equal arguments give equal
 * plans. An operation runs when its policy is on, its trigger is met, its cadence allows it, an
 * engine can, and it would change something.
 */
import {
  type Decision,
  OPERATION_ORDER,
  type OperationKind,
  type Reason,
  type TablePlan,
} from '../operation.ts';
import { type Cadence, judgeCadence } from '../policy/cadence.ts';
import { evaluateTrigger, type Measured } from '../policy/trigger.ts';
import { type ExpiryPlan, planExpiry } from './expiry.ts';
import { laterTimes, withAge } from './later.ts';
import { lookAtCompaction } from './proposals/compact.ts';
import { lastSuccess, type PlanTableInput, type Proposal } from './proposals/proposal.ts';
import { propose } from './propose.ts';
import { enabledReason, hasSnapshot, routeReason } from './reasons.ts';
import { withTarget } from './target.ts';

export { planByHand } from './hand-plan.ts';
export type { PlanTableInput } from './proposals/proposal.ts';

/** The decisions for one table, in the order in which they would run. Changes nothing. */
export function planTable(given: PlanTableInput): TablePlan {
  const { health } = given;
  const input = { ...given, policy: withTarget(given.policy, health) };
  const seen = look(input);
  return {
    table: health.table,
    tableUuid: health.tableUuid,
    snapshotId: health.snapshotId,
    decisions: OPERATION_ORDER.map((kind) => withNextTime(decide(kind, input, seen), input)),
  };
}

/** What is true of the table whatever the operation. */
interface Seen {
  readonly expiry: ExpiryPlan;
  readonly measured: Omit<Measured, 'hours_since_last_run'>;
}

function look(input: PlanTableInput): Seen {
  const { health, policy, pinned, consumers, nowMs } = input;
  const { olderThanMs, keepLast } = policy.settings.expire;
  const expiry = planExpiry({ health, olderThanMs, keepLast, pinned, consumers, nowMs });
  const { packing, clustering } = lookAtCompaction(input);
  const depth = clustering === null ? health.clusteringDepth : clustering.depth;
  const small = health.smallFiles;
  return {
    expiry,
    measured: {
      small_files: packing?.smallFiles ?? null,
      small_files_ratio: small === null ? null : small / Math.max(1, health.dataFiles),
      file_reduction: packing?.reduction ?? null,
      files_per_partition_max: health.filesPerPartitionMax,
      data_files: health.dataFiles,
      total_bytes: health.totalBytes,
      delete_files: health.deleteFiles,
      delete_ratio: health.deleteRatio,
      clustering_depth: depth,
      partition_skew: health.detail?.partitionSkew ?? null,
      manifests: health.manifests,
      snapshots: health.snapshots.length,
      expirable_snapshots: expiry.kind === 'expire' ? expiry.snapshotIds.length : null,
      oldest_snapshot_age_hours: hoursOf(health.oldestSnapshotAgeMs),
      last_commit_age_hours: hoursOf(health.lastCommitAgeMs),
      commits_per_day: health.commitsPerDay,
    },
  };
}

function hoursOf(ms: number | null): number | null {
  return ms === null ? null : ms / 3_600_000;
}

/** Never run: infinitely long ago. */
function hoursSinceLast(
  kind: OperationKind,
  { recentReceipts, nowMs }: PlanTableInput,
): number | null {
  const last = lastSuccess(kind, recentReceipts);
  if (last === undefined) return Number.POSITIVE_INFINITY;
  return (nowMs - Date.parse(last.finishedAt)) / 3_600_000;
}

function decide(kind: OperationKind, input: PlanTableInput, seen: Seen): Decision {
  const proposal = propose(kind, { ...input, expiry: seen.expiry });
  const cadence = cadenceOf(kind, input);
  const measured = { ...seen.measured, hours_since_last_run: hoursSinceLast(kind, input) };
  const trigger = evaluateTrigger(proposal.trigger, measured);
  const skipped = skip(proposal, cadence);
  const enabled = enabledReason(proposal.enabled);
  const snapshot = hasSnapshot(input.health);
  if (!enabled.met || !snapshot.met) return { ...skipped, reasons: [enabled, snapshot] };
  if (proposal.refusals.length > 0) {
    return { ...skipped, action: 'refuse', reasons: [enabled, snapshot, ...proposal.refusals] };
  }
  const conditions = [...trigger.reasons, ...proposal.worth, ...cadence.reasons];
  const reasons = [enabled, snapshot, ...conditions];
  const wanted = trigger.met && cadence.allowed && proposal.worth.every((reason) => reason.met);
  if (!wanted) return { ...skipped, reasons };
  const decision = finish(proposal, [...reasons, routeReason(proposal.route, input.health)]);
  return cadence.overdue ? { ...decision, overdue: true } : decision;
}

/** The oldest thing that is known of a table: an operation that never ran has at least that age. */
function bornAt({ health, nowMs }: PlanTableInput): number | null {
  return health.oldestSnapshotAgeMs === null ? null : nowMs - health.oldestSnapshotAgeMs;
}

function cadenceOf(kind: OperationKind, input: PlanTableInput): Cadence {
  return judgeCadence({
    kind,
    policy: input.policy.settings.cadence,
    recentReceipts: input.recentReceipts,
    nowMs: input.nowMs,
    table: input.health.table,
    pauses: input.pauses ?? [],
    bornAtMs: bornAt(input),
  });
}

function skip(proposal: Proposal, { nextEligibleAtMs }: Cadence): Decision {
  return {
    kind: proposal.kind,
    action: 'skip',
    engine: null,
    operation: null,
    reasons: [],
    nextEligibleAt: nextEligibleAtMs === null ? null : new Date(nextEligibleAtMs).toISOString(),
    estimate: proposal.estimate,
    ...(proposal.preview === undefined ? {} : { preview: proposal.preview }),
  };
}

function finish(proposal: Proposal, reasons: readonly Reason[]): Decision {
  const { kind, route, operation, estimate, preview, parts } = proposal;
  const routed = route.kind === 'routed';
  return {
    kind,
    action: routed ? 'run' : 'refuse',
    engine: route.engine,
    operation: routed ? operation : null,
    reasons,
    nextEligibleAt: null,
    estimate,
    ...(preview === undefined ? {} : { preview }),
    ...(parts === undefined || !routed ? {} : { parts }),
  };
}

/** The first time at which it would run if nothing but the clock moved on. */
function withNextTime(decision: Decision, input: PlanTableInput): Decision {
  if (decision.action !== 'skip') return decision;
  if (!decision.reasons.every((one) => one.met || !FIXED.has(one.metric))) return decision;
  const { kind } = decision;
  const nextEligibleAtMs = cadenceOf(kind, input).nextEligibleAtMs;
  for (const nowMs of laterTimes(kind, input, nextEligibleAtMs)) {
    const later = { ...input, nowMs, health: withAge(input.health, input.nowMs, nowMs) };
    if (decide(kind, later, look(later)).action === 'skip') continue;
    return { ...decision, nextEligibleAt: new Date(nowMs).toISOString() };
  }
  return decision;
}

/** What no time changes. */
const FIXED: ReadonlySet<string> = new Set(['enabled', 'has_snapshot']);
