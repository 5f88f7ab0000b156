/**
 * Gathers what the planner needs from catalog, ledger and project, and asks it. Changes nothing.
 */
import { createHash } from 'node:crypto';
import { IcewrightError } from '../../domain/errors.ts';
import type { HandRequest } from '../../domain/hand-request.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import type { OperationKind, Plan, TablePlan } from '../../domain/operation.ts';
import { type PlanTableInput, planByHand, planTable } from '../../domain/planner/planner.ts';
import { withTarget } from '../../domain/planner/target.ts';
import { type TuningInput, tunePlan } from '../../domain/planner/tuning.ts';
import { judgeCadence } from '../../domain/policy/cadence.ts';
import { effectivePolicy } from '../../domain/policy/effective.ts';
import { receiptsOfEach } from '../../domain/policy/lookback.ts';
import { type PauseEvent, sayWhatIsPassedOver } from '../../domain/policy/pause.ts';
import type { Policy } from '../../domain/policy/policy.ts';
import { tableFromKey } from '../../domain/table.ts';
import { factsOf } from '../../domain/table-facts.ts';
import type { Ledger } from '../ledger-port.ts';
import { type PlanningDeps, readConsumers, withFloors } from './inputs.ts';
import { gatherFor, measureForHand, measureForPolicy } from './plan-table.ts';

/** Tables measured at once: the catalog and the store are asked, no engine. */
const TABLES_AT_ONCE = 8;

/** Plans by policy. Tables that do not exist are left out. */
export async function planByPolicy(
  deps: PlanningDeps,
  tables: readonly string[],
): Promise<readonly TablePlan[]> {
  const [policies, pauses] = await Promise.all([
    deps.project.policies(),
    deps.ledger.pauseEvents(),
  ]);
  const plans: TablePlan[] = [];
  for (let at = 0; at < tables.length; at += TABLES_AT_ONCE) {
    const batch = tables.slice(at, at + TABLES_AT_ONCE);
    const rules = { policies, pauses };
    const planned = await Promise.all(batch.map((table) => planByRules(deps, rules, table)));
    plans.push(...planned.filter((plan) => plan !== null));
  }
  return plans;
}

/** What people laid down for all tables. */
export interface Rules {
  readonly policies: readonly Policy[];
  readonly pauses: readonly PauseEvent[];
}

/** Plans one table under given rules. `null`: there is no such table. */
export async function planByRules(
  deps: PlanningDeps,
  { policies, pauses }: Rules,
  key: string,
): Promise<TablePlan | null> {
  const table = tableFromKey(key);
  const nowMs = deps.nowMs();
  const measured = await measureForPolicy(deps.catalog, { table, policies, nowMs });
  if (measured === null) return null;
  return planGathered(deps, await gatherFor(deps, { ...measured, table, pauses, nowMs }));
}

/** The planner's decisions, tuned for the engine that will run them, with what they rely on. */
export async function planGathered(
  deps: Pick<PlanningDeps, 'cores'>,
  known: PlanTableInput,
): Promise<TablePlan> {
  const { health, recentReceipts } = known;
  const policy = withTarget(known.policy, health).settings.compact;
  return pin(await tune(deps, planTable(known), { health, recentReceipts, policy }), health);
}

/** Plans what a person asks for. Throws `UsageInvalid` or `TableNotFound`. */
export async function planHandRequest(
  deps: PlanningDeps,
  key: string,
  request: HandRequest,
): Promise<TablePlan> {
  const table = tableFromKey(key);
  const nowMs = deps.nowMs();
  const policies = await deps.project.policies();
  const expires = request.kind === 'expire_snapshots';
  const { cadence: written } = effectivePolicy(policies, table).settings;
  const [recentReceipts, pauses, { health, policy }, pinned, consumers] = await Promise.all([
    deps.ledger.receiptsOfEach(key, receiptsOfEach(written)),
    deps.ledger.pauseEvents(),
    measureForHand(deps.catalog, { table, policies, nowMs }, request),
    expires ? deps.ledger.livePins(key, new Date(nowMs).toISOString()) : [],
    expires ? readConsumers(deps, key, nowMs) : { consumed: [], unreadable: [] },
  ]);
  const own = withTarget(policy, health);
  const floored = await withFloors(deps, health);
  const plan = planByHand({ health: floored, request, policy: own, pinned, consumers, nowMs });
  const { cadence } = own.settings;
  const breakerOpen = (kind: OperationKind) =>
    judgeCadence({ kind, policy: cadence, recentReceipts, nowMs, table: key, pauses }).breakerOpen;
  const told = sayWhatIsPassedOver(plan, { pauses, breakerOpen, nowMs });
  const tuned = await tune(deps, told, { health, recentReceipts, policy: own.settings.compact });
  return pin(tuned, health);
}

