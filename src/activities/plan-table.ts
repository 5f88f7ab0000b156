/** Measures one table as its policy wants it measured, and plans it. */
import type { TableHealth } from '../domain/health/health.ts';
import type { TablePlan } from '../domain/operation.ts';
import { planTable } from '../domain/planner/planner.ts';
import { targetIsOpen } from '../domain/planner/target.ts';
import type { EffectivePolicy } from '../domain/policy/policy.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import { type PlanningDeps, readConsumers } from './planning.ts';
import type { MeasureOptions } from './ports.ts';

/** Receipts that cadence and breaker look back on. */
const RECEIPTS_MAX = 50;

/** What the planner needs to know of a table under this policy. */
export function measureOptionsFor(policy: EffectivePolicy, nowMs: number): MeasureOptions {
  const { strategy, columns, targetFileSizeBytes } = policy.settings.compact;
  return {
    nowMs,
    depth: 'files',
    ...(targetIsOpen(policy) ? {} : { targetFileSizeBytes }),
    ...(strategy === 'binpack' ? {} : { clusteringColumns: columns }),
  };
}

/** Plans a table that was measured. */
export async function planMeasured(
  deps: PlanningDeps,
  table: TableRef,
  measured: { readonly health: TableHealth; readonly policy: EffectivePolicy },
  nowMs: number,
): Promise<TablePlan> {
  const key = tableKey(table);
  const [recentReceipts, pinned, consumers] = await Promise.all([
    deps.ledger.recentReceipts(key, RECEIPTS_MAX),
    deps.ledger.livePins(key, new Date(nowMs).toISOString()),
    readConsumers(deps, key, nowMs),
  ]);
  return planTable({ ...measured, recentReceipts, pinned, consumers, nowMs });
}
