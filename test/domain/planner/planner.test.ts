import { describe, expect, test } from 'vitest';
import type { TableHealth } from '../../../src/domain/health/health.ts';
import type { Decision, OperationKind } from '../../../src/domain/operation.ts';
import { type PlanTableInput, planTable } from '../../../src/domain/planner/planner.ts';
import {
  DEFAULT_SETTINGS,
  type MaintenanceSettings,
  overlay,
  type PartialSettings,
} from '../../../src/domain/policy/policy.ts';
import {
  DAY_MS,
  failure,
  health,
  line,
  MB,
  NOW_MS,
  partition,
  receipt,
} from '../health/fixture.ts';

function settings(change: PartialSettings = {}): MaintenanceSettings {
  return overlay(DEFAULT_SETTINGS, change);
}

function decide(
  kind: OperationKind,
  table: Partial<TableHealth>,
  policy: PartialSettings = {},
  more: Partial<PlanTableInput> = {},
): Decision {
  const plan = planTable({
    health: health(table),
    policy: { settings: settings(policy), origins: {} },
    recentReceipts: [],
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
    ...more,
  });
  const found = plan.decisions.find((decision) => decision.kind === kind);
  if (found === undefined) throw new Error(`no decision on ${kind}`);
  return found;
}

function reason(decision: Decision, metric: string) {
  return decision.reasons.find((one) => one.metric === metric);
}

const SMALL = { partitionHealth: [partition('1', 60, 30 * MB), partition('2', 4, MB)] };

test('decisions stand in the order in which they would run, pinned to what was seen', () => {
  const plan = planTable({
    health: health(),
    policy: { settings: settings(), origins: {} },
    recentReceipts: [],
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
  });
  expect(plan.decisions.map((one) => one.kind)).toEqual([
    'set_properties',
    'rewrite_deletes',
    'compact',
    'rewrite_manifests',
    'expire_snapshots',
    'remove_orphans',
    'drop_statistics',
    'compute_statistics',
  ]);
  expect(plan).toMatchObject({ table: 'lake.bronze.raw_orders', snapshotId: '3' });
});

describe('compact', () => {
  test('runs when enough files would be saved, counting only partitions worth it', () => {
    const decision = decide('compact', SMALL);
    expect(decision).toMatchObject({
      action: 'run',
      engine: 'spark',
      operation: { kind: 'compact', strategy: 'binpack', where: null, rewriteAll: false },
      estimate: { filesBefore: 64, filesAfter: 5, bytesRewritten: 30 * MB },
    });
    expect(reason(decision, 'file_reduction')).toMatchObject({
      value: 59,
      threshold: 4,
      met: true,
    });
  });

  test('estimates per partition, not from totals', () => {
    const spread = {
      partitionHealth: Array.from({ length: 50 }, (_, i) => partition(`${i}`, 4, MB)),
    };
    expect(decide('compact', spread)).toMatchObject({
      action: 'skip',
      estimate: { filesAfter: 200 },
    });
  });

  test('a skip shows value and threshold all the same', () => {
    const decision = decide('compact', { partitionHealth: [partition('1', 4, MB)] });
    expect(decision).toMatchObject({ action: 'skip', engine: null, operation: null });
    expect(reason(decision, 'file_reduction')).toMatchObject({
      value: 0,
      threshold: 4,
      met: false,
    });
  });

  test('never runs where nothing would become fewer, even if the trigger would have it', () => {
    const trigger = { kind: 'at_least', metric: 'small_files', atLeast: 0 } as const;
    const packed = { partitionHealth: [partition('1', 6, 6 * 350 * MB)] };
    expect(decide('compact', packed, { compact: { trigger } }).action).toBe('run');
    const full = { partitionHealth: [partition('1', 6, 6 * 500 * MB)] };
    expect(decide('compact', full, { compact: { trigger } }).action).toBe('skip');
  });

  test('what was not measured starts nothing', () => {
    const decision = decide('compact', { partitionHealth: null });
    expect(decision.action).toBe('skip');
    expect(reason(decision, 'file_reduction')).toMatchObject({ value: null, met: false });
  });

  test('an empty table is left alone', () => {
    expect(decide('compact', { ...SMALL, snapshots: [] }).action).toBe('skip');
  });

  test('switched off is skipped', () => {
    const decision = decide('compact', SMALL, { compact: { enabled: false } });
    expect(decision.action).toBe('skip');
    expect(reason(decision, 'enabled')).toMatchObject({ value: false, met: false });
  });

  test('any: one of the conditions is enough; all: every one is needed', () => {
    const of = [
      { kind: 'at_least', metric: 'file_reduction', atLeast: 10 },
      { kind: 'at_least', metric: 'small_files', atLeast: 1_000 },
    ] as const;
    expect(decide('compact', SMALL, { compact: { trigger: { kind: 'any', of } } }).action).toBe(
      'run',
    );
    const all = decide('compact', SMALL, { compact: { trigger: { kind: 'all', of } } });
    expect(all.action).toBe('skip');
    expect(reason(all, 'small_files')).toMatchObject({ value: 60, threshold: 1_000, met: false });
  });

  test('an engine that cannot is refused, not replaced', () => {
    const decision = decide(
      'compact',
      { ...SMALL, formatVersion: 3 },
      { compact: { engine: 'trino' } },
    );
    expect(decision).toMatchObject({ action: 'refuse', engine: 'trino', operation: null });
    expect(decision.reasons.at(-1)).toMatchObject({ metric: 'engine', met: false });
  });

  test('sort by a column that is not there, or by none, is refused', () => {
    const sort = { strategy: 'sort' as const };
    const unknown = decide('compact', SMALL, { compact: { ...sort, columns: ['nope'] } });
    expect(unknown.action).toBe('refuse');
    expect(unknown.reasons.at(-1)?.because).toMatch(
      /no column nope; it has order_id, customer_id, ts/,
    );
    expect(decide('compact', SMALL, { compact: sort }).action).toBe('refuse');
    const good = decide('compact', SMALL, { compact: { ...sort, columns: ['ts'] } });
    expect(good).toMatchObject({ action: 'run', operation: { strategy: 'sort', columns: ['ts'] } });
  });

  test('is not repeated when the last one was in vain and nothing was written since', () => {
    const vain = receipt('compact', { status: 'noop', snapshotAfter: '3' });
    expect(decide('compact', SMALL, {}, { recentReceipts: [vain] }).action).toBe('skip');
    const idle = receipt('compact', { filesBefore: 6, filesAfter: 6, snapshotAfter: '3' });
    expect(decide('compact', SMALL, {}, { recentReceipts: [idle] }).action).toBe('skip');
    const before = { ...vain, snapshotAfter: '2' };
    expect(decide('compact', SMALL, {}, { recentReceipts: [before] }).action).toBe('run');
  });

  test('rearranging files is no writing', () => {
    const replaced = line([3, 2, 1]).map((one) =>
      one.snapshotId === '3' ? { ...one, operation: 'replace' } : one,
    );
    const vain = receipt('compact', { status: 'noop', snapshotAfter: '2' });
    const table = { ...SMALL, snapshots: replaced };
    expect(decide('compact', table, {}, { recentReceipts: [vain] }).action).toBe('skip');
  });

  test('waits after a failure and tells until when', () => {
    const decision = decide('compact', SMALL, {}, { recentReceipts: [failure('compact', 10)] });
    expect(decision).toMatchObject({ action: 'skip', nextEligibleAt: '2026-11-21T02:50:00.000Z' });
  });

  test('stays paused after three failures', () => {
    const recentReceipts = [1, 2, 3].map((days) => failure('compact', days * 1_440));
    const decision = decide('compact', SMALL, {}, { recentReceipts });
    expect(decision).toMatchObject({ action: 'skip', nextEligibleAt: null });
    expect(reason(decision, 'consecutive_failures')).toMatchObject({ value: 3, met: false });
  });
});

