/** What a night consists of: its models in order, and the maintenance that their tables need. */
import { selectModels } from '../domain/model-graph.ts';
import { tableKey } from '../domain/table.ts';
import { withFailures } from './failure.ts';
import { type PlanningDeps, planByPolicy, storePlan } from './planning.ts';
import type { ControlActivities } from './types.ts';

export function createNightActivities(
  deps: PlanningDeps,
): Pick<ControlActivities, 'planNight' | 'planMaintenance'> {
  return {
    planNight: withFailures(async ({ models: patterns }) => {
      const models = selectModels(await deps.project.models(), patterns);
      const writer = new Map(models.map((model) => [tableKey(model.target), model.name]));
      return {
        models: models.map((model) => ({
          model: model.name,
          table: tableKey(model.target),
          engine: model.engine,
          // An input that no model of this night writes is read as it is.
          after: model.inputs.flatMap((input) => writer.get(input) ?? []),
        })),
      };
    }),
    planMaintenance: withFailures(async ({ tables, runId }) => {
      const nowMs = deps.nowMs();
      const planned = await planByPolicy(deps, tables);
      const { planId } = await storePlan(deps.ledger, { planId: runId, nowMs, tables: planned });
      const due = planned.filter((one) => one.decisions.some(({ action }) => action === 'run'));
      return { planId, tables: due.map((one) => one.table) };
    }),
  };
}
