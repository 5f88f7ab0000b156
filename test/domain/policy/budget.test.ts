import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  addCost,
  type Budget,
  brokenLimit,
  NOTHING_SPENT,
  remainingOf,
  spentSince,
  type TableReceipt,
} from '../../../src/domain/policy/budget.ts';
import { NOW_MS, receipt } from '../health/fixture.ts';

const BUDGET: Budget = { bytes: 100, engineSeconds: 60, tables: 2, concurrency: 2 };

function spent(table: string, startedAgoMs: number, change: Partial<TableReceipt> = {}) {
  const startedAt = new Date(NOW_MS - startedAgoMs).toISOString();
  const finishedAt = new Date(NOW_MS - startedAgoMs + 10_000).toISOString();
  return { ...receipt('compact'), startedAt, finishedAt, bytesRewritten: 30, table, ...change };
}

describe('spent in a window', () => {
  test('is what began in it, by hand or not; neither models nor refusals', () => {
    const receipts = [
      spent('a', 60_000),
      spent('a', 50_000, { operation: 'expire_snapshots', bytesRewritten: 0 }),
      spent('b', 1_000, { status: 'failed' }),
      spent('c', 1_000, { operation: 'transform' }),
      spent('d', 1_000, { status: 'refused' }),
      spent('e', 60_001),
    ];
    expect(spentSince(receipts, NOW_MS - 60_000)).toEqual({
      bytes: 60,
      engineSeconds: 30,
      tables: new Set(['a', 'b']),
    });
  });
});

describe('what is left', () => {
  test('is never below zero, and without a limit not bounded', () => {
    const much = { bytes: 1_000, engineSeconds: 10, tables: new Set(['a']) };
    expect(remainingOf(BUDGET, much)).toEqual({ bytes: 0, engineSeconds: 50, tables: 1 });
    const open: Budget = { bytes: null, engineSeconds: null, tables: null, concurrency: 1 };
    expect(remainingOf(open, much)).toEqual({ bytes: null, engineSeconds: null, tables: null });
  });

  test.each([
    [{ table: 'a', bytes: 101, engineSeconds: 1 }, NOTHING_SPENT, 'bytes'],
    [{ table: 'a', bytes: 100, engineSeconds: 60 }, NOTHING_SPENT, null],
    [{ table: 'a', bytes: null, engineSeconds: 61 }, NOTHING_SPENT, 'engineSeconds'],
    [
      { table: 'c', bytes: 1, engineSeconds: 1 },
      { ...NOTHING_SPENT, tables: new Set(['a', 'b']) },
      'tables',
    ],
    [
      { table: 'b', bytes: 1, engineSeconds: 1 },
      { ...NOTHING_SPENT, tables: new Set(['a', 'b']) },
      null,
    ],
    [{ table: 'a', bytes: 0, engineSeconds: 0 }, { ...NOTHING_SPENT, bytes: 100 }, null],
    [{ table: 'a', bytes: 1, engineSeconds: 0 }, { ...NOTHING_SPENT, bytes: 100 }, 'bytes'],
  ] as const)('%j after %j: %s', (cost, before, limit) => {
    expect(brokenLimit(BUDGET, before, cost)).toBe(limit);
  });

  test('what is overdue goes beyond a budget of which nothing is spent, and no other', () => {
    const huge = { table: 'a', bytes: 1_000, engineSeconds: 1_000 };
    expect(brokenLimit(BUDGET, NOTHING_SPENT, huge)).toBe('bytes');
    expect(brokenLimit(BUDGET, NOTHING_SPENT, huge, true)).toBeNull();
    expect(brokenLimit(BUDGET, { ...NOTHING_SPENT, bytes: 1 }, huge, true)).toBe('bytes');
    expect(brokenLimit({ ...BUDGET, bytes: 0 }, NOTHING_SPENT, huge, true)).toBe('bytes');
  });

  test('choosing what fits never spends more than the budget', () => {
    const cost = fc.record({
      table: fc.constantFrom('a', 'b', 'c', 'd'),
      bytes: fc.nat(60),
      engineSeconds: fc.nat(40),
    });
    fc.assert(
      fc.property(fc.array(cost), (costs) => {
        let total = NOTHING_SPENT;
        for (const one of costs) {
          if (brokenLimit(BUDGET, total, one) === null) total = addCost(total, one);
        }
        expect(total.bytes).toBeLessThanOrEqual(100);
        expect(total.engineSeconds).toBeLessThanOrEqual(60);
        expect(total.tables.size).toBeLessThanOrEqual(2);
      }),
    );
  });
});
