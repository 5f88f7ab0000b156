/**
 * Finding out, from the table alone, whether an execution whose outcome is unknown has committed;
 * and checking after an operation that nothing else than what was meant has changed.
 */

import { checkEffect, propertiesOf } from './effect.ts';
import { assertNever } from './errors.ts';
import type { SnapshotInfo, SnapshotRef, TableHealth } from './health/health.ts';
import type { InvariantCheck, Operation } from './operation.ts';

/** What a table was before an operation; kept in the ledger from the first attempt on. */
export interface BeforeOperation {
  readonly snapshotId: string | null;
  readonly rows: RowBounds;
  readonly files: number;
  readonly bytes: number;
  readonly snapshots: number;
  readonly refs: readonly SnapshotRef[];
  /** What operations without a snapshot change; absent in rows of earlier versions. */
  readonly statisticsFiles?: readonly string[];
  readonly partitionStatisticsFiles?: readonly string[];
  readonly properties?: Readonly<Record<string, string>>;
}

export function beforeOf(health: TableHealth): BeforeOperation {
  return {
    snapshotId: health.snapshotId,
    rows: rowBounds(health),
    files: health.dataFiles,
    bytes: health.totalBytes,
    snapshots: health.snapshots.length,
    refs: health.refs,
    statisticsFiles: health.statisticsFiles ?? [],
    partitionStatisticsFiles: health.partitionStatisticsFiles ?? [],
    properties: propertiesOf(health),
  };
}

/**
 * How many live rows there are at least and at most. Equal without delete files; a position delete
 * may name a row twice or one that is gone already, an equality delete any number of rows.
 */
export interface RowBounds {
  readonly min: number;
  readonly max: number;
}

function rowBounds(health: TableHealth): RowBounds {
  const head = health.snapshots.find((one) => one.snapshotId === health.snapshotId);
  const total = (name: string) => Number(head?.summary[`total-${name}`] ?? 0);
  const max = health.records;
  if (total('equality-deletes') > 0) return { min: 0, max };
  return { min: Math.max(0, max - total('position-deletes')), max };
}

/**
 * Has this maintenance operation committed since `before`? The engines' procedures carry no run id
 * into the snapshot, but nobody else rewrites while the table's workflow holds the lock: a
 * `replace` snapshot that descends from the one before is ours.
 */
export function operationCommitted(
  operation: Operation,
  before: BeforeOperation,
  health: TableHealth,
): boolean {
  switch (operation.kind) {
    case 'compact':
    case 'rewrite_manifests':
      return snapshotsSince(health, before.snapshotId).some((one) => one.operation === 'replace');
    case 'expire_snapshots': {
      const there = new Set(health.snapshots.map((one) => one.snapshotId));
      return operation.snapshotIds.every((id) => !there.has(id));
    }
    case 'rewrite_deletes':
      return snapshotsSince(health, before.snapshotId).some((one) => one.operation === 'replace');
    // Each of these may be done again: the second time it changes nothing.
    case 'remove_orphans':
    case 'compute_statistics':
    case 'drop_statistics':
      return false;
    case 'set_properties': {
      const { set, remove } = operation;
      const is = propertiesOf(health);
      const has = ([name, value]: [string, string]) => is[name] === value;
      return Object.entries(set).every(has) && !remove.some((name) => name in is);
    }
    default:
      return assertNever(operation);
  }
}

/**
 * The main branch's snapshots after `snapshotId`, newest first; empty when it is not an ancestor.
 */
export function snapshotsSince(
  health: TableHealth,
  snapshotId: string | null,
): readonly SnapshotInfo[] {
  const byId = new Map(health.snapshots.map((one) => [one.snapshotId, one]));
  const since: SnapshotInfo[] = [];
  let at = health.snapshotId;
  while (at !== null && at !== snapshotId) {
    const snapshot = byId.get(at);
    if (snapshot === undefined) return [];
    since.push(snapshot);
    at = snapshot.parentSnapshotId;
  }
  return at === snapshotId ? since : [];
}

/** Has a model run committed? Spark carries the run id, Trino its own query id. */
export function transformCommitted(
  health: TableHealth,
  marks: { readonly runId: string; readonly engineOperationIds: readonly string[] },
): SnapshotInfo | null {
  const ours = health.snapshots.find(
    ({ summary }) =>
      summary['icewright.run-id'] === marks.runId ||
      marks.engineOperationIds.includes(summary.trino_query_id ?? ''),
  );
  return ours ?? null;
}

/** Every check is listed, also those that hold. Rows counted from snapshot summaries. */
export function checkInvariants(
  operation: Operation,
  before: BeforeOperation,
  after: TableHealth,
): readonly InvariantCheck[] {
  const checks: InvariantCheck[] = [
    checkRows(before.rows, rowBounds(after)),
    check('refs_unchanged', otherRefs(before.refs), otherRefs(after.refs)),
  ];
  if (operation.kind !== 'expire_snapshots') {
    return [...checks, ...checkEffect(operation, before, after)];
  }
  const there = new Set(after.snapshots.map((one) => one.snapshotId));
  const left = operation.snapshotIds.filter((id) => there.has(id)).length;
  return [
    ...checks,
    check('head_unchanged', before.snapshotId, after.snapshotId),
    check('named_snapshots_gone', 0, left),
    check(
      'no_other_snapshot_gone',
      before.snapshots - operation.snapshotIds.length,
      after.snapshots.length - left,
    ),
  ];
}

/** The same rows are live before and after only if the bounds meet; exact without delete files. */
function checkRows(before: RowBounds, after: RowBounds): InvariantCheck {
  const name = 'rows_unchanged';
  if (before.min <= after.max && after.min <= before.max) return { name, ok: true };
  const told = ({ min, max }: RowBounds) => (min === max ? `${max}` : `${min} to ${max}`);
  return { name, ok: false, detail: `expected ${told(before)} rows, found ${told(after)}` };
}

/** The main branch moves with every commit; no maintenance may move or drop another ref. */
function otherRefs(refs: readonly SnapshotRef[]): string {
  return refs
    .filter((ref) => ref.name !== 'main')
    .map((ref) => `${ref.type} ${ref.name}=${ref.snapshotId}`)
    .sort()
    .join(', ');
}

function check<T>(name: string, before: T, after: T): InvariantCheck {
  if (before === after) return { name, ok: true };
  return { name, ok: false, detail: `expected ${before}, found ${after}` };
}
