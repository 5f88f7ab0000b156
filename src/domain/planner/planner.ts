/**
 * Health + policy + receipts + now → decisions with their reasons. Pure: equal arguments give equal
 * plans. An operation runs when its policy is on, its trigger is met, its cadence allows it, an
 * engine can, and it would change something.
 */

import type { TableHealth } from '../health/health.ts';
import {
  type Decision,
  OPERATION_ORDER,
  type OperationKind,
  type Reason,
  type TablePlan,
} from '../operation.ts';
import { judgeCadence } from '../policy/cadence.ts';
import type { MaintenanceSettings } from '../policy/policy.ts';
import { evaluateTrigger, type Measured } from '../policy/trigger.ts';
import { estimateBinpack } from './estimate.ts';
import { type ExpiryPlan, planExpiry } from './expiry.ts';
import { lastSuccess, type PlanTableInput, type Proposal } from './proposals/proposal.ts';
import { propose } from './propose.ts';
import { enabledReason, hasSnapshot, routeReason } from './reasons.ts';

export { planByHand } from './hand-plan.ts';
export type { PlanTableInput } from './proposals/proposal.ts';

/** The decisions for one table, in the order in which they would run. Changes nothing. */
export function planTable(input: PlanTableInput): TablePlan {
  const { health, policy } = input;
  const { expire } = policy.settings;
  const expiry = planExpiry({
    health,
    olderThanMs: expire.olderThanMs,
    keepLast: expire.keepLast,
    pinned: input.pinned,
    consumers: input.consumers,
    nowMs: input.nowMs,
  });
  const measured = measure(health, policy.settings, expiry);
  return {
    table: health.table,
    tableUuid: health.tableUuid,
    snapshotId: health.snapshotId,
    decisions: OPERATION_ORDER.map((kind) =>
      decide(
        propose(kind, { ...input, expiry }),
        { ...measured, hours_since_last_run: hoursSinceLast(kind, input) },
        input,
      ),
    ),
  };
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

/** What is true of the table whatever the operation. */
type TableMeasured = Omit<Measured, 'hours_since_last_run'>;

function hoursOf(ms: number | null): number | null {
  return ms === null ? null : ms / 3_600_000;
}

function measure(
  health: TableHealth,
  settings: MaintenanceSettings,
  expiry: ExpiryPlan,
): TableMeasured {
  const estimate = estimateBinpack(health, settings.compact);
  const small = health.smallFiles;
  return {
    small_files: estimate?.smallFiles ?? null,
    small_files_ratio: small === null ? null : small / Math.max(1, health.dataFiles),
    file_reduction: estimate?.reduction ?? null,
    files_per_partition_max: health.filesPerPartitionMax,
    data_files: health.dataFiles,
    total_bytes: health.totalBytes,
    delete_files: health.deleteFiles,
    delete_ratio: health.deleteRatio,
    clustering_depth: health.clusteringDepth,
    partition_skew: health.detail?.partitionSkew ?? null,
    manifests: health.manifests,
    snapshots: health.snapshots.length,
    expirable_snapshots: expiry.kind === 'expire' ? expiry.snapshotIds.length : null,
    oldest_snapshot_age_hours: hoursOf(health.oldestSnapshotAgeMs),
    last_commit_age_hours: hoursOf(health.lastCommitAgeMs),
    commits_per_day: health.commitsPerDay,
  };
}

function decide(proposal: Proposal, measured: Measured, input: PlanTableInput): Decision {
  const { kind } = proposal;
  const cadence = judgeCadence({
    kind,
    policy: input.policy.settings.cadence,
    recentReceipts: input.recentReceipts,
    nowMs: input.nowMs,
    table: input.health.table,
    pauses: input.pauses ?? [],
    bornAtMs: bornAt(input),
  });
  const trigger = evaluateTrigger(proposal.trigger, measured);
  const eligibleAt = cadence.nextEligibleAtMs;
  const skipped: Decision = {
    kind,
    action: 'skip',
    engine: null,
    operation: null,
    reasons: [],
    nextEligibleAt: eligibleAt === null ? null : new Date(eligibleAt).toISOString(),
    estimate: proposal.estimate,
    ...(proposal.preview === undefined ? {} : { preview: proposal.preview }),
  };
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

function finish(proposal: Proposal, reasons: readonly Reason[]): Decision {
  const routed = proposal.route.kind === 'routed';
  return {
    kind: proposal.kind,
    action: routed ? 'run' : 'refuse',
    engine: proposal.route.engine,
    operation: routed ? proposal.operation : null,
    reasons,
    nextEligibleAt: null,
    estimate: proposal.estimate,
    ...(proposal.preview === undefined ? {} : { preview: proposal.preview }),
  };
}