describe('rewrite manifests', () => {
  test('runs from the threshold on', () => {
    expect(decide('rewrite_manifests', { manifests: 99 }).action).toBe('skip');
    expect(decide('rewrite_manifests', { manifests: 100 })).toMatchObject({
      action: 'run',
      operation: { kind: 'rewrite_manifests' },
    });
  });
  test('not again on the same snapshot', () => {
    const recentReceipts = [receipt('rewrite_manifests', { snapshotAfter: '3' })];
    expect(decide('rewrite_manifests', { manifests: 500 }, {}, { recentReceipts }).action).toBe(
      'skip',
    );
  });
  test('works on v3 by Trino too', () => {
    const policy = { rewriteManifests: { engine: 'trino' as const } };
    const decision = decide(
      'rewrite_manifests',
      { manifests: 500, formatVersion: 3, partitionFields: [] },
      policy,
    );
    expect(decision).toMatchObject({ action: 'run', engine: 'trino' });
  });
});

describe('expire snapshots', () => {
  const old = { snapshots: line([30, 20, 10, 1]) };
  test('names exact ids and says what keeps the others', () => {
    const decision = decide('expire_snapshots', old, { expire: { keepLast: 2 } });
    expect(decision).toMatchObject({
      action: 'run',
      engine: 'spark',
      operation: { kind: 'expire_snapshots', snapshotIds: ['1', '2'] },
    });
    expect(decision.reasons).toContainEqual(
      expect.objectContaining({
        metric: 'kept_snapshots',
        value: 2,
        because: 'among the last 2 of main',
      }),
    );
  });
  test('honours pins and watermarks', () => {
    const more = {
      pinned: ['1'],
      consumers: { consumed: [{ snapshotId: '3', consumer: 'x' }], unreadable: [] },
    };
    const decision = decide('expire_snapshots', old, { expire: { keepLast: 1 } }, more);
    expect(decision.operation).toMatchObject({ snapshotIds: ['2'] });
  });
  test('is skipped when there is nothing to expire', () => {
    const decision = decide('expire_snapshots', { snapshots: line([2, 1]) });
    expect(decision.action).toBe('skip');
    expect(reason(decision, 'expirable_snapshots')).toMatchObject({ value: 0, met: false });
  });
  test('is refused where files may be shared', () => {
    const decision = decide('expire_snapshots', { ...old, properties: { 'gc.enabled': 'false' } });
    expect(decision).toMatchObject({ action: 'refuse', operation: null });
    expect(decision.reasons.at(-1)).toMatchObject({ metric: 'gc_enabled', met: false });
  });
  test('waits for a batch when the trigger wants one', () => {
    const trigger = { kind: 'at_least', metric: 'expirable_snapshots', atLeast: 20 } as const;
    expect(decide('expire_snapshots', old, { expire: { trigger, keepLast: 1 } }).action).toBe(
      'skip',
    );
  });
  test('younger than the limit stays', () => {
    const policy = { expire: { olderThanMs: 60 * DAY_MS, keepLast: 1 } };
    expect(decide('expire_snapshots', old, policy).action).toBe('skip');
  });
});
