import { describe, expect, test } from 'vitest';
import type { TablePlan } from '../../../src/domain/operation.ts';
import { planTable } from '../../../src/domain/planner/planner.ts';
import { candidatesOf, DEFAULT_RATES } from '../../../src/domain/planner/ranking.ts';
import { selectedTables } from '../../../src/domain/planner/selected-tables.ts';
import { narrowPlan, type Selection, select } from '../../../src/domain/planner/selection.ts';
import { DEFAULT_SETTINGS } from '../../../src/domain/policy/policy.ts';
import { health, MB, NOW_MS, partition } from '../health/fixture.ts';

function planOf(table: string, files: number): TablePlan {
  return planTable({
    health: health({ table, partitionHealth: [partition('0', files, 100 * MB)] }),
    policy: { settings: DEFAULT_SETTINGS, origins: {} },
    recentReceipts: [],
    pinned: [],
    consumers: { consumed: [], unreadable: [] },
    nowMs: NOW_MS,
  });
}

function choose(plans: readonly TablePlan[], bytes: number, overdue = false): Selection {
  const standing = { correction: 1, waitingSinceMs: null, overdue };
  const found = plans.flatMap((plan) => candidatesOf({ plan, ...standing }, DEFAULT_RATES, NOW_MS));
  return select(found, { bytes, engineSeconds: null, tables: null });
}

const names = (plans: readonly TablePlan[], selection: Selection) =>
  selectedTables(plans, selection, DEFAULT_RATES).map((one) => one.table);

describe('the tables of a sweep', () => {
  const plans = [planOf('lake.a.poor', 10), planOf('lake.a.rich', 90)];

  test('are those of the plan, best first', () => {
    const selection = choose(plans, 300 * MB);
    const stands = plans.map((plan) => narrowPlan(plan, selection, null));
    expect(names(stands, selection)).toEqual(['lake.a.rich', 'lake.a.poor']);
  });

  test('are those of the plan that stands, also where it would be chosen otherwise now', () => {
    const first = choose(plans, 100 * MB);
    const stands = plans.map((plan) => narrowPlan(plan, first, null));
    const now = choose([planOf('lake.a.poor', 400), planOf('lake.a.rich', 90)], 100 * MB);
    expect(now.chosen.map((one) => one.table)).toEqual(['lake.a.poor']);
    expect(selectedTables(stands, now, DEFAULT_RATES)).toMatchObject([
      { table: 'lake.a.rich', bytes: 100 * MB, partly: true },
    ]);
  });

  test('tell which one goes beyond the budget', () => {
    const selection = choose(plans, MB, true);
    const stands = plans.map((plan) => narrowPlan(plan, selection, null));
    expect(selectedTables(stands, selection, DEFAULT_RATES)).toMatchObject([
      { table: 'lake.a.rich', beyond: true },
    ]);
  });
});
