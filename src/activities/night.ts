/** What a night consists of: its models in order, and the maintenance that their tables need. */
import { nightOf } from '../domain/model-graph.ts';
import { withFailures } from './failure.ts';
import { type PlanningDeps, planByPolicy, storePlan } from './planning.ts';
import type { ControlActivities } from './types.ts';

export function createNightActivities(
  deps: PlanningDeps,
): Pick<ControlActivities, 'planNight' | 'planMaintenance'> {
  return {
    planNight: withFailures(async ({ models }) => ({
      models: nightOf(await deps.project.models(), models),
    })),
    planMaintenance: withFailures(async ({ tables, runId }) => {
      const nowMs = deps.nowMs();
      const planned = await planByPolicy(deps, tables);
      const { planId } = await storePlan(deps.ledger, { planId: runId, nowMs, tables: planned });
      const due = planned.filter((one) => one.decisions.some(({ action }) => action === 'run'));
      return { planId, tables: due.map((one) => one.table) };
    }),
  };
}
