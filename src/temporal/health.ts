/** The health workflow of a catalog, as workers and commands reach it. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  type WorkflowHandle,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
  WorkflowUpdateRPCTimeoutOrCancelledError,
} from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { IcewrightError, isErrorCode } from '../domain/errors.ts';
import { CONTROL_QUEUE, healthWorkflowId } from '../domain/ids.ts';
import type { HealthInput, HealthStatus, SweepReport } from '../workflows/messages.ts';
import { temporalError } from './connect.ts';

const POLL_MS = 200;
/** A worker answers within milliseconds; a busy machine's within seconds. */
const ANSWER_MS = 10_000;
/** CANCELLED, DEADLINE_EXCEEDED. */
const LATE_CODES: ReadonlySet<number> = new Set([1, 4]);

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
  return reach(client, catalog, (handle) => handle.query<HealthStatus, []>('lastReport'));
}

/** Ten seconds to a day, at once. Rejects with `UsageInvalid`. */
export async function setHealthInterval(
  client: Client,
  catalog: string,
  intervalMs: number,
): Promise<HealthStatus> {
  return reach(client, catalog, (handle) =>
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
  const { sweep } = await reach(client, catalog, (handle) =>
    handle.executeUpdate<{ sweep: number }, []>('sweepNow'),
  );
  for (;;) {
    const status = await readHealth(client, catalog).catch(passOver);
    if (status !== null && status.last !== null && status.last.sweep >= sweep) return status.last;
    onStatus(status);
    await sleep(POLL_MS);
  }
}

/** The sweep was taken on: a worker that is away comes back, and does it. */
function passOver(error: unknown): null {
  if (error instanceof IcewrightError && error.details.away === true) return null;
  throw error;
}

type HealthHandle = WorkflowHandle<HealthWorkflow>;

async function reach<T>(
  client: Client,
  catalog: string,
  ask: (handle: HealthHandle) => Promise<T>,
): Promise<T> {
  const handle = client.workflow.getHandle<HealthWorkflow>(healthWorkflowId(catalog));
  try {
    return await client.withDeadline(Date.now() + ANSWER_MS, () => ask(handle));
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notSwept(catalog);
    if (isLate(error)) throw noWorker(catalog);
    const cause = error instanceof WorkflowUpdateFailedError ? error.cause : null;
    if (cause instanceof ApplicationFailure && isErrorCode(cause.type)) {
      throw new IcewrightError(cause.type, cause.message);
    }
    throw temporalError(error);
  }
}

/** gRPC's DEADLINE_EXCEEDED, or CANCELLED from the client's side of it, wherever the SDK put it. */
function isLate(error: unknown): boolean {
  if (error instanceof WorkflowUpdateRPCTimeoutOrCancelledError) return true;
  if (isGrpcServiceError(error) && LATE_CODES.has(error.code)) return true;
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause !== undefined && cause !== error && isLate(cause);
}

function noWorker(catalog: string): IcewrightError {
  return new IcewrightError(
    'WorkerUnavailable',
    `no worker answered for ${catalog} within ${ANSWER_MS / 1_000} s: does one run? ` +
      'See "icewright stack status"',
    { catalog, workflowId: healthWorkflowId(catalog), away: true },
  );
}

function notSwept(catalog: string): IcewrightError {
  return new IcewrightError(
    'WorkerUnavailable',
    `the tables of ${catalog} are not being swept: a worker starts that when it starts`,
    { catalog, workflowId: healthWorkflowId(catalog) },
  );
}
