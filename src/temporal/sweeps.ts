/** The workflow that maintains a catalog unasked, as workers and commands reach it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { IcewrightError } from '../domain/errors.ts';
import { CONTROL_QUEUE, sweepWorkflowId } from '../domain/ids.ts';
import type {
  MaintenanceInput,
  MaintenanceStatus,
  MaintenanceSweepReport,
} from '../workflows/sweep-messages.ts';
import { temporalError } from './connect.ts';
import { passOver, reach } from './reach.ts';

const POLL_MS = 500;
/** Among what is asked for; see `MaintenanceStatus`. */
const EVERY_POLICY = '*';

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
 * Sweeps now under one policy, or each; answers the reports once there are all. Rejects with
 * `UsageInvalid` when there is no such policy, with the reason when the policies cannot be read.
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
    const reports = status === null ? null : answerOf(status, { policy, sweep });
    if (reports !== null) return reports;
    onStatus(status);
    await sleep(POLL_MS);
  }
}

/** `null`: not yet. Throws why there will be no answer: the wish was dropped. */
function answerOf(
  { asked, now, policies, unreadable, catalog }: MaintenanceStatus,
  { policy, sweep }: { readonly policy: string | null; readonly sweep: number },
): readonly MaintenanceSweepReport[] | null {
  const wanted = policies.filter((one) => policy === null || one.policy === policy);
  const reports = wanted.flatMap(({ last }) => (last !== null && last.sweep >= sweep ? last : []));
  if (reports.length > 0 && reports.length === wanted.length) return reports;
  const mine = (name: string) => policy === null || name === policy || name === EVERY_POLICY;
  if (asked.some(mine) || (now !== null && mine(now.policy))) return null;
  if (unreadable !== null) throw new IcewrightError(unreadable.code, unreadable.message);
  // One that was written meanwhile was not asked for.
  if (reports.length > 0) return reports;
  const what = policy === null ? 'no sweep policy' : `no sweep policy ${policy}`;
  throw new IcewrightError('UsageInvalid', `there is ${what} for ${catalog} any more`);
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
