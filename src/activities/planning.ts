/**
 * Gathers what the planner needs from catalog, ledger and project, and asks it. Changes nothing.
 */
import { createHash } from 'node:crypto';
import { type RetentionFloors, UNKNOWN_TRAITS } from '../domain/catalog-traits.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { HandRequest } from '../domain/hand-request.ts';
import type { TableHealth } from '../domain/health/health.ts';
import type { Plan, TablePlan } from '../domain/operation.ts';
import { planByHand, planTable } from '../domain/planner/planner.ts';
import { effectivePolicy, type Policy } from '../domain/policy/policy.ts';
import { type TableRef, tableFromKey } from '../domain/table.ts';
import { factsOf } from '../domain/table-facts.ts';
import { type Consumers, consumersOf } from '../domain/watermark.ts';
import type { Catalog, Ledger, Project } from './ports.ts';

export interface PlanningDeps {
  readonly catalog: Catalog;
  readonly ledger: Ledger;
  readonly project: Project;
  readonly nowMs: () => number;
  /** What Trino's catalog refuses by age; absent: it is not asked. `null`: it did not answer. */
  readonly floors?: (() => Promise<RetentionFloors | null>) | undefined;
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
  return pin(planTable({ health, policy, recentReceipts, pinned, consumers, nowMs }), health);
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
  const plan = planByHand({
    health: await withFloors(deps, health),
    request,
    policy,
    pinned,
    consumers,
    nowMs,
  });
  return pin(plan, health);
}

/** With what the plan relies on, where it has something to run. */
function pin(plan: TablePlan, health: TableHealth): TablePlan {
  const runs = plan.decisions.some((decision) => decision.action === 'run');
  return runs ? { ...plan, seen: factsOf(health) } : plan;
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
  return ledger.savePlan(plan, digestOf(plan));
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
