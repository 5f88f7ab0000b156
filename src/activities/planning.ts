/**
 * Gathers what the planner needs from catalog, ledger and project, and asks it. Changes nothing.
 */
import { createHash } from 'node:crypto';
import { type RetentionFloors, UNKNOWN_TRAITS } from '../domain/catalog-traits.ts';
import type { EngineCores } from '../domain/engine.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { HandRequest } from '../domain/hand-request.ts';
import type { TableHealth } from '../domain/health/health.ts';
import type { Plan, TablePlan } from '../domain/operation.ts';
import { planByHand, planTable } from '../domain/planner/planner.ts';
import { type TuningInput, tunePlan } from '../domain/planner/tuning.ts';
import { effectivePolicy, type Policy } from '../domain/policy/policy.ts';
import { type TableRef, tableFromKey } from '../domain/table.ts';
import { type Consumers, consumersOf } from '../domain/watermark.ts';
import type { Catalog, Ledger, Project } from './ports.ts';

export interface PlanningDeps {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly project: Project;
  readonly nowMs: () => number;
  /** What Trino's catalog refuses by age; absent: it is not asked. `null`: it did not answer. */
  readonly floors?: (() => Promise<RetentionFloors | null>) | undefined;
  /** How many tasks each engine runs at once; absent: not known, their own defaults stay. */
  readonly cores?: () => Promise<EngineCores>;
}

/** Receipts that cadence and breaker look back on. */
const RECEIPTS_MAX = 50;
/** Tables measured at once: the catalog and the store are asked, no engine. */
const TABLES_AT_ONCE = 8;

/** Plans by policy. Tables that do not exist are left out. */
export async function planByPolicy(
  deps: PlanningDeps,
  tables: readonly string[],
): Promise<readonly TablePlan[]> {
  const policies = await deps.project.policies();
  const plans: TablePlan[] = [];
  for (let at = 0; at < tables.length; at += TABLES_AT_ONCE) {
    const batch = tables.slice(at, at + TABLES_AT_ONCE);
    const planned = await Promise.all(batch.map((table) => planOne(deps, policies, table)));
    plans.push(...planned.filter((plan) => plan !== null));
  }
  return plans;
}

async function planOne(
  deps: PlanningDeps,
  policies: readonly Policy[],
  key: string,
): Promise<TablePlan | null> {
  const table = tableFromKey(key);
  const nowMs = deps.nowMs();
  const policy = effectivePolicy(policies, table);
  const measured = await measureIfThere(deps.catalog, table, {
    nowMs,
    depth: 'files',
    targetFileSizeBytes: policy.settings.compact.targetFileSizeBytes,
  });
  if (measured === null) return null;
  const health = await withFloors(deps, measured);
  const [recentReceipts, pinned, consumers] = await Promise.all([
    deps.ledger.recentReceipts(key, RECEIPTS_MAX),
    deps.ledger.livePins(key, new Date(nowMs).toISOString()),
    readConsumers(deps, key, nowMs),
  ]);
  const plan = planTable({ health, policy, recentReceipts, pinned, consumers, nowMs });
  return tune(deps, plan, { health, recentReceipts, policy: policy.settings.compact });
}

async function withFloors({ floors }: PlanningDeps, health: TableHealth): Promise<TableHealth> {
  if (floors === undefined) return health;
  const traits = { ...(health.traits ?? UNKNOWN_TRAITS), trinoFloors: await floors() };
  return { ...health, traits };
}

/** Plans what a person asks for. Throws `UsageInvalid` or `TableNotFound`. */
export async function planHandRequest(
  deps: PlanningDeps,
  key: string,
  request: HandRequest,
): Promise<TablePlan> {
  const table = tableFromKey(key);
  const nowMs = deps.nowMs();
  const policy = effectivePolicy(await deps.project.policies(), table);
  const expires = request.kind === 'expire_snapshots';
  const target = request.kind === 'compact' ? request.targetFileSizeBytes : null;
  const [health, pinned, consumers] = await Promise.all([
    deps.catalog.measureTable(table, {
      nowMs,
      // Only what chooses files needs to know single ones.
      depth: ['compact', 'rewrite_deletes'].includes(request.kind) ? 'files' : 'metadata',
      targetFileSizeBytes: target ?? policy.settings.compact.targetFileSizeBytes,
    }),
    expires ? deps.ledger.livePins(key, new Date(nowMs).toISOString()) : [],
    expires ? readConsumers(deps, key, nowMs) : { consumed: [], unreadable: [] },
  ]);
  const traited = await withFloors(deps, health);
  const plan = planByHand({ health: traited, request, policy, pinned, consumers, nowMs });
  const recentReceipts =
    request.kind === 'compact' ? await deps.ledger.recentReceipts(key, RECEIPTS_MAX) : [];
  return tune(deps, plan, { health, recentReceipts, policy: policy.settings.compact });
}

/** Only a compaction that will run is worth a question to its engine. */
async function tune(
  { cores }: PlanningDeps,
  plan: TablePlan,
  input: Omit<TuningInput, 'cores'>,
): Promise<TablePlan> {
  if (!plan.decisions.some(({ operation }) => operation?.kind === 'compact')) return plan;
  return tunePlan(plan, { ...input, cores: (await cores?.()) ?? {} });
}

/** Which snapshots of `key` the models that read it have consumed. */
export async function readConsumers(
  deps: Pick<PlanningDeps, 'catalog' | 'project'>,
  key: string,
  nowMs: number,
): Promise<Consumers> {
  const readers = (await deps.project.models()).filter((model) => model.inputs.includes(key));
  const targets = await Promise.all(
    readers.map(({ target }) => measureIfThere(deps.catalog, target, { nowMs, depth: 'metadata' })),
  );
  return consumersOf(
    key,
    targets.filter((target) => target !== null),
  );
}

/** `null`: there is no such table. */
export async function measureIfThere(
  catalog: Catalog,
  table: TableRef,
  options: Parameters<Catalog['measureTable']>[1],
): Promise<TableHealth | null> {
  try {
    return await catalog.measureTable(table, options);
  } catch (error) {
    if (error instanceof IcewrightError && error.code === 'TableNotFound') return null;
    throw error;
  }
}

/** Stores the plan; its digest is over everything that decides what would be done. */
export async function storePlan(
  ledger: Ledger,
  input: { readonly planId: string; readonly nowMs: number; readonly tables: readonly TablePlan[] },
): Promise<Plan> {
  const { planId, nowMs, tables } = input;
  const plan: Plan = { planId, createdAt: new Date(nowMs).toISOString(), tables };
  const digest = createHash('sha256').update(JSON.stringify(tables)).digest('hex');
  return ledger.savePlan(plan, digest);
}

/** The plan of one table within a stored plan. */
export async function readTablePlan(
  ledger: Ledger,
  planId: string,
  table: string,
): Promise<TablePlan> {
  const plan = await ledger.readPlan(planId);
  if (plan === null) throw planNotFound(`plan ${planId} is not known`, { planId, table });
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
