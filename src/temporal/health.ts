/** The health workflow of a catalog, as workers and commands reach it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { CONTROL_QUEUE, healthWorkflowId } from '../domain/ids.ts';
import type { HealthInput, HealthStatus, SweepReport } from '../workflows/messages.ts';
import { temporalError } from './connect.ts';
import { passOver, reach } from './reach.ts';

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

/** Rejects with `WorkerUnavailable` when the catalog has no sweeps, or nobody answers. */
export async function readHealth(client: Client, catalog: string): Promise<HealthStatus> {
  return reachHealth(client, catalog, (handle) => handle.query<HealthStatus, []>('lastReport'));
}

/** Ten seconds to a day, at once. Rejects with `UsageInvalid`. */
export async function setHealthInterval(
  client: Client,
  catalog: string,
  intervalMs: number,
): Promise<HealthStatus> {
  return reachHealth(client, catalog, (handle) =>
    handle.executeUpdate<HealthStatus, [{ intervalMs: number }]>('setHealthInterval', {
      args: [{ intervalMs }],
    }),
  );
}

/**
 * Sweeps now; answers the report of that sweep, or of a later one, once there is one.
 * @param onStatus told again and again; `null`: no worker answers at the moment
 */
export async function sweepNow(
  client: Client,
  catalog: string,
  onStatus: (status: HealthStatus | null) => void = () => {},
): Promise<SweepReport> {
  const { sweep } = await reachHealth(client, catalog, (handle) =>
    handle.executeUpdate<{ sweep: number }, []>('sweepNow'),
  );
  for (;;) {
    const status = await readHealth(client, catalog).catch(passOver);
    if (status !== null && status.last !== null && status.last.sweep >= sweep) return status.last;
    onStatus(status);
    await sleep(POLL_MS);
  }
}

function reachHealth<T>(
  client: Client,
  catalog: string,
  ask: (handle: WorkflowHandle<HealthWorkflow>) => Promise<T>,
): Promise<T> {
  const workflowId = healthWorkflowId(catalog);
  const absent = `the tables of ${catalog} are not being swept: a worker starts that when it starts`;
  return reach<HealthWorkflow, T>(client, { workflowId, subject: catalog, absent }, ask);
}
