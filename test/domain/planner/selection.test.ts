/** Choosing across tables: within the budget, fair, never starving anybody, the same every time. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CompactOperation, Decision, TablePlan } from '../../../src/domain/operation.ts';
import { planTable } from '../../../src/domain/planner/planner.ts';
import {
  type Candidate,
  candidatesOf,
  correctionOf,
  DEFAULT_RATES,
} from '../../../src/domain/planner/ranking.ts';
import { type Allowance, narrowPlan, select } from '../../../src/domain/planner/selection.ts';
import { DEFAULT_SETTINGS } from '../../../src/domain/policy/policy.ts';
import { DAY_MS, health, MB, NOW_MS, partition, receipt } from '../health/fixture.ts';

const FREE: Allowance = { bytes: null, engineSeconds: null, tables: null };

/** A plan of a table whose partitions hold these small files, of these bytes in all. */
function planOf(table: string, parts: readonly (readonly [number, number])[]): TablePlan {
  const partitionHealth = parts.map(([files, bytes], at) => partition(String(at), files, bytes));
  return planTable({
    health: health({ table, partitionHealth }),
    policy: { settings: DEFAULT_SETTINGS, origins: {} },
    recentReceipts: [],
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
  });
}

function standing(plan: TablePlan, waitedDays = 0, overdue = false) {
  const waitingSinceMs = waitedDays === 0 ? null : NOW_MS - waitedDays * DAY_MS;
  return { plan, correction: 1, waitingSinceMs, overdue };
}

const candidates = (plan: TablePlan, waitedDays = 0, overdue = false) =>
  candidatesOf(standing(plan, waitedDays, overdue), DEFAULT_RATES, NOW_MS);

const compaction = (plan: TablePlan) =>
  plan.decisions.find((one) => one.kind === 'compact') as Decision;

const operationOf = (decision: Decision | undefined) => decision?.operation as CompactOperation;

const fleets: fc.Arbitrary<readonly Candidate[]> = fc
  .array(
    fc.record({
      namespace: fc.nat({ max: 4 }),
      waited: fc.nat({ max: 5 }),
      overdue: fc.integer({ min: 0, max: 9 }).map((one) => one === 0),
      parts: fc.array(
        fc.tuple(fc.integer({ min: 5, max: 400 }), fc.integer({ min: 1, max: 2e9 })),
        {
          minLength: 1,
          maxLength: 5,
        },
      ),
    }),
    { maxLength: 25 },
  )
  .map((tables) =>
    tables.flatMap(({ namespace, waited, overdue, parts }, at) =>
      candidates(planOf(`lake.n${namespace}.t${at}`, parts), waited, overdue),
    ),
  );

const limit = (max: number) => fc.option(fc.double({ min: 0, max, noNaN: true }));
const allowances: fc.Arbitrary<Allowance> = fc.record({
  bytes: limit(1e10),
  engineSeconds: limit(300),
  tables: fc.option(fc.nat({ max: 20 })),
});

