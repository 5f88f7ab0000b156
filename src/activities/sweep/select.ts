/** Chooses among the tables that a sweep found due, and stores the plan of what is chosen. */
import { IcewrightError } from '../../domain/errors.ts';
import type { TablePlan } from '../../domain/operation.ts';
import { candidatesOf, DEFAULT_RATES, type EngineRates } from '../../domain/planner/ranking.ts';
import { type SelectedTable, selectedTables } from '../../domain/planner/selected-tables.ts';
import { narrowPlan, type Selection, select } from '../../domain/planner/selection.ts';
import { remainingOf, spentSince } from '../../domain/policy/budget.ts';
import type { SweepPolicy } from '../../domain/policy/policy.ts';
import type { EngineWork, Ledger, SweepPlan } from '../ledger-port.ts';
import { storePlan } from '../planning/planning.ts';
import type { SweepDeps } from './deps.ts';
import type { SelectedSweep, SelectSweepInput } from './types.ts';

/** Tables that one sweep carries out: its history stays short. The next one begins at once. */
const TABLES_MAX = 250;
/** Compactions from which is learned how fast an engine rewrites. */
const RATE_RECEIPTS = 300;
/** What the default rate counts as: seconds of experience. */
const PRIOR_SECONDS = 60;

export async function selectSweep(
  deps: SweepDeps,
  input: SelectSweepInput,
): Promise<SelectedSweep> {
  const { ledger } = deps;
  const { sweepId, sinceMs } = input;
  const nowMs = deps.nowMs();
  const [policies, plans, receipts, work] = await Promise.all([
    deps.project.policies(),
    ledger.sweepPlans(sweepId),
    ledger.receiptsBetween(new Date(sinceMs).toISOString(), new Date(nowMs + 60_000).toISOString()),
    ledger.engineWork(RATE_RECEIPTS),
  ]);
  const { budget } = sweepNamed(policies, input.policy);
  const spent = spentSince(receipts, sinceMs);
  const remaining = remainingOf(budget, spent);
  const rates = ratesOf(work);
  const candidates = plans.flatMap((one) =>
    candidatesOf({ ...one, overdue: isOverdue(one.plan) }, rates, nowMs),
  );
  const tables = Math.min(remaining.tables ?? TABLES_MAX, TABLES_MAX);
  const selection = select(candidates, { ...remaining, tables }, spent.bytes);
  const nextAt = input.nextMs === null ? null : new Date(input.nextMs).toISOString();
  const narrowed = plans.map(({ plan }) => narrowPlan(plan, selection, nextAt));
  let chosen: readonly SelectedTable[] = [];
  if (plans.length > 0) {
    // An earlier attempt's plan stands, also where it chose otherwise: that is what will be done.
    const stands = await storePlan(ledger, { planId: sweepId, nowMs, tables: narrowed });
    chosen = selectedTables(stands.tables, selection, rates);
    await noteWaiting(ledger, plans, nowMs);
  }
  const left = countLeft(selection, chosen);
  deps.meter.sweepChose({
    ...{ policy: input.policy, spent, budget },
    chosen: chosen.length,
    left: Object.values(left).reduce((sum, count) => sum + count, 0),
  });
  return {
    tables: chosen,
    left,
    more: tables === TABLES_MAX && (left.budget_tables ?? 0) > 0,
    remaining: { bytes: remaining.bytes, engineSeconds: remaining.engineSeconds },
    spent: { ...spent, tables: spent.tables.size },
    budget,
  };
}

function sweepNamed(policies: readonly { readonly name: string }[], name: string): SweepPolicy {
  const found = policies.find((one) => one.name === name) as SweepPolicy | undefined;
  if (found?.kind === 'sweep') return found;
  throw new IcewrightError('PolicyInvalid', `there is no sweep policy ${name} any more`, { name });
}

function isOverdue({ decisions }: TablePlan): boolean {
  return decisions.some((one) => one.action === 'run' && one.overdue === true);
}

/** The default counts as a minute of experience. */
function ratesOf(work: readonly EngineWork[]): EngineRates {
  const rate = (engine: keyof EngineRates) => {
    const done = work.find((one) => one.engine === engine) ?? { bytes: 0, seconds: 0 };
    const prior = DEFAULT_RATES[engine] * PRIOR_SECONDS;
    return Math.max(2 ** 20, (done.bytes + prior) / (done.seconds + PRIOR_SECONDS));
  };
  return { spark: rate('spark'), trino: rate('trino') };
}

/** Tables of which nothing was chosen, by the first reason against them. */
function countLeft(
  { left }: Selection,
  chosen: readonly SelectedTable[],
): Readonly<Record<string, number>> {
  const counted = new Set(chosen.map((one) => one.table));
  const counts: Record<string, number> = {};
  for (const { candidate, reason } of left) {
    if (counted.has(candidate.table)) continue;
    counted.add(candidate.table);
    counts[reason.metric] = (counts[reason.metric] ?? 0) + 1;
  }
  return counts;
}

/** What waits rises in rank, until it is done: also what is chosen may not be begun. */
async function noteWaiting(
  ledger: Ledger,
  plans: readonly SweepPlan[],
  nowMs: number,
): Promise<void> {
  const notes = await ledger.sweepNotes(plans.map(({ plan }) => plan.table));
  await ledger.saveSweepNotes(
    [...notes.values()].map((note) => ({ ...note, waitingSinceMs: note.waitingSinceMs ?? nowMs })),
  );
}

/** These have got all that was due: they wait no longer. */
export async function endWaiting(ledger: Ledger, tables: readonly string[]): Promise<void> {
  const notes = await ledger.sweepNotes(tables);
  await ledger.saveSweepNotes(
    [...notes.values()].map((note) => ({ ...note, waitingSinceMs: null })),
  );
}
