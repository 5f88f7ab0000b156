/** Clustering depth as a trigger, hot partitions, and the size that files are packed to. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PartitionHealth, TableHealth } from '../../../src/domain/health/health.ts';
import type { CompactOperation, Decision } from '../../../src/domain/operation.ts';
import { type PlanTableInput, planTable } from '../../../src/domain/planner/planner.ts';
import { depthOf } from '../../../src/domain/planner/recluster.ts';
import {
  DEFAULT_SETTINGS,
  overlay,
  type PartialSettings,
} from '../../../src/domain/policy/policy.ts';
import type { Receipt } from '../../../src/domain/receipt.ts';
import { health, line, MB, NOW_MS, partition, receipt } from '../health/fixture.ts';

const HOUR_MS = 3_600_000;
const atLeast = (depth: number) =>
  ({ kind: 'at_least', metric: 'clustering_depth', atLeast: depth }) as const;
const SORT: PartialSettings = {
  compact: { strategy: 'sort', columns: ['ts', 'customer_id'], trigger: atLeast(3) },
};

/** Well-sized files: bin-pack would leave every one alone. */
function sized(day: string, files: number, depth: number, more: Partial<PartitionHealth> = {}) {
  return {
    ...partition(day, files, files * 500 * MB),
    smallFiles: 0,
    smallBytes: 0,
    clustering: [{ column: 'ts', depth }],
    newestSequence: 3,
    ...more,
  };
}

function compaction(
  table: Partial<TableHealth>,
  policy: PartialSettings = SORT,
  more: Partial<PlanTableInput> = {},
): Decision {
  const plan = planTable({
    health: health(table),
    policy: { settings: overlay(DEFAULT_SETTINGS, policy), origins: {} },
    recentReceipts: [],
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
    ...more,
  });
  return plan.decisions.find((one) => one.kind === 'compact') as Decision;
}

const operation = (decision: Decision) => decision.operation as CompactOperation;
const daysOf = (decision: Decision) =>
  operation(decision)
    .partitions?.map((key) => key[0]?.value)
    .sort();
const reason = (decision: Decision, metric: string) =>
  decision.reasons.find((one) => one.metric === metric);

function clustered(change: Partial<Receipt> = {}): Receipt {
  const planned = {
    estimate: null,
    strategy: 'sort',
    columns: ['ts', 'customer_id'],
    rewriteAll: true,
  } as const;
  return receipt('compact', {
    planned,
    sequenceAfter: 3,
    filesBefore: 5,
    filesAfter: 5,
    ...change,
  });
}

