/** Asks a table's workflow for jobs, starting it when it is not there. */
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
import type { Job, JobOutcome, QueueView, Requester } from '../domain/job.ts';
import type { RunJobInput, RunJobResult, SubmitInput, TableInput } from '../workflows/messages.ts';
import { temporalError } from './connect.ts';

/** About ten seconds. */
const ATTEMPTS_MAX = 14;

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

/**
 * Submits a job for a command. With `wait`, resolves when the job has ended; it may have joined an
 * equal job, whose run id the outcome then carries.
 */
export async function runJob(
  client: Client,
  input: {
    readonly table: string;
    readonly job: Job;
    readonly wait: boolean;
    readonly onAccepted?: (runId: string, joined: boolean) => void;
  },
): Promise<RunJobResult> {
  const { table, job, wait } = input;
  const first = await updateTable(client, table, { job, wait });
  if (first.kind === 'ended' || !wait) return first;
  input.onAccepted?.(first.runId, first.joined);
  const outcome = await awaitRun(client, table, first.runId);
  return { kind: 'ended', outcome, joined: first.joined };
}

async function updateTable(
  client: Client,
  table: string,
  input: RunJobInput,
): Promise<RunJobResult> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await client.workflow.executeUpdateWithStart<
        TableWorkflow,
        RunJobResult,
        [RunJobInput]
      >('runJob', {
        args: [input],
        startWorkflowOperation: new WithStartWorkflowOperation('table', {
          workflowId: tableWorkflowId(table),
          taskQueue: CONTROL_QUEUE,
          args: [{ table } satisfies TableInput],
          workflowIdConflictPolicy: 'USE_EXISTING',
          staticSummary: table,
        }),
      });
    } catch (error) {
      const refusal = refusalOf(error);
      if (refusal !== null) throw refusal;
      // The table's workflow ended between our request and its answer, or ten requests are in
      // flight already: ask again. The run id makes a repeated request join the first.
      if (attempt >= ATTEMPTS_MAX || !isTransient(error)) throw temporalError(error);
      await new Promise((resume) => setTimeout(resume, Math.min(100 * attempt, 1_000)));
    }
  }
}

/** Waits for a run that is queued or running, however long it takes. */
async function awaitRun(client: Client, table: string, runId: string): Promise<JobOutcome> {
  const handle = client.workflow.getHandle<(input: unknown) => Promise<JobOutcome>>(
    runWorkflowId(runId),
  );
  let absences = 0;
  for (;;) {
    try {
      return await handle.result();
    } catch (error) {
      if (error instanceof WorkflowFailedError && error.cause instanceof CancelledFailure) {
        throw new IcewrightError('Cancelled', `run ${runId} was cancelled`, { runId });
      }
      if (!(error instanceof WorkflowNotFoundError)) throw error;
      // Not started yet: it still waits, unless it was taken out of the queue.
      // Nobody answers while the worker is away: then it waits as well.
      const queue = await readQueue(client, table).catch(() => 'unknown' as const);
      const waits =
        queue === 'unknown' ||
        [queue?.holder, ...(queue?.waiting ?? [])].some((job) => job?.runId === runId);
      absences = waits ? 0 : absences + 1;
      if (absences >= 3) {
        throw new IcewrightError('Cancelled', `run ${runId} was taken out of the queue`, { runId });
      }
      await new Promise((resume) => setTimeout(resume, 300));
    }
  }
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

/** Takes a job out of the queue or stops it in the engine; `false` when it is not there. */
export async function cancelJob(client: Client, table: string, runId: string): Promise<boolean> {
  try {
    const handle = client.workflow.getHandle(tableWorkflowId(table));
    return await handle.executeUpdate<boolean, [{ runId: string }]>('cancelJob', {
      args: [{ runId }],
    });
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
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

/** Asks a night to stop; it takes back what it asked of its tables. `false`: it does not run. */
export async function cancelNight(client: Client, workflowId: string): Promise<boolean> {
  try {
    await client.workflow.getHandle(workflowId).cancel();
    return true;
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return false;
    throw error;
  }
}
