/** The health workflow of a catalog, as workers and commands reach it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Client, WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { IcewrightError, isErrorCode } from '../domain/errors.ts';
import { CONTROL_QUEUE, healthWorkflowId } from '../domain/ids.ts';
import type { HealthInput, HealthStatus, SweepReport } from '../workflows/messages.ts';
import { temporalError } from './connect.ts';

const POLL_MS = 200;

type HealthWorkflow = (input: HealthInput) => Promise<void>;

/**
 * Starts the catalog's sweeps where they do not run; where they do, tells them the interval of the
 * configuration and changes nothing else. As often as one likes.
 */
export async function startHealth(
  client: Client,
  input: { readonly catalog: string; readonly intervalMs: number },
): Promise<void> {
  const { catalog, intervalMs } = input;
  try {
    await client.workflow.signalWithStart<HealthWorkflow, [{ intervalMs: number }]>('health', {
      workflowId: healthWorkflowId(catalog),
      taskQueue: CONTROL_QUEUE,
      args: [{ catalog, intervalMs }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      signal: 'configure',
      signalArgs: [{ intervalMs }],
      staticSummary: `health of ${catalog}`,
    });
  } catch (error) {
    throw temporalError(error);
  }
}

/** Rejects with `WorkerUnavailable` when the catalog has no sweeps. */
export async function readHealth(client: Client, catalog: string): Promise<HealthStatus> {
  return reach(catalog, () => handleOf(client, catalog).query<HealthStatus, []>('lastReport'));
}

/** Ten seconds to a day, at once. Rejects with `UsageInvalid`. */
export async function setHealthInterval(
  client: Client,
  catalog: string,
  intervalMs: number,
): Promise<HealthStatus> {
  return reach(catalog, () =>
    handleOf(client, catalog).executeUpdate<HealthStatus, [{ intervalMs: number }]>(
      'setHealthInterval',
      { args: [{ intervalMs }] },
    ),
  );
}

/** Sweeps now; answers the report of that sweep, or of a later one, once there is one. */
export async function sweepNow(
  client: Client,
  catalog: string,
  onStatus: (status: HealthStatus) => void = () => {},
): Promise<SweepReport> {
  const { sweep } = await reach(catalog, () =>
    handleOf(client, catalog).executeUpdate<{ sweep: number }, []>('sweepNow'),
  );
  for (;;) {
    const status = await readHealth(client, catalog);
    if (status.last !== null && status.last.sweep >= sweep) return status.last;
    onStatus(status);
    await sleep(POLL_MS);
  }
}

function handleOf(client: Client, catalog: string) {
  return client.workflow.getHandle<HealthWorkflow>(healthWorkflowId(catalog));
}

async function reach<T>(catalog: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notSwept(catalog);
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : null;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      throw new IcewrightError(cause.type, cause.message);
    }
    throw temporalError(error);
  }
}

function notSwept(catalog: string): IcewrightError {
  return new IcewrightError(
    'WorkerUnavailable',
    `the tables of ${catalog} are not being swept: a worker starts that when it starts`,
    { catalog, workflowId: healthWorkflowId(catalog) },
  );
}
