/** When time alone could change a decision: those moments are tried, the first that does counts. */
import type { TableHealth } from '../health/health.ts';
import type { OperationKind } from '../operation.ts';
import type { MaintenanceSettings } from '../policy/policy.ts';
import type { Metric, Trigger } from '../policy/trigger.ts';
import { judgeHeat } from './hot.ts';
import { lastSuccess, type PlanTableInput } from './proposals/proposal.ts';

const HOUR_MS = 3_600_000;
/** Later moments of one decision that are tried: each costs one more decision. */
const TIMES_MAX = 8;

/** Ascending, all in the future. `cadenceAtMs`: when interval or back-off ends. */
export function laterTimes(
  kind: OperationKind,
  input: PlanTableInput,
  cadenceAtMs: number | null,
): readonly number[] {
  const { settings } = input.policy;
  const trigger = triggerOf(kind, settings);
  const conditions = conditionsOf(trigger).flatMap(({ metric, atLeast }) =>
    metAt(metric, atLeast, kind, input),
  );
  const ages = kind === 'expire_snapshots' ? agesOf(input, settings.expire.olderThanMs) : [];
  const times = [
    ...(cadenceAtMs === null ? [] : [cadenceAtMs]),
    ...(kind === 'compact' ? judgeHeat(input.health, input.nowMs).coolAtMs : []),
    // Ages are compared in hours: a millisecond more is safe from rounding.
    ...[...conditions, ...ages].map((atMs) => Math.ceil(atMs) + 1),
  ];
  const future = times.filter((one) => one > input.nowMs);
  return [...new Set(future)].sort((a, b) => a - b).slice(0, TIMES_MAX);
}

/** The same table looked at later, when nobody has touched it. */
export function withAge(health: TableHealth, thenMs: number, nowMs: number): TableHealth {
  const older = (ageMs: number | null) => (ageMs === null ? null : ageMs + nowMs - thenMs);
  return {
    ...health,
    oldestSnapshotAgeMs: older(health.oldestSnapshotAgeMs),
    lastCommitAgeMs: older(health.lastCommitAgeMs),
  };
}

function agesOf({ health, nowMs }: PlanTableInput, olderThanMs: number): readonly number[] {
  return health.snapshots
    .map((one) => one.committedAtMs + olderThanMs)
    .filter((atMs) => atMs >= nowMs)
    .sort((a, b) => a - b)
    .slice(0, TIMES_MAX);
}

type Condition = Extract<Trigger, { kind: 'at_least' }>;

function conditionsOf(trigger: Trigger | null): readonly Condition[] {
  if (trigger === null) return [];
  return trigger.kind === 'at_least' ? [trigger] : trigger.of.flatMap(conditionsOf);
}

function metAt(
  metric: Metric,
  atLeast: number,
  kind: OperationKind,
  { health, recentReceipts, nowMs }: PlanTableInput,
): readonly number[] {
  const since = (ageMs: number | null) => {
    return ageMs === null ? [] : [nowMs - ageMs + atLeast * HOUR_MS];
  };
  if (metric === 'oldest_snapshot_age_hours') return since(health.oldestSnapshotAgeMs);
  if (metric === 'last_commit_age_hours') return since(health.lastCommitAgeMs);
  if (metric !== 'hours_since_last_run') return [];
  const last = lastSuccess(kind, recentReceipts);
  return last === undefined ? [] : [Date.parse(last.finishedAt) + atLeast * HOUR_MS];
}

function triggerOf(kind: OperationKind, settings: MaintenanceSettings): Trigger | null {
  switch (kind) {
    case 'compact':
      return settings.compact.trigger;
    case 'rewrite_deletes':
      return settings.rewriteDeletes.trigger;
    case 'rewrite_manifests':
      return settings.rewriteManifests.trigger;
    case 'expire_snapshots':
      return settings.expire.trigger;
    case 'remove_orphans':
      return settings.orphans.trigger;
    case 'compute_statistics':
      return settings.statistics.trigger;
    case 'set_properties':
    case 'drop_statistics':
      return null;
  }
}
