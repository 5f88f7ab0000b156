/** What a night consists of: its models in order, and the maintenance that their tables need. */
import { nightOf } from '../domain/model/graph.ts';
import { withFailures } from './failure.ts';
import type { PlanningDeps } from './planning/inputs.ts';
import { planByPolicy, storePlan } from './planning/planning.ts';
import type { Meter } from './ports.ts';
import type { ControlActivities } from './types.ts';

export interface NightDeps extends PlanningDeps {
  readonly meter: Pick<Meter, 'maintenancePlanned'>;
}

export function createNightActivities(
  deps: NightDeps,
): Pick<ControlActivities, 'planNight' | 'planMaintenance'> {
  return {
    planNight: withFailures(async ({ models }) => ({
      models: nightOf(await deps.project.models(), models),
    })),
    planMaintenance: withFailures(async ({ tables, runId }) => {
      const nowMs = deps.nowMs();
      const planned = await planByPolicy(deps, tables);
      const { planId } = await storePlan(deps.ledger, { planId: runId, nowMs, tables: planned });
      deps.meter.maintenancePlanned(planned, nowMs);
      const due = planned.filter((one) => one.decisions.some(({ action }) => action === 'run'));
      return { planId, tables: due.map((one) => one.table) };
    }),
  };
}
