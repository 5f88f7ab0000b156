import { describe, expect, it } from 'vitest';
import type { SnapshotInfo, TableHealth } from '../../src/domain/health/health.ts';
import type { Operation } from '../../src/domain/operation.ts';
import {
  beforeOf,
  checkInvariants,
  operationCommitted,
  transformCommitted,
} from '../../src/domain/reconcile.ts';

const COMPACT: Operation = {
  kind: 'compact',
  strategy: 'binpack',
  columns: [],
  where: null,
  targetFileSizeBytes: 1,
  minInputFiles: 5,
  rewriteAll: false,
};

function snapshot(
  id: string,
  parent: string | null,
  operation: string,
  summary = {},
): SnapshotInfo {
  return {
    snapshotId: id,
    parentSnapshotId: parent,
    sequenceNumber: Number(id),
    committedAtMs: Number(id),
    operation,
    summary,
  };
}

function health(snapshots: readonly SnapshotInfo[], more: Partial<TableHealth> = {}): TableHealth {
  return {
    table: 'lake.a.b',
    tableUuid: 'u',
    location: 's3://lake/a/b',
    formatVersion: 2,
    snapshotId: snapshots.at(-1)?.snapshotId ?? null,
    measuredAtMs: 0,
    records: 10,
    dataFiles: 3,
    totalBytes: 30,
    deleteFiles: 0,
    deleteRatio: 0,
    manifests: null,
    smallFiles: null,
    targetFileSizeBytes: 1,
    partitions: null,
    filesPerPartitionMax: null,
    partitionHealth: null,
    clusteringDepth: null,
    detail: null,
    commitsPerDay: 1,
    metadataBytes: null,
    metadataLogEntries: 0,
    snapshots,
    oldestSnapshotAgeMs: null,
    lastCommitAgeMs: null,
    refs: [{ name: 'main', type: 'branch', snapshotId: snapshots.at(-1)?.snapshotId ?? '' }],
    properties: {},
    columns: [],
    partitionFields: [],
    ...more,
  };
}

const ONE = snapshot('1', null, 'append');
const TWO = snapshot('2', '1', 'append');

describe('operationCommitted', () => {
  const before = beforeOf(health([ONE, TWO]));

  it('sees a rewrite that descends from the snapshot before', () => {
    expect(operationCommitted(COMPACT, before, health([ONE, TWO]))).toBe(false);
    const appended = health([ONE, TWO, snapshot('3', '2', 'append')]);
    expect(operationCommitted(COMPACT, before, appended)).toBe(false);
    const replaced = health([ONE, TWO, snapshot('3', '2', 'replace')]);
    expect(operationCommitted(COMPACT, before, replaced)).toBe(true);
  });

  it('does not take a rewrite on another line of history for ours', () => {
    const rolledBack = health([ONE, TWO, snapshot('3', '1', 'replace')]);
    expect(operationCommitted(COMPACT, before, rolledBack)).toBe(false);
  });

  it('takes an expiry for done when every named snapshot is gone', () => {
    const expire: Operation = { kind: 'expire_snapshots', snapshotIds: ['1'] };
    expect(operationCommitted(expire, before, health([ONE, TWO]))).toBe(false);
    expect(operationCommitted(expire, before, health([TWO]))).toBe(true);
  });
});

describe('transformCommitted', () => {
  it('finds the run id that Spark carries, and the query id that Trino writes', () => {
    const marks = { runId: 'run', engineOperationIds: ['query'] };
    expect(transformCommitted(health([ONE]), marks)).toBeNull();
    const spark = snapshot('2', '1', 'overwrite', { 'icewright.run-id': 'run' });
    expect(transformCommitted(health([ONE, spark]), marks)).toBe(spark);
    const trino = snapshot('2', '1', 'append', { trino_query_id: 'query' });
    expect(transformCommitted(health([ONE, trino]), marks)).toBe(trino);
  });
});

describe('checkInvariants', () => {
  const broken = (checks: ReturnType<typeof checkInvariants>) =>
    checks.filter((one) => !one.ok).map((one) => one.name);

  it('holds for a clean rewrite', () => {
    const after = health([ONE, TWO, snapshot('3', '2', 'replace')]);
    expect(broken(checkInvariants(COMPACT, beforeOf(health([ONE, TWO])), after))).toEqual([]);
  });

  it('lets a rewrite apply position deletes, but lose no row that is live', () => {
    const deletes = { 'total-position-deletes': '3' };
    const before = beforeOf(health([ONE, snapshot('2', '1', 'overwrite', deletes)]));
    const rewritten = [ONE, TWO, snapshot('3', '2', 'replace')];
    expect(broken(checkInvariants(COMPACT, before, health(rewritten, { records: 7 })))).toEqual([]);
    expect(broken(checkInvariants(COMPACT, before, health(rewritten, { records: 6 })))).toEqual([
      'rows_unchanged',
    ]);
  });

  it('sees lost rows and moved refs', () => {
    const tag = { name: 'audit', type: 'tag' as const, snapshotId: '1' };
    const before = beforeOf(health([ONE, TWO], { refs: [tag] }));
    const after = health([ONE, TWO, snapshot('3', '2', 'replace')], { records: 9 });
    expect(broken(checkInvariants(COMPACT, before, after))).toEqual([
      'rows_unchanged',
      'refs_unchanged',
    ]);
  });

  it('sees an expiry that took too much or too little', () => {
    const expire: Operation = { kind: 'expire_snapshots', snapshotIds: ['1'] };
    const three = snapshot('3', '2', 'append');
    const before = beforeOf(health([ONE, TWO, three]));
    expect(broken(checkInvariants(expire, before, health([TWO, three])))).toEqual([]);
    expect(broken(checkInvariants(expire, before, health([three])))).toEqual([
      'no_other_snapshot_gone',
    ]);
    expect(broken(checkInvariants(expire, before, health([ONE, TWO, three])))).toEqual([
      'named_snapshots_gone',
    ]);
  });
});
