/** Measures one table as its policy wants it measured, and plans it. */
import { isDeepStrictEqual } from 'node:util';
import type { TableHealth } from '../domain/health/health.ts';
import type { TablePlan } from '../domain/operation.ts';
import { type PlanTableInput, planTable } from '../domain/planner/planner.ts';
import { targetIsOpen } from '../domain/planner/target.ts';
import { effectivePolicy } from '../domain/policy/effective.ts';
import type { EffectivePolicy, Policy } from '../domain/policy/policy.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import { measureIfThere, type PlanningDeps, readConsumers } from './planning.ts';
import type { Catalog, MeasureOptions } from './ports.ts';

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

export interface MeasuredTable {
  readonly health: TableHealth;
  readonly policy: EffectivePolicy;
}

/**
 * The policy may depend on properties that only the measurement tells, and what is measured on the
 * policy: measured again where the table's own properties change that. `null`: no such table.
 */
export async function measureForPolicy(
  catalog: Catalog,
  input: {
    readonly table: TableRef;
    readonly policies: readonly Policy[];
    readonly nowMs: number;
  },
): Promise<MeasuredTable | null> {
  const { table, policies, nowMs } = input;
  const options = measureOptionsFor(effectivePolicy(policies, table), nowMs);
  const health = await measureIfThere(catalog, table, options);
  if (health === null) return null;
  return measureAgain(catalog, input, { health, options });
}

/** With the policy that the table's own properties make; measured anew where that differs. */
export async function measureAgain(
  catalog: Catalog,
  input: { readonly table: TableRef; readonly policies: readonly Policy[]; readonly nowMs: number },
  first: { readonly health: TableHealth; readonly options: MeasureOptions },
): Promise<MeasuredTable | null> {
  const { table, policies, nowMs } = input;
  const policy = effectivePolicy(policies, table, first.health.properties);
  const options = measureOptionsFor(policy, nowMs);
  if (isDeepStrictEqual(options, first.options)) return { health: first.health, policy };
  const health = await measureIfThere(catalog, table, options);
  return health === null ? null : { health, policy };
}

/** Plans a table that was measured. */
export async function planMeasured(
  deps: PlanningDeps,
  table: TableRef,
  measured: MeasuredTable,
  nowMs: number,
): Promise<TablePlan> {
  return planTable(await gatherFor(deps, table, measured, nowMs));
}

/** Everything that the planner looks at. */
export async function gatherFor(
  deps: PlanningDeps,
  table: TableRef,
  measured: MeasuredTable,
  nowMs: number,
): Promise<PlanTableInput> {
  const key = tableKey(table);
  const [recentReceipts, pinned, consumers] = await Promise.all([
    deps.ledger.recentReceipts(key, RECEIPTS_MAX),
    deps.ledger.livePins(key, new Date(nowMs).toISOString()),
    readConsumers(deps, key, nowMs),
  ]);
  return { ...measured, recentReceipts, pinned, consumers, nowMs };
}