describe('clustering depth', () => {
  test('rewrites all files of the badly clustered partitions, and of no other', () => {
    const parts = [sized('1', 10, 6), sized('2', 10, 1.2), sized('3', 4, 3)];
    const decision = compaction({ partitionHealth: parts });
    expect(decision).toMatchObject({ action: 'run', engine: 'spark' });
    expect(operation(decision)).toMatchObject({ strategy: 'sort', rewriteAll: true });
    expect(daysOf(decision)).toEqual(['1', '3']);
    expect(decision.estimate).toMatchObject({ bytesRewritten: 14 * 500 * MB });
    expect(reason(decision, 'clustering_depth')).toMatchObject({ value: 6, threshold: 3 });
  });

  test('is quiet once the depth is low', () => {
    const decision = compaction({ partitionHealth: [sized('1', 10, 1.1), sized('2', 10, 1)] });
    expect(decision.action).toBe('skip');
    expect(reason(decision, 'clustering_depth')).toMatchObject({ value: 1.1, met: false });
  });

  test('an unpartitioned table is rewritten as a whole', () => {
    const whole = { ...sized('1', 10, 8), partition: {}, key: [] };
    const decision = compaction({ partitionHealth: [whole], partitionFields: [] });
    expect(operation(decision)).toMatchObject({ rewriteAll: true });
    expect(operation(decision).partitions).toBeUndefined();
  });

  test('bin-pack and triggers that do not look at depth never rewrite well-sized files', () => {
    const parts = [sized('1', 10, 8)];
    expect(compaction({ partitionHealth: parts }, {}).action).toBe('skip');
    const bySize = { compact: { strategy: 'sort', columns: ['ts'] } } as const;
    expect(compaction({ partitionHealth: parts }, bySize).action).toBe('skip');
  });

  test('what a rewrite did not help is left until somebody writes there', () => {
    const stuck = [sized('1', 10, 6), sized('2', 10, 6, { newestSequence: 2 })];
    const after = { recentReceipts: [clustered()] };
    expect(daysOf(compaction({ partitionHealth: stuck }, SORT, after))).toEqual(['2']);
    const alone = compaction({ partitionHealth: stuck.slice(0, 1) }, SORT, after);
    expect(alone.action).toBe('skip');
    expect(reason(alone, 'settled_partitions')).toMatchObject({ value: 1 });
    const written = [sized('1', 10, 6, { newestSequence: 4 })];
    expect(compaction({ partitionHealth: written }, SORT, after).action).toBe('run');
  });

  test('another order than the last one is a new wish', () => {
    const before = clustered();
    const other = {
      ...before,
      planned: { ...before.planned, columns: ['customer_id'] },
    } as Receipt;
    const parts = [sized('1', 10, 6)];
    const more = { recentReceipts: [other] };
    expect(compaction({ partitionHealth: parts }, SORT, more).action).toBe('run');
  });

  test('format 1, which has no sequence numbers, goes by the rows of the table', () => {
    const parts = [sized('1', 10, 6, { newestSequence: null })];
    const more = { recentReceipts: [clustered({ sequenceAfter: null, snapshotAfter: '3' })] };
    expect(compaction({ partitionHealth: parts }, SORT, more).action).toBe('skip');
    const older = { recentReceipts: [clustered({ sequenceAfter: null, snapshotAfter: '2' })] };
    expect(compaction({ partitionHealth: parts }, SORT, older).action).toBe('run');
  });

  test('Z-order is judged by its worst column against what Z-order can do', () => {
    const columns = ['a', 'b'];
    const judge = (files: number, a: number, b: number) =>
      depthOf(
        sized('1', files, 1, {
          clustering: [
            { column: 'a', depth: a },
            { column: 'b', depth: b },
          ],
        }),
        { strategy: 'zorder', columns },
      );
    // Perfect: sixteen files, four strips in each column.
    expect(judge(16, 4, 4)).toBe(1);
    // Scattered, and sorted by one column only.
    expect(judge(16, 16, 16)).toBe(4);
    expect(judge(16, 1, 16)).toBe(4);
  });

  test('partitions whose values no predicate can name are rewritten with the table, or not', () => {
    const bucket = (depth: number, files: number): PartitionHealth => ({
      ...sized('1', files, depth),
      key: [{ source: 'customer_id', sourceType: 'long', transform: 'zorder', value: '1' }],
    });
    const most = compaction({ partitionHealth: [bucket(6, 10), bucket(1, 8)] });
    expect(operation(most)).toMatchObject({ rewriteAll: true });
    expect(operation(most).partitions).toBeUndefined();
    const few = compaction({ partitionHealth: [bucket(6, 2), bucket(1, 18)] });
    expect(few.action).toBe('skip');
  });

  test('a higher threshold never rewrites a partition that a lower one leaves', () => {
    const depths = fc.array(fc.double({ min: 1, max: 20, noNaN: true }), { maxLength: 12 });
    const bound = fc.double({ min: 1, max: 20, noNaN: true });
    fc.assert(
      fc.property(depths, bound, bound, (all, a, b) => {
        const partitionHealth = all.map((depth, at) => sized(String(at), 10, depth));
        const chosen = (threshold: number) => {
          const compact = { ...SORT.compact, trigger: atLeast(threshold) };
          const decision = compaction({ partitionHealth }, { compact });
          if (decision.action !== 'run') return [];
          return daysOf(decision) ?? partitionHealth.map((one) => one.partition.day);
        };
        const low = chosen(Math.min(a, b));
        expect(chosen(Math.max(a, b)).filter((day) => !low.includes(day))).toEqual([]);
      }),
    );
  });
});

