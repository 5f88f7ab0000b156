/** Measures one table as its policy wants it measured, and plans it. */
import { isDeepStrictEqual } from 'node:util';
import type { HandRequest } from '../../domain/hand-request.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import type { PlanTableInput } from '../../domain/planner/planner.ts';
import { targetIsOpen } from '../../domain/planner/target.ts';
import { effectivePolicy } from '../../domain/policy/effective.ts';
import { receiptsOfEach } from '../../domain/policy/lookback.ts';
import type { PauseEvent } from '../../domain/policy/pause.ts';
import type { EffectivePolicy, Policy } from '../../domain/policy/policy.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import type { Catalog, MeasureOptions } from '../ports.ts';
import { measureIfThere, type PlanningDeps, readConsumers, withFloors } from './inputs.ts';

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

/**
 * What a person asks for, measured as the table's own policy wants it: anew where the table's
 * properties change what chooses files. Rejects with `TableNotFound`.
 */
export async function measureForHand(
  catalog: Catalog,
  input: { readonly table: TableRef; readonly policies: readonly Policy[]; readonly nowMs: number },
  request: HandRequest,
): Promise<MeasuredTable> {
  const { table, policies, nowMs } = input;
  const target = request.kind === 'compact' ? request.targetFileSizeBytes : null;
  // Only what chooses files needs to know single ones.
  const choosesFiles = request.kind === 'compact' || request.kind === 'rewrite_deletes';
  const optionsOf = (policy: EffectivePolicy): MeasureOptions => ({
    ...measureOptionsFor(policy, nowMs),
    ...(target === null ? {} : { targetFileSizeBytes: target }),
    depth: choosesFiles ? 'files' : 'metadata',
  });
  const options = optionsOf(effectivePolicy(policies, table));
  const health = await catalog.measureTable(table, options);
  const policy = effectivePolicy(policies, table, health.properties);
  const own = optionsOf(policy);
  if (!choosesFiles || isDeepStrictEqual(own, options)) return { health, policy };
  return { health: await catalog.measureTable(table, own), policy };
}

/** Everything that the planner looks at. */
export async function gatherFor(
  deps: PlanningDeps,
  known: MeasuredTable & {
    readonly table: TableRef;
    readonly pauses: readonly PauseEvent[];
    readonly nowMs: number;
  },
): Promise<PlanTableInput> {
  const { table, policy, pauses, nowMs } = known;
  const key = tableKey(table);
  const [health, recentReceipts, pinned, consumers] = await Promise.all([
    withFloors(deps, known.health),
    deps.ledger.receiptsOfEach(key, receiptsOfEach(policy.settings.cadence)),
    deps.ledger.livePins(key, new Date(nowMs).toISOString()),
    readConsumers(deps, key, nowMs),
  ]);
  return { health, policy, recentReceipts, pauses, pinned, consumers, nowMs };
}
