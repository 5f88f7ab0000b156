/**
 * Maintains the tables of one catalog unasked, for as long as a sweep policy speaks of them: waits
 * until one is due within its window, looks, chooses within its budget, and has tables' workflows
 * do what was chosen. Due times stand on a grid; see `domain/health/clock.ts`.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { MaintenanceSweeper } from './maintenance-sweeper.ts';
import { control } from './proxies.ts';
import {
  type MaintenanceInput,
  maintainNowUpdate,
  maintenanceStatusQuery,
  reloadSweepsSignal,
} from './sweep-messages.ts';
import { TableRequests } from './table-requests.ts';

export async function sweep(input: MaintenanceInput): Promise<void> {
  const { workflowId } = workflowInfo();
  // No local activities: an update that is accepted before one cannot be replayed.
  const requests = new TableRequests(workflowId, (request) => control.submitTableJob(request));
  const sweeper = new MaintenanceSweeper(input, requests);
  setHandler(maintenanceStatusQuery, () => sweeper.status());
  setHandler(reloadSweepsSignal, () => {
    sweeper.stale = true;
  });
  setHandler(maintainNowUpdate, ({ policy }) => ({ sweep: sweeper.ask(policy) }), {
    validator: ({ policy }) => refuseUnknown(sweeper, policy),
  });
  try {
    for (;;) {
      await nextWake(sweeper);
      if (!(await sweeper.sweepIfDue()) && !sweeper.stale) break;
      if (workflowInfo().continueAsNewSuggested) {
        await condition(allHandlersFinished);
        const { catalog } = input;
        await continueAsNew<typeof sweep>({ catalog, state: sweeper.state });
      }
    }
  } finally {
    // Nothing is left where all that was asked for has ended.
    await CancellationScope.nonCancellable(() => requests.withdrawAll());
  }
  await condition(allHandlersFinished);
}

/** A sweep is due or asked for, or the policies are to be looked at again. */
async function nextWake(sweeper: MaintenanceSweeper): Promise<void> {
  const wakeMs = sweeper.nextWakeMs();
  const woken = () => sweeper.stale || sweeper.state.asked.length > 0;
  if (woken()) return;
  if (wakeMs > Date.now()) await condition(woken, wakeMs - Date.now());
}

function refuseUnknown({ state }: MaintenanceSweeper, policy: string | null): void {
  const names = Object.keys(state.policies);
  // Before the policies were read for the first time, nobody knows.
  if (policy === null || names.length === 0 || names.includes(policy)) return;
  const message = `there is no sweep policy ${policy}: there are ${names.join(', ')}`;
  throw ApplicationFailure.nonRetryable(message, 'UsageInvalid');
}
