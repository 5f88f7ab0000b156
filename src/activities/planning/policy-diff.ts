/** What other policies would mean for tables as they are now. Changes nothing. */
import type { TablePlan } from '../../domain/operation.ts';
import {
  type DecisionChange,
  diffDecisions,
  diffSettings,
  type FieldChange,
} from '../../domain/policy/diff.ts';
import { effectivePolicy } from '../../domain/policy/effective.ts';
import type { IgnoredProperty, Policy } from '../../domain/policy/policy.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import { mapAtOnce } from '../at-once.ts';
import { measureIfThere, type PlanningDeps } from './inputs.ts';
import { planByRules } from './planning.ts';

export interface TableDiff {
  readonly table: string;
  readonly fields: readonly FieldChange[];
  readonly decisions: readonly DecisionChange[];
  /** Properties of the table that the new policies do not hear, and the old ones did. */
  readonly ignored: readonly IgnoredProperty[];
}

const TABLES_AT_ONCE = 8;

/** Tables for which nothing changes are left out. Files are read only where something does. */
export async function diffTables(
  deps: PlanningDeps,
  policies: { readonly before: readonly Policy[]; readonly after: readonly Policy[] },
  tables: readonly TableRef[],
): Promise<readonly TableDiff[]> {
  const pauses = await deps.ledger.pauseEvents();
  const diffs = await mapAtOnce(tables, TABLES_AT_ONCE, async (table) => {
    const options = { nowMs: deps.nowMs(), depth: 'metadata' } as const;
    const health = await measureIfThere(deps.catalog, table, options);
    if (health === null) return null;
    const before = effectivePolicy(policies.before, table, health.properties);
    const after = effectivePolicy(policies.after, table, health.properties);
    const fields = diffSettings(before, after);
    if (fields.length === 0) return null;
    const known = new Set(before.ignored?.map(({ property }) => property));
    const ignored = (after.ignored ?? []).filter(({ property }) => !known.has(property));
    const key = tableKey(table);
    const plan = (rules: readonly Policy[]): Promise<TablePlan | null> =>
      planByRules(deps, { policies: rules, pauses }, key);
    const [old, now] = [await plan(policies.before), await plan(policies.after)];
    const decisions = old === null || now === null ? [] : diffDecisions(old, now);
    return { table: key, fields, decisions, ignored } satisfies TableDiff;
  });
  return diffs.filter((diff) => diff !== null);
}