describe('hot partitions', () => {
  const hot = (minutesAgo: number) => ({ writtenByOthersAtMs: NOW_MS - minutesAgo * 60_000 });
  const small = (day: string, more = {}) => ({ ...partition(day, 50, 50 * MB), ...more });

  test('are left out, the rest is compacted, and the reason says so', () => {
    const decision = compaction({ partitionHealth: [small('1'), small('2', hot(10))] }, {});
    expect(daysOf(decision)).toEqual(['1']);
    expect(decision.estimate).toMatchObject({ filesBefore: 100, filesAfter: 51 });
    expect(reason(decision, 'hot_partitions')).toMatchObject({ value: 1 });
  });

  test('alone worth it, they wait, and it is told until when', () => {
    const parts = [partition('1', 1, MB), small('2', hot(10)), small('3', hot(30))];
    const decision = compaction({ partitionHealth: parts }, {});
    expect(decision).toMatchObject({ action: 'skip', nextEligibleAt: '2026-11-21T02:30:00.000Z' });
  });

  test('are cold again after an hour', () => {
    const decision = compaction({ partitionHealth: [small('1'), small('2', hot(60))] }, {});
    expect(operation(decision).partitions).toBeUndefined();
  });

  test('where all is written, appends are no reason to wait; deletes that keep coming are', () => {
    const one = { partitionHealth: [small('1', hot(1))] };
    const commits = (what: string) =>
      line([5, 0.001, 0.01, 0.02, 0.03]).map((snapshot) => ({ ...snapshot, operation: what }));
    const times = (what: string) => ({
      ...one,
      snapshots: commits(what).sort((a, b) => a.committedAtMs - b.committedAtMs),
    });
    expect(compaction(times('append'), {}).action).toBe('run');
    const waits = compaction(times('overwrite'), {});
    expect(waits.action).toBe('skip');
    expect(reason(waits, 'conflicting_commits_last_hour')).toMatchObject({ value: 4, met: false });
    const nextMs = Date.parse(waits.nextEligibleAt ?? '');
    expect(nextMs).toBe(Math.round(NOW_MS - 0.03 * 24 * HOUR_MS) + HOUR_MS);
  });
});

describe('the size that files are packed to', () => {
  const builtIn = { 'compact.targetFileSizeBytes': { policy: 'built-in', file: '', line: 0 } };
  const parts = [partition('1', 60, 60 * 30 * MB)];
  const size = (table: Partial<TableHealth>, origins = {}) => {
    const policy = { settings: DEFAULT_SETTINGS, origins };
    return operation(compaction({ partitionHealth: parts, ...table }, {}, { policy }))
      .targetFileSizeBytes;
  };

  test("is the policy's where one says so, else the table's as it was measured", () => {
    const measured = { targetFileSizeBytes: 128 * MB };
    expect(size(measured)).toBe(512 * MB);
    expect(size(measured, builtIn)).toBe(128 * MB);
  });
});

describe('when time alone changes a decision', () => {
  test('an interval since the last run counts from it', () => {
    const trigger = { kind: 'at_least', metric: 'hours_since_last_run', atLeast: 24 } as const;
    const recentReceipts = [receipt('compact', { finishedAt: '2026-11-20T12:00:00.000Z' })];
    const table = { partitionHealth: [partition('1', 60, MB)] };
    const decision = compaction(table, { compact: { trigger } }, { recentReceipts });
    expect(decision).toMatchObject({ action: 'skip', nextEligibleAt: '2026-11-21T12:00:00.001Z' });
  });

  test('nothing is promised where something else is missing', () => {
    const trigger = { kind: 'at_least', metric: 'hours_since_last_run', atLeast: 24 } as const;
    const recentReceipts = [receipt('compact', { finishedAt: '2026-11-20T12:00:00.000Z' })];
    const decision = compaction({}, { compact: { trigger } }, { recentReceipts });
    expect(decision).toMatchObject({ action: 'skip', nextEligibleAt: null });
  });
});