/** Only a compaction that will run is worth a question to its engine. */
async function tune(
  { cores }: Pick<PlanningDeps, 'cores'>,
  plan: TablePlan,
  input: Omit<TuningInput, 'cores'>,
): Promise<TablePlan> {
  if (!plan.decisions.some(({ operation }) => operation?.kind === 'compact')) return plan;
  return tunePlan(plan, { ...input, cores: (await cores?.()) ?? {} });
}

/** With what the plan relies on, where it has something to run. */
function pin(plan: TablePlan, health: TableHealth): TablePlan {
  const runs = plan.decisions.some((decision) => decision.action === 'run');
  return runs ? { ...plan, seen: factsOf(health) } : plan;
}

/** Stores the plan; its digest is over everything that decides what would be done. */
export async function storePlan(
  ledger: Ledger,
  input: { readonly planId: string; readonly nowMs: number; readonly tables: readonly TablePlan[] },
): Promise<Plan> {
  const { planId, nowMs } = input;
  const tables = input.tables.map(withoutParts);
  const plan: Plan = { planId, createdAt: new Date(nowMs).toISOString(), tables };
  return ledger.savePlan(plan, digestOf(plan));
}

/** What was needed to choose is not needed to do. */
function withoutParts(table: TablePlan): TablePlan {
  return { ...table, decisions: table.decisions.map(({ parts: _parts, ...rest }) => rest) };
}

/** Names its own form: what was stored by another one cannot be checked. */
const DIGEST_FORM = 'sha256/1:';

/** The same whatever order a database keeps the members of an object in. */
export function digestOf({ tables }: Pick<Plan, 'tables'>): string {
  return DIGEST_FORM + createHash('sha256').update(canonicalJson(tables)).digest('hex');
}

/** JSON with the members of each object sorted; what has no value is left out. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part === null || typeof part !== 'object' || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** A plan is carried out as it was stored, or not at all. */
function checkDigest(plan: Plan, stored: string | null): void {
  if (stored === digestOf(plan)) return;
  const why = stored?.startsWith(DIGEST_FORM)
    ? 'was changed in the ledger after it was made: its digest is another one'
    : 'was stored by an earlier version, whose digest cannot be checked';
  throw new IcewrightError('TableChanged', `plan ${plan.planId} ${why}; make a new plan`, {
    planId: plan.planId,
    difference: 'digest',
  });
}

/** The plan of one table within a stored plan. Rejects with `TableChanged` for a changed plan. */
export async function readTablePlan(
  ledger: Ledger,
  planId: string,
  table: string,
): Promise<TablePlan> {
  const [plan, digest] = await Promise.all([
    ledger.readPlan(planId),
    ledger.readPlanDigest(planId),
  ]);
  if (plan === null) throw planNotFound(`plan ${planId} is not known`, { planId, table });
  checkDigest(plan, digest);
  return tableOf(plan, table);
}

export function tableOf({ planId, tables }: Plan, table: string): TablePlan {
  const found = tables.find((one) => one.table === table);
  if (found === undefined) throw planNotFound(`plan ${planId} has no ${table}`, { planId, table });
  return found;
}

function planNotFound(what: string, details: Readonly<Record<string, string>>): IcewrightError {
  return new IcewrightError(
    'RunNotFound',
    `${what}: make a new one with "icewright plan"`,
    details,
  );
}
