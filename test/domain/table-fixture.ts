/** Tables as they were measured, for tests of what is concluded from them. */
import type { SnapshotInfo, TableHealth } from '../../src/domain/health/health.ts';
import type { CompactOperation } from '../../src/domain/operation.ts';

export function compact(more: Partial<CompactOperation> = {}): CompactOperation {
  return {
    kind: 'compact',
    strategy: 'binpack',
    columns: [],
    where: null,
    targetFileSizeBytes: 1,
    minInputFiles: 5,
    rewriteAll: false,
    ...more,
  };
}

/** Snapshot `n` on top of `n - 1`, unless another parent is named. */
export function snapshotOf(
  id: string,
  operation: string,
  summary: Readonly<Record<string, string>> = {},
  parent: string | null = id === '1' ? null : String(Number(id) - 1),
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

/** The last snapshot is the head. */
export function healthOf(
  snapshots: readonly SnapshotInfo[],
  more: Partial<TableHealth> = {},
): TableHealth {
  const head = snapshots.at(-1);
  return {
    table: 'lake.a.b',
    tableUuid: 'u',
    location: 's3://lake/a/b',
    formatVersion: 2,
    snapshotId: head?.snapshotId ?? null,
    measuredAtMs: 0,
    records: Number(head?.summary['total-records'] ?? 10),
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
    refs: [{ name: 'main', type: 'branch', snapshotId: head?.snapshotId ?? '' }],
    properties: {},
    columns: [],
    partitionFields: [],
    ...more,
  };
}
