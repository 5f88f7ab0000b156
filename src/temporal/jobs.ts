/** Asks a table's workflow for jobs, starting it when it is not there. */
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type Client,
  isGrpcServiceError,
  WithStartWorkflowOperation,
  WorkflowFailedError,
  WorkflowNotFoundError,
  WorkflowUpdateFailedError,
} from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { IcewrightError, isErrorCode } from '../domain/errors.ts';
import { CONTROL_QUEUE, runWorkflowId, tableWorkflowId } from '../domain/ids.ts';
import {
  cancelledOutcome,
  emptyOutcome,
  type Job,
  type JobOutcome,
  type QueueView,
  type Requester,
  TAKEN_OUT,
} from '../domain/job.ts';
import type { AcceptedJob, CancelAnswer, SubmitInput, TableInput } from '../workflows/messages.ts';
import { temporalError } from './connect.ts';

/** About ten seconds. */
const ATTEMPTS_MAX = 14;
/** A run starts within milliseconds of its acceptance, or waits for others for minutes. */
const START_POLL_MIN_MS = 8;
const START_POLL_MAX_MS = 500;

type TableWorkflow = (input: TableInput) => Promise<void>;

/** Puts the job into the queue; the table's workflow signals `requester` when it ends. */
export async function submitJob(
  client: Client,
  input: { readonly table: string; readonly job: Job; readonly requester: Requester | null },
): Promise<void> {
  const { table, job, requester } = input;
  try {
    await client.workflow.signalWithStart<TableWorkflow, [SubmitInput]>('table', {
      workflowId: tableWorkflowId(table),
      taskQueue: CONTROL_QUEUE,
      args: [{ table }],
      signal: 'submitJob',
      signalArgs: [{ job, requester }],
      staticSummary: table,
    });
  } catch (error) {
    throw temporalError(error);
  }
}

/** Puts a command's job into the queue, where it may join an equal one. */
export async function requestJob(client: Client, table: string, job: Job): Promise<AcceptedJob> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.workflow.executeUpdateWithStart<TableWorkflow, AcceptedJob, [Job]>(
        'requestJob',
        {
          args: [job],
          startWorkflowOperation: new WithStartWorkflowOperation('table', {
            workflowId: tableWorkflowId(table),
            taskQueue: CONTROL_QUEUE,
            args: [{ table } satisfies TableInput],
            workflowIdConflictPolicy: 'USE_EXISTING',
            staticSummary: table,
          }),
        },
      );
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== null) throw refusal;
      // The table's workflow ended between our request and its answer, or ten requests are in
      // flight already: ask again. The run id makes a repeated request join the first.
      if (attempt >= ATTEMPTS_MAX || !isTransient(error)) throw temporalError(error);
      await sleep(Math.min(100 * attempt, 1_000));
    }
  }
}

/** Waits for the end of a run that is queued or running, however long it takes. */
export async function awaitRun(client: Client, table: string, runId: string): Promise<JobOutcome> {
  const handle = client.workflow.getHandle<(input: unknown) => Promise<JobOutcome>>(
    runWorkflowId(runId),
  );
  let absences = 0;
  for (let waitMs = START_POLL_MIN_MS; ; waitMs = Math.min(2 * waitMs, START_POLL_MAX_MS)) {
    try {
      return await handle.result();
    } catch (error) {
      if (error instanceof WorkflowFailedError) return outcomeOfEnd(runId, error);
      if (!(error instanceof WorkflowNotFoundError)) throw temporalError(error);
    }
    // Not started yet: it still waits, unless it was taken out of the queue.
    await sleep(waitMs);
    if (waitMs < START_POLL_MAX_MS) continue;
    absences = (await isQueued(client, table, runId)) ? 0 : absences + 1;
    if (absences >= 2) return cancelledOutcome(runId, TAKEN_OUT);
  }
}

/** A run that could not tell its own end. */
function outcomeOfEnd(runId: string, { cause }: WorkflowFailedError): JobOutcome {
  if (cause instanceof CancelledFailure) {
    return cancelledOutcome(runId, `run ${runId} was cancelled`);
  }
  const message = `run ${runId} was ended from outside: ${cause?.message ?? 'no reason given'}`;
  return { ...emptyOutcome(runId), state: 'failed', error: { code: 'Internal', message } };
}

/** Also while nobody answers because the worker is away. */
async function isQueued(client: Client, table: string, runId: string): Promise<boolean> {
  const queue = await readQueue(client, table).catch(() => 'unknown' as const);
  if (queue === 'unknown') return true;
  return [queue?.holder, ...(queue?.waiting ?? [])].some((job) => job?.runId === runId);
}

/** Who holds the table and who waits; `null` when its workflow does not run. */
export async function readQueue(client: Client, table: string): Promise<QueueView | null> {
  try {
    const handle = client.workflow.getHandle(tableWorkflowId(table));
    const { status } = await handle.describe();
    return status.name === 'RUNNING' ? await handle.query<QueueView, []>('queue') : null;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw error;
  }
}

/** Whether a workflow is open; one that is not known is not. */
export async function isRunning(client: Client, workflowId: string): Promise<boolean> {
  try {
    const { status } = await client.workflow.getHandle(workflowId).describe();
    return status.name === 'RUNNING';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw temporalError(error);
  }
}

/**
 * Takes a job out of the queue or stops it in its engine, and answers what it came to: a job that
 * committed before the cancellation reached it is `done`. `null`: it is not there.
 */
export async function cancelJob(
  client: Client,
  table: string,
  runId: string,
): Promise<JobOutcome | null> {
  try {
    const handle = client.workflow.getHandle(tableWorkflowId(table));
    const answer = await handle.executeUpdate<CancelAnswer, [{ runId: string }]>('cancelJob', {
      args: [{ runId }],
    });
    if (answer === 'absent') return null;
    if (answer === 'dropped') return cancelledOutcome(runId, TAKEN_OUT);
    return await awaitRun(client, table, runId);
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    throw temporalError(error);
  }
}

/** A refusal that the table's workflow gave with one of our codes. */
function refusalOf(error: unknown): IcewrightError | null {
  const cause = error instanceof WorkflowUpdateFailedError ? error.cause : error;
  if (!(cause instanceof ApplicationFailure) || !isErrorCode(cause.type)) return null;
  return new IcewrightError(cause.type, cause.message);
}

function isTransient(error: unknown): boolean {
  if (error instanceof WorkflowNotFoundError || isGrpcServiceError(error)) return true;
  const cause = (error as { cause?: unknown } | null)?.cause;
  return cause !== undefined && cause !== error && isTransient(cause);
}

/**
 * Ends a night, which takes back what it asked of its tables, and answers how it ended: one that
 * had just finished is `done`. `null`: it does not run.
 */
export async function cancelNight(
  client: Client,
  workflowId: string,
): Promise<'done' | 'failed' | 'cancelled' | null> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    await handle.cancel();
    await handle.result();
    return 'done';
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    if (error instanceof WorkflowFailedError) {
      return error.cause instanceof CancelledFailure ? 'cancelled' : 'failed';
    }
    throw temporalError(error);
  }
}
