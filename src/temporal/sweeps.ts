/** The workflow that maintains a catalog unasked, as workers and commands reach it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { CONTROL_QUEUE, sweepWorkflowId } from '../domain/ids.ts';
import type {
  MaintenanceInput,
  MaintenanceStatus,
  MaintenanceSweepReport,
} from '../workflows/sweep-messages.ts';
import { temporalError } from './connect.ts';
import { passOver, reach } from './reach.ts';

const POLL_MS = 500;

type SweepWorkflow = (input: MaintenanceInput) => Promise<void>;

/** Starts the catalog's sweeps; where they run, has them read the policies again. */
export async function startSweeps(client: Client, catalog: string): Promise<void> {
  try {
    await client.workflow.signalWithStart<SweepWorkflow, []>('sweep', {
      workflowId: sweepWorkflowId(catalog),
      taskQueue: CONTROL_QUEUE,
      args: [{ catalog }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      signal: 'reload',
      signalArgs: [],
      staticSummary: `maintenance of ${catalog}`,
    });
  } catch (error) {
    throw temporalError(error);
  }
}

/** Rejects with `WorkerUnavailable` when no policy wants sweeps, or nobody answers. */
export async function readSweeps(client: Client, catalog: string): Promise<MaintenanceStatus> {
  return reachSweeps(client, catalog, (handle) =>
    handle.query<MaintenanceStatus, []>('sweepStatus'),
  );
}

/**
 * Sweeps now under one policy, or each; answers the reports once there are all.
 * @param onStatus told again and again; `null`: no worker answers at the moment
 */
export async function maintainNow(
  client: Client,
  catalog: string,
  policy: string | null,
  onStatus: (status: MaintenanceStatus | null) => void = () => {},
): Promise<readonly MaintenanceSweepReport[]> {
  const { sweep } = await reachSweeps(client, catalog, (handle) =>
    handle.executeUpdate<{ sweep: number }, [{ policy: string | null }]>('maintainNow', {
      args: [{ policy }],
    }),
  );
  for (;;) {
    const status = await readSweeps(client, catalog).catch(passOver);
    const wanted = (status?.policies ?? []).filter(
      (one) => policy === null || one.policy === policy,
    );
    const reports = wanted.flatMap(({ last }) =>
      last !== null && last.sweep >= sweep ? last : [],
    );
    if (status !== null && reports.length === wanted.length && wanted.length > 0) return reports;
    onStatus(status);
    await sleep(POLL_MS);
  }
}

function reachSweeps<T>(
  client: Client,
  catalog: string,
  ask: (handle: WorkflowHandle<SweepWorkflow>) => Promise<T>,
): Promise<T> {
  const workflowId = sweepWorkflowId(catalog);
  const absent =
    `${catalog} is not maintained unasked: no policy of kind "sweep" was there when the worker ` +
    'started';
  return reach<SweepWorkflow, T>(client, { workflowId, subject: catalog, absent }, ask);
}