describe('choosing', () => {
  test('takes the best partitions of many tables, not all of one', () => {
    const plans = [
      planOf('lake.a.big', [
        [100, 100 * MB],
        [5, 1_000 * MB],
      ]),
      planOf('lake.a.small', [[50, 50 * MB]]),
    ];
    const found = select(
      plans.flatMap((plan) => candidates(plan)),
      { ...FREE, bytes: 200 * MB },
    );
    const [big, small] = plans.map((plan) => compaction(narrowPlan(plan, found, null)));
    expect(operationOf(big).partitions?.map((key) => key[0]?.value)).toEqual(['0']);
    expect(big?.estimate).toMatchObject({ filesBefore: 105, bytesRewritten: 100 * MB });
    expect(big?.reasons.at(-1)).toMatchObject({ metric: 'selected_partitions', threshold: 2 });
    expect(operationOf(small).partitions).toBeUndefined();
  });

  test('says of what is left out what it would have needed, and until when it waits', () => {
    const plan = planOf('lake.a.t', [[50, 500 * MB]]);
    const found = select(candidates(plan), { ...FREE, bytes: 100 * MB });
    const decision = compaction(narrowPlan(plan, found, '2026-11-22T00:00:00.000Z'));
    expect(decision).toMatchObject({
      action: 'skip',
      operation: null,
      nextEligibleAt: '2026-11-22T00:00:00.000Z',
    });
    expect(decision.reasons.at(-1)).toMatchObject({
      metric: 'budget_bytes',
      value: 500 * MB,
      threshold: 100 * MB,
      met: false,
    });
  });

  test('puts what the policy wants done by now before everything else', () => {
    const rich = planOf('lake.a.rich', [[500, 100 * MB]]);
    const late = planOf('lake.a.late', [[5, 100 * MB]]);
    const all = [...candidates(rich), ...candidates(late, 0, true)];
    const found = select(all, { ...FREE, bytes: 100 * MB });
    expect(found.chosen.map((one) => one.table)).toEqual(['lake.a.late']);
  });

  test('lets what is overdue and larger than the budget run alone in its window', () => {
    const huge = candidates(planOf('lake.a.huge', [[50, 900 * MB]]), 0, true);
    const all = [...candidates(planOf('lake.a.t', [[500, 50 * MB]])), ...huge];
    const allowance = { ...FREE, bytes: 100 * MB, engineSeconds: 5 };
    const found = select(all, allowance);
    expect(found.chosen.map((one) => one.table)).toEqual(['lake.a.huge']);
    expect(found.beyond).toBe('lake.a.huge');
    const later = select(all, allowance, 1);
    expect(later.chosen.map((one) => one.table)).toEqual(['lake.a.t']);
    expect(later.beyond).toBeNull();
    expect(select(all, { ...allowance, bytes: 0 }).chosen).toEqual([]);
    const patient = select(candidates(planOf('lake.a.huge', [[50, 900 * MB]])), allowance);
    expect(patient.chosen).toEqual([]);
  });

  test('gives a namespace with poor candidates its part', () => {
    const rich = Array.from({ length: 20 }, (_, at) => planOf(`lake.a.t${at}`, [[90, 10 * MB]]));
    const poor = planOf('lake.b.t', [[5, 10 * MB]]);
    const all = [...rich, poor].flatMap((plan) => candidates(plan));
    const found = select(all, { ...FREE, bytes: 100 * MB });
    expect(found.chosen.map((one) => one.table)).toContain('lake.b.t');
    expect(found.chosen).toHaveLength(10);
  });

  test('never overshoots a limit but by one that is overdue, and chooses or explains each candidate once', () => {
    fc.assert(
      fc.property(fleets, allowances, (all, allowance) => {
        const { chosen, left, spent, beyond } = select(all, allowance);
        const within = (name: 'bytes' | 'engineSeconds' | 'tables') =>
          spent[name] <= (allowance[name] ?? Number.POSITIVE_INFINITY);
        expect(within('tables')).toBe(true);
        const rewritten = chosen.filter((one) => one.bytes > 0);
        if (beyond === null) expect(within('bytes') && within('engineSeconds')).toBe(true);
        else expect(rewritten).toMatchObject([{ table: beyond, overdue: true }]);
        expect(spent.bytes).toBe(chosen.reduce((sum, one) => sum + one.bytes, 0));
        expect(spent.tables).toBe(new Set(chosen.map((one) => one.table)).size);
        expect(chosen.length + left.length).toBe(all.length);
        expect(left.every(({ reason }) => !reason.met)).toBe(true);
      }),
    );
  });

  test('without limits takes everything; with the same arguments the same', () => {
    fc.assert(
      fc.property(fleets, allowances, (all, allowance) => {
        expect(select(all, FREE).left).toEqual([]);
        expect(select(all, allowance)).toEqual(select(structuredClone(all), allowance));
      }),
    );
  });

  test('leaves nothing that would still fit', () => {
    fc.assert(
      fc.property(fleets, allowances, (all, allowance) => {
        const { left, spent, chosen } = select(all, allowance);
        const tables = new Set(chosen.map((one) => one.table));
        for (const { candidate } of left) {
          const fits = (name: 'bytes' | 'engineSeconds') =>
            candidate[name] === 0 ||
            spent[name] + candidate[name] <= (allowance[name] ?? Number.POSITIVE_INFINITY);
          const room =
            tables.has(candidate.table) ||
            spent.tables + 1 <= (allowance.tables ?? Number.POSITIVE_INFINITY);
          expect(fits('bytes') && fits('engineSeconds') && room).toBe(false);
        }
      }),
    );
  });

  test('nobody starves: what fits alone is chosen one day, however good the others are', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 60 }),
        fc.integer({ min: 1, max: 30 }),
        (files, rivals) => {
          const poor = planOf('lake.a.poor', [[files, 90 * MB]]);
          const fresh = Array.from({ length: rivals }, (_, at) =>
            planOf(`lake.a.t${at}`, [[400, 90 * MB]]),
          ).flatMap((plan) => candidates(plan));
          const days = Array.from({ length: 30 }, (_, day) => day);
          const chosen = days.some((day) =>
            select([...fresh, ...candidates(poor, day)], { ...FREE, bytes: 100 * MB }).chosen.some(
              (one) => one.table === 'lake.a.poor',
            ),
          );
          expect(chosen).toBe(true);
        },
      ),
    );
  });

  test('more of a budget never chooses less in all', () => {
    fc.assert(
      fc.property(fleets, fc.double({ min: 0, max: 5e9, noNaN: true }), (all, bytes) => {
        const gained = (limitBytes: number) =>
          select(all, { ...FREE, bytes: limitBytes }).spent.bytes;
        expect(gained(Number.MAX_SAFE_INTEGER)).toBeGreaterThanOrEqual(gained(bytes));
      }),
    );
  });
});

describe('what receipts teach', () => {
  const planned = (before: number, after: number) => ({
    planned: {
      estimate: { filesBefore: before, filesAfter: after, bytesRewritten: 1 },
      strategy: 'binpack' as const,
      columns: [],
      rewriteAll: false,
    },
  });
  const ran = (expected: number, actual: number) =>
    receipt('compact', { ...planned(expected, 0), filesBefore: actual, filesAfter: 0 });

  test('nothing known, nothing corrected; one small run hardly counts, many do', () => {
    expect(correctionOf([])).toBe(1);
    expect(correctionOf([receipt('compact')])).toBe(1);
    expect(correctionOf([ran(10, 0)])).toBeCloseTo(0.67);
    expect(correctionOf(Array.from({ length: 10 }, () => ran(100, 50)))).toBeCloseTo(0.51);
    expect(correctionOf(Array.from({ length: 50 }, () => ran(100, 0)))).toBe(0.2);
  });

  test('failures and rewrites for the order teach nothing of it', () => {
    const failed = { ...ran(1_000, 0), status: 'failed' as const };
    expect(correctionOf([failed])).toBe(1);
  });
});
