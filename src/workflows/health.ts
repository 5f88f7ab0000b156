/**
 * Sweeps the tables of one catalog for as long as it is there: waits until a sweep is due, measures
 * in batches, closes. Due times stand on a grid; see `domain/health/clock.ts`.
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { isErrorCode } from '../domain/errors.ts';
import { checkInterval, nextDueMs } from '../domain/health/clock.ts';
import { HealthSweeper } from './health-sweeper.ts';
import * as messages from './messages.ts';

export async function health(input: messages.HealthInput): Promise<void> {
  const sweeper = new HealthSweeper(input);
  setHandler(messages.lastReportQuery, () => sweeper.status());
  setHandler(messages.configureHealthSignal, ({ intervalMs }) => sweeper.configure(intervalMs));
  setHandler(messages.sweepSoonSignal, () => {
    sweeper.ask();
  });
  setHandler(messages.sweepNowUpdate, () => ({ sweep: sweeper.ask() }));
  setHandler(
    messages.setHealthIntervalUpdate,
    ({ intervalMs }) => {
      sweeper.changeInterval(intervalMs);
      return sweeper.status();
    },
    { validator: ({ intervalMs }) => refuseBadInterval(intervalMs) },
  );
  for (;;) {
    await nextWake(sweeper);
    await sweeper.sweepIfDue();
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      const { catalog, intervalMs } = input;
      await continueAsNew<typeof health>({ catalog, intervalMs, state: sweeper.state });
    }
  }
}

/** A sweep is due or asked for, or the interval moved and the wait begins anew. */
async function nextWake(sweeper: HealthSweeper): Promise<void> {
  const { clock } = sweeper.state;
  const nowMs = Date.now();
  const waitMs = nextDueMs(clock, nowMs) - nowMs;
  const woken = () => sweeper.state.asked || sweeper.state.clock.intervalMs !== clock.intervalMs;
  if (waitMs > 0 && !woken()) await condition(woken, waitMs);
}

function refuseBadInterval(intervalMs: number): void {
  try {
    checkInterval(intervalMs);
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    throw ApplicationFailure.nonRetryable(message, isErrorCode(code) ? code : 'Internal');
  }
}
