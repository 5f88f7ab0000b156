/**
 * Finding out, from the table alone, whether an execution whose outcome is unknown has committed.
 */
import type { BeforeOperation } from './before-operation.ts';
import { assertNever } from './errors.ts';
import type { SnapshotInfo, TableHealth } from './health/health.ts';
import type { Operation } from './operation.ts';
import { lineSince, propertiesOf } from './table-facts.ts';

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
  return lineSince(health, snapshotId) ?? [];
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
