import { describe, expect, test } from 'vitest';
import type { HandRequest } from '../../../src/domain/hand-request.ts';
import { refusalOf } from '../../../src/domain/planner/hand-plan.ts';
import { DEFAULT_SETTINGS, type MaintenanceSettings } from '../../../src/domain/policy/policy.ts';
import { namesInPredicate } from '../../../src/domain/predicate.ts';
import { DAY_MS, line, MB, partition } from '../health/fixture.ts';
import { COMPACT_REQUEST, decide } from './by-hand-fixture.ts';

type Compact = Extract<HandRequest, { kind: 'compact' }>;

function compact(change: Partial<Compact> = {}): Compact {
  return { ...COMPACT_REQUEST, ...change };
}

const BY_TRINO: MaintenanceSettings = {
  ...DEFAULT_SETTINGS,
  compact: { ...DEFAULT_SETTINGS.compact, engine: 'trino' },
};

describe('compact', () => {
  test('passes over triggers: two small files are enough', () => {
    expect(decide(compact())).toMatchObject({
      action: 'run',
      engine: 'spark',
      operation: { minInputFiles: 2, rewriteAll: false, targetFileSizeBytes: 512 * MB },
      estimate: { filesBefore: 2, filesAfter: 1 },
    });
  });

  test('sort and Z-order rewrite well-sized files too, and estimate so', () => {
    const table = { partitionHealth: [partition('1', 300, 1_200 * MB), partition('2', 1, MB)] };
    const request = compact({ strategy: 'zorder', columns: ['customer_id', 'ts'] });
    expect(decide(request, table)).toMatchObject({
      action: 'run',
      operation: { strategy: 'zorder', columns: ['customer_id', 'ts'], rewriteAll: true },
      estimate: { filesBefore: 301, filesAfter: 4, bytesRewritten: 1_201 * MB },
    });
  });

  test('takes the engine of the policy, unless that one cannot', () => {
    expect(decide(compact(), {}, BY_TRINO)).toMatchObject({ action: 'run', engine: 'trino' });
    const sort = compact({ strategy: 'sort', columns: ['ts'] });
    expect(decide(sort, {}, BY_TRINO)).toMatchObject({ action: 'run', engine: 'spark' });
    const where = compact({ where: 'order_id < 10' });
    expect(decide(where, {}, BY_TRINO)).toMatchObject({ action: 'run', engine: 'spark' });
  });

  test('an engine that is named and cannot is refused, with the one that can', () => {
    const zorder = compact({ strategy: 'zorder', columns: ['ts'], engine: 'trino' });
    const decision = decide(zorder);
    expect(decision).toMatchObject({ action: 'refuse', engine: 'trino' });
    expect(refusalOf(decision)).toEqual({
      code: 'OperationUnsupported',
      message: 'Trino compacts by bin-pack only: it has no Z-order; spark can',
    });
    expect(decide(compact({ engine: 'trino' }), { formatVersion: 3 }).action).toBe('refuse');
  });

  test('Trino takes predicates on partition columns only', () => {
    const on = (where: string) => decide(compact({ engine: 'trino', where }));
    expect(on("ts >= TIMESTAMP '2026-11-20 00:00:00 UTC'").action).toBe('run');
    expect(refusalOf(on('order_id = 7'))?.message).toMatch(
      /here: ts\), not on order_id; spark can/,
    );
  });

  test('an estimate needs the whole table', () => {
    expect(decide(compact({ where: 'order_id < 10' })).estimate).toBeNull();
    expect(decide(compact(), { partitionHealth: null })).toMatchObject({
      action: 'run',
      estimate: null,
    });
  });

  test('an empty table is skipped', () => {
    expect(decide(compact(), { snapshots: [] })).toMatchObject({ action: 'skip', operation: null });
  });

  test.each<[string, Partial<Compact>, RegExp]>([
    ['unknown column', { strategy: 'sort', columns: ['nope'] }, /no column nope; it has order_id/],
    ['no columns', { strategy: 'zorder' }, /zorder needs columns/],
    ['columns for bin-pack', { columns: ['ts'] }, /takes no columns/],
    ['a column twice', { strategy: 'sort', columns: ['ts', 'ts'] }, /named twice/],
    ['tiny target', { targetFileSizeBytes: 10 }, /at least 1MB/],
    ['unknown column in where', { where: "region = 'eu'" }, /no column region; it has order_id/],
    ['two statements', { where: '1=1; drop table x' }, /semicolon/],
    ['a comment', { where: 'order_id = 1 -- x' }, /comment/],
    ['an open quote', { where: "status = 'x" }, /quote stays open/],
    ['a bracket too many', { where: 'order_id = 1)' }, /not opened/],
    ['an open bracket', { where: '(order_id = 1' }, /stays open/],
    ['an empty predicate', { where: ' ' }, /empty/],
  ])('%s is invalid usage', (_, change, message) => {
    const attempt = () => decide(compact(change));
    expect(attempt).toThrow(expect.objectContaining({ code: 'UsageInvalid' }));
    expect(attempt).toThrow(message);
  });
});

