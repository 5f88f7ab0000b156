/** Before an operation: is the table still what the plan saw? Then its state is pinned. */
import { activityInfo } from '@temporalio/activity';
import { beforeOf, NO_TABLE } from '../../domain/before-operation.ts';
import { judgeDrift, ownPropertySteps, withOwnProperties } from '../../domain/drift.ts';
import type { TableHealth } from '../../domain/health/health.ts';
import type { TablePlan } from '../../domain/operation.ts';
import { neededByNow } from '../../domain/planner/expiry.ts';
import type { Receipt } from '../../domain/receipt.ts';
import type { StartedOperation } from '../ledger-port.ts';
import { readConsumers } from '../planning/inputs.ts';
import type { OperateDeps } from './deps.ts';
import { receiptOf, type Step } from './receipt.ts';

/**
 * Pins the state before, or answers a refusal that names every difference.
 * @param health `null`: the table is gone
 */
export async function begin(
  deps: OperateDeps,
  step: Step,
  plan: TablePlan,
  health: TableHealth | null,
): Promise<StartedOperation | Receipt> {
  const mine: StartedOperation = {
    runId: step.runId,
    ordinal: step.ordinal,
    table: step.table,
    operation: step.operation.kind,
    engine: step.engine,
    before: health === null ? NO_TABLE : beforeOf(health, step.operation),
    startedAt: new Date(deps.nowMs()).toISOString(),
  };
  // On a retry the table may have moved because of us: then the first attempt's row is there.
  if (activityInfo().attempt > 1) {
    const first = await deps.ledger.readStartedOperation(step.runId, step.ordinal);
    if (first !== null) return first;
  }
  const differences = await differencesOf(deps, step, plan, health);
  if (differences.length === 0) return deps.ledger.startOperation(mine);
  const message =
    `${step.table} is not what the plan was made for: ${differences.join('; ')}; ` +
    'plan again with "icewright plan"';
  const error = { code: 'TableChanged', message } as const;
  return receiptOf(step, mine, health, deps.nowMs(), { status: 'refused', error });
}

async function differencesOf(
  deps: OperateDeps,
  step: Step,
  plan: TablePlan,
  health: TableHealth | null,
): Promise<readonly string[]> {
  if (health === null) return ['it is no longer in the catalog: it was dropped or renamed'];
  const snapshotId =
    step.expectedSnapshotId === undefined ? plan.snapshotId : step.expectedSnapshotId;
  const { operation, appendsAllowed = false } = step;
  const now = withOwnProperties(plan, await ownPropertiesSet(deps, step, plan));
  const drift = judgeDrift({ plan: now, snapshotId, operation, health, appendsAllowed });
  if (drift.length > 0) return drift;
  const needed = await neededMeanwhile(deps, step, health);
  return needed === null ? [] : [`${needed}, which was not so when the plan was made`];
}

/** Steps before this one, of this run, by which the table has other properties than the plan saw. */
async function ownPropertiesSet(
  { ledger }: OperateDeps,
  { runId, ordinal }: Step,
  plan: TablePlan,
): Promise<readonly number[]> {
  const set: number[] = [];
  for (const at of ownPropertySteps(plan, ordinal)) {
    if ((await ledger.readReceipt(runId, at))?.status === 'done') set.push(at);
  }
  return set;
}

/** Tags, branches, pins and readers may have come since the plan was made. */
async function neededMeanwhile(
  deps: OperateDeps,
  { operation, table }: Step,
  health: TableHealth,
): Promise<string | null> {
  if (operation.kind !== 'expire_snapshots') return null;
  const nowMs = deps.nowMs();
  const [pinned, consumers] = await Promise.all([
    deps.ledger.livePins(table, new Date(nowMs).toISOString()),
    readConsumers(deps, table, nowMs),
  ]);
  return neededByNow(operation.snapshotIds, { health, pinned, consumers, nowMs });
}
