/** When a rewrite of delete files is worth it, and when it would be in vain for ever. */
import { expect, test } from 'vitest';
import type { SnapshotInfo, TableHealth } from '../../../src/domain/health/health.ts';
import { planTable } from '../../../src/domain/planner/planner.ts';
import { DEFAULT_SETTINGS } from '../../../src/domain/policy/policy.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { health, line, NOW_MS, receipt } from '../health/fixture.ts';

function withDeletes(positionFiles: number, more: Partial<TableHealth> = {}): TableHealth {
  const deletes = {
    positionFiles,
    positionRecords: positionFiles,
    equalityFiles: 0,
    equalityRecords: 0,
    vectors: 0,
    vectorRecords: 0,
  };
  const detail = { deletes, sizes: [], partitionSkew: 1, backlogFiles: 0, clustering: [] };
  return health({ detail, deleteFiles: positionFiles, deleteRatio: 1, ...more });
}

function decide(table: TableHealth, recentReceipts: readonly Receipt[] = []) {
  const plan = planTable({
    health: table,
    policy: { settings: DEFAULT_SETTINGS, origins: {} },
    recentReceipts,
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
  });
  const found = plan.decisions.find((one) => one.kind === 'rewrite_deletes');
  return found ?? expect.unreachable();
}

/** The snapshots of {@link health}, and some more that only rearranged files. */
function rearranged(times: number): SnapshotInfo[] {
  return line([3, 2, 1, 0.5, 0.2].slice(0, 3 + times)).map((one, at) =>
    at < 3 ? one : { ...one, operation: 'replace' },
  );
}

test('two position delete files are worth it, one is not', () => {
  expect(decide(withDeletes(2))).toMatchObject({
    action: 'run',
    operation: { kind: 'rewrite_deletes', where: null, minInputFiles: 2 },
  });
  expect(decide(withDeletes(1)).action).toBe('skip');
  expect(decide(withDeletes(0)).action).toBe('skip');
});

test('of version 3 one is worth it: it becomes a deletion vector', () => {
  expect(decide(withDeletes(1, { formatVersion: 3 })).action).toBe('run');
});

test('without the manifests it is not known', () => {
  const unread = decide(health({ detail: null, deleteFiles: 9, deleteRatio: 1 }));
  expect(unread.action).toBe('skip');
  expect(unread.reasons.map((one) => one.because).join()).toMatch(/manifests were not read/);
});

test('as long as nothing is written or compacted, it is not tried again', () => {
  const table = withDeletes(3, { snapshots: rearranged(1) });
  const last = receipt('rewrite_deletes', { snapshotBefore: '3', snapshotAfter: '4' });
  const again = decide(table, [last]);
  expect(again.action).toBe('skip');
  expect(again.reasons.filter((one) => !one.met).map((one) => one.metric)).toEqual([
    'changed_since_last_rewrite',
  ]);
  const later = withDeletes(3, { snapshots: rearranged(2) });
  expect(decide(later, [last]).action).toBe('skip');
  const compacted = receipt('compact', {
    startedAt: '2026-11-20T03:00:00.000Z',
    finishedAt: '2026-11-20T03:01:00.000Z',
  });
  expect(decide(later, [compacted, last]).action).toBe('run');
});

test('after a write it is', () => {
  const written = withDeletes(3, { snapshots: line([4, 3, 2, 1]) });
  const last = receipt('rewrite_deletes', { snapshotBefore: '2', snapshotAfter: '3' });
  expect(decide(written, [last]).action).toBe('run');
});