describe('expire', () => {
  const old = { snapshots: line([30, 20, 10, 9]) };
  const expire = (olderThanMs: number | null, keepLast: number | null) =>
    decide({ kind: 'expire_snapshots', olderThanMs, keepLast }, old);

  test('takes what the request leaves open from the policy', () => {
    expect(expire(null, 1).operation).toEqual({
      kind: 'expire_snapshots',
      snapshotIds: ['1', '2', '3'],
    });
    expect(expire(15 * DAY_MS, 1).operation).toMatchObject({ snapshotIds: ['1', '2'] });
    expect(expire(null, null).action).toBe('skip');
  });

  test('a skip tells what keeps the snapshots', () => {
    const causes = expire(60 * DAY_MS, 1).reasons.map((one) => one.because);
    expect(causes).toContain('younger than 60 d');
  });

  test('the current snapshot stays, however much is asked for', () => {
    expect(expire(0, 1).operation).toMatchObject({ snapshotIds: ['1', '2', '3'] });
  });

  test.each([
    [-1, 1],
    [null, 0],
    [null, 1.5],
    [Number.NaN, 1],
  ])('older than %s, keep %s is invalid usage', (olderThanMs, keepLast) => {
    expect(() => expire(olderThanMs, keepLast)).toThrow(
      expect.objectContaining({ code: 'UsageInvalid' }),
    );
  });

  test('safety refuses by hand too', () => {
    const request = { kind: 'expire_snapshots', olderThanMs: 0, keepLast: 1 } as const;
    const decision = decide(request, { ...old, properties: { 'gc.enabled': 'false' } });
    expect(refusalOf(decision)).toMatchObject({ code: 'SafetyRefused' });
  });
});

test('manifests are rewritten by the engine asked for', () => {
  const request = { kind: 'rewrite_manifests', engine: 'trino' } as const;
  const plain = { formatVersion: 3, partitionFields: [] };
  expect(decide(request, plain)).toMatchObject({ action: 'run', engine: 'trino' });
  expect(refusalOf(decide(request, plain))).toBeNull();
});

describe('names in a predicate', () => {
  test.each<[string, readonly string[]]>([
    ["Status = 'a b' AND order_id BETWEEN 1 AND 2", ['status', 'order_id']],
    ["date_trunc('day', ts) >= DATE '2026-01-01'", ['ts']],
    ["note LIKE '%it''s; -- fine%'", ['note']],
    ['`odd name` IS NOT NULL OR after.id IN (1, 2)', ['odd name', 'after.id']],
    ['CAST(ts AS date) = current_date', ['ts']],
    ['1 = 1', []],
  ])('%s', (where, names) => {
    expect(namesInPredicate(where)).toEqual(names);
  });
});
