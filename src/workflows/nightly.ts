/**
 * One night: the models in the order of their graph, each as soon as what it reads is done, then
 * the maintenance that the plan of all their tables calls for. Every change of a table is a job
 * of that table's workflow; the night only asks for it and waits to be told.
 */
import { CancellationScope, isCancellation, workflowInfo } from '@temporalio/workflow';
import { runIdAt } from '../domain/ids.ts';
import { formatDuration } from '../domain/units.ts';
import type { MaintenanceReport, NightlyInput, NightlyReport } from './messages.ts';
import { Night } from './night.ts';
import { errorOf } from './outcome.ts';
import { localControl } from './proxies.ts';

/** The scheduled or commanded night. */
export async function nightly(input: NightlyInput): Promise<NightlyReport> {
  return runNight(input, 'nightly');
}

/** `transform run`: the models alone, as one run. */
export async function transformRun(input: NightlyInput): Promise<NightlyReport> {
  return runNight(input, 'transform');
}

async function runNight(
  input: NightlyInput,
  kind: 'nightly' | 'transform',
): Promise<NightlyReport> {
  const { workflowId, runId: executionId, startTime } = workflowInfo();
  const runId = input.runId ?? runIdAt(startTime.getTime(), executionId);
  const night = new Night(runId, workflowId, input);
  try {
    const late = tooLate(input, startTime.getTime(), Date.now());
    await localControl.openNight({ runId, workflowId, kind, requestedBy: input.requestedBy });
    if (late !== null) {
      night.phase = 'done';
      await localControl.closeNight({ runId, state: 'cancelled', message: late });
      return { ...nothingDone(runId, startTime), finishedAt: new Date().toISOString() };
    }
    const planned = await localControl.planNight({ models: input.models });
    const models = await night.transformAll(planned.models);
    const tables = planned.models.map((model) => model.table);
    const maintained = input.maintenance
      ? await night.maintainAll(tables)
      : { planId: null, maintenance: [] };
    const failed = [
      ...models.filter((one) => one.status === 'failed').map((one) => one.model),
      ...maintained.maintenance.filter(hasFailed).map((one) => one.table),
    ];
    night.phase = 'done';
    const message = failed.length === 0 ? null : `failed: ${failed.join(', ')}`;
    const state = failed.length === 0 ? 'done' : 'failed';
    await localControl.closeNight({ runId, state, message });
    if (kind === 'nightly') await night.haveMeasured(tables);
    const startedAt = startTime.toISOString();
    return {
      runId,
      startedAt,
      finishedAt: new Date().toISOString(),
      models,
      ...maintained,
      failed,
    };
  } catch (error) {
    const state = isCancellation(error) ? 'cancelled' : 'failed';
    const { message } = errorOf(error);
    await CancellationScope.nonCancellable(async () => {
      await night.withdrawAll();
      await localControl.closeNight({ runId, state, message });
    });
    throw error;
  }
}

/** What a safety rule refused is told with the table, and waits for a person: the night is good. */
function hasFailed({ state }: MaintenanceReport): boolean {
  return state === 'failed' || state === 'cancelled';
}

/** A night that waited for a worker until its time was over; `null`: it may begin. */
function tooLate({ startWithinMs }: NightlyInput, startedMs: number, nowMs: number): string | null {
  const waitedMs = nowMs - startedMs;
  if (startWithinMs == null || waitedMs <= startWithinMs) return null;
  return `no worker was there for ${formatDuration(waitedMs)}: left out (missed: skip)`;
}

function nothingDone(runId: string, startTime: Date): Omit<NightlyReport, 'finishedAt'> {
  const startedAt = startTime.toISOString();
  return { runId, startedAt, models: [], planId: null, maintenance: [], failed: [] };
}
