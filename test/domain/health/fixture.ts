/** Tables as the planner sees them, built from the few things that a test is about. */
import type {
  PartitionHealth,
  SnapshotInfo,
  TableHealth,
} from '../../../src/domain/health/health.ts';
import type { OperationKind } from '../../../src/domain/operation.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';

export const NOW_MS = Date.parse('2026-11-21T02:00:00Z');
export const DAY_MS = 86_400_000;
export const MB = 2 ** 20;

export function partition(day: string, smallFiles: number, smallBytes: number): PartitionHealth {
  return {
    partition: { day },
    dataFiles: smallFiles,
    totalBytes: smallBytes,
    smallFiles,
    smallBytes,
    deleteFiles: 0,
    specId: 0,
    key: [{ source: 'day', sourceType: 'string', transform: 'identity', value: day }],
    clustering: [],
    newestSequence: null,
    writtenByOthersAtMs: null,
  };
}

/** Snapshots `1`, `2`, … each the child of the one before, the newest `ageDays[last]` days old. */
export function line(ageDays: readonly number[], first = 1): SnapshotInfo[] {
  return ageDays.map((age, index) => ({
    snapshotId: String(first + index),
    parentSnapshotId: index === 0 ? null : String(first + index - 1),
    sequenceNumber: first + index,
    committedAtMs: NOW_MS - age * DAY_MS,
    operation: 'append',
    summary: {},
  }));
}

export function health(change: Partial<TableHealth> = {}): TableHealth {
  const snapshots = change.snapshots ?? line([3, 2, 1]);
  const parts =
    change.partitionHealth === undefined ? [partition('1', 2, MB)] : change.partitionHealth;
  const total = (pick: (one: PartitionHealth) => number) =>
    (parts ?? []).reduce((sum, one) => sum + pick(one), 0);
  const snapshotId = snapshots.at(-1)?.snapshotId ?? null;
  return {
    table: 'lake.bronze.raw_orders',
    tableUuid: 'f2a1c0de-0000-4000-8000-000000000001',
    location: 's3://lake/bronze/raw_orders',
    formatVersion: 2,
    snapshotId,
    measuredAtMs: NOW_MS,
    records: 1_000,
    dataFiles: total((one) => one.dataFiles),
    totalBytes: total((one) => one.totalBytes),
    deleteFiles: 0,
    deleteRatio: 0,
    manifests: 3,
    smallFiles: parts === null ? null : total((one) => one.smallFiles),
    targetFileSizeBytes: 512 * MB,
    partitions: parts?.length ?? null,
    filesPerPartitionMax: parts === null ? null : Math.max(0, ...parts.map((one) => one.dataFiles)),
    partitionHealth: parts,
    clusteringDepth: null,
    detail: null,
    commitsPerDay: 1,
    metadataBytes: null,
    metadataLogEntries: 0,
    snapshots,
    oldestSnapshotAgeMs: 3 * DAY_MS,
    lastCommitAgeMs: DAY_MS,
    refs: snapshotId === null ? [] : [{ name: 'main', type: 'branch', snapshotId }],
    properties: {},
    columns: [
      { name: 'order_id', type: 'bigint' },
      { name: 'customer_id', type: 'bigint' },
      { name: 'ts', type: 'timestamptz' },
    ],
    partitionFields: [{ name: 'ts_day', source: 'ts', transform: 'day' }],
    ...change,
  };
}

export function receipt(operation: OperationKind, change: Partial<Receipt> = {}): Receipt {
  return {
    operation,
    engine: 'spark',
    status: 'done',
    startedAt: '2026-11-20T02:00:00.000Z',
    finishedAt: '2026-11-20T02:01:00.000Z',
    snapshotBefore: '2',
    snapshotAfter: '3',
    filesBefore: 10,
    filesAfter: 1,
    bytesBefore: MB,
    bytesAfter: MB,
    snapshotsBefore: 2,
    snapshotsAfter: 3,
    bytesRewritten: MB,
    filesRemoved: 0,
    rowsWritten: 0,
    engineOperationId: 'op',
    reattached: false,
    invariants: [],
    error: null,
    ...change,
  };
}

/** A receipt of a failure `minutesAgo` before {@link NOW_MS}. */
export function failure(operation: OperationKind, minutesAgo: number): Receipt {
  return receipt(operation, {
    status: 'failed',
    finishedAt: new Date(NOW_MS - minutesAgo * 60_000).toISOString(),
    error: { code: 'EngineRejected', message: 'no' },
  });
}
