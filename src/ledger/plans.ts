/** Statements on plans. */
import type { Plan } from '../domain/operation.ts';
import { jsonText, type Queryable } from './connection.ts';

/** Leaves the plan that is already there as it is: a repeated step gets back the first one. */
export async function insertPlan(db: Queryable, plan: Plan, digest: string): Promise<Plan> {
  const { rows } = await db.query(
    `insert into icewright.plan (plan_id, created_at, digest, document)
     values ($1, $2, $3, $4)
     on conflict (plan_id) do nothing
     returning plan_id`,
    [plan.planId, plan.createdAt, digest, jsonText(plan)],
  );
  return rows.length > 0 ? plan : ((await selectPlan(db, plan.planId)) ?? plan);
}

export async function selectPlan(db: Queryable, planId: string): Promise<Plan | null> {
  const { rows } = await db.query('select document from icewright.plan where plan_id = $1', [
    planId,
  ]);
  return (rows as { document: Plan }[])[0]?.document ?? null;
}

/** `null`: there is no such plan. */
export async function selectPlanDigest(db: Queryable, planId: string): Promise<string | null> {
  const { rows } = await db.query('select digest from icewright.plan where plan_id = $1', [planId]);
  return (rows as { digest: string }[])[0]?.digest ?? null;
}
