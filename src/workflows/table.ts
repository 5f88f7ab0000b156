/**
 * The workflow of one table: its lock and its queue. Its id is unique while it runs, it executes
 * one job at a time, and it ends when nothing is left to do, so a quiet table costs nothing.
 */

import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ApplicationFailure,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  executeChild,
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import { runWorkflowId } from '../domain/ids.ts';
import {
  type Job,
  type JobOutcome,
  type JobQueue,
  QUEUE_LIMIT,
  type QueuedJob,
  removeWaiting,
  submitJob,
  takeNext,
  viewQueue,
  withdraw,
} from '../domain/job.ts';
import * as messages from './messages.ts';
import { cancelledOutcome, outcomeOfFailure } from './outcome.ts';
import { bookkeeping } from './proxies.ts';

/** A burst of commands finds the workflow still there. */
const LINGER = '1s';
/** The server allows ten updates in flight; the rest is for those who only submit. */
const WAITING_COMMANDS_MAX = 5;

export async function table(input: messages.TableInput): Promise<void> {
  let queue: JobQueue = input.queue ?? { holder: null, waiting: [] };
  let holderScope: CancellationScope | null = null;
  let draining = false;
  let waitingCommands = 0;
  const ended = new Map<string, JobOutcome>();

  function accept(job: Job, requester: messages.SubmitInput['requester']) {
    const submission = submitJob(queue, job, requester, Date.now());
    queue = submission.queue;
    return submission;
  }

  setHandler(messages.queueQuery, () => viewQueue(input.table, queue));

  setHandler(messages.submitJobSignal, async ({ job, requester }) => {
    const submission = accept(job, requester);
    if (submission.kind === 'full') await tell(requester, queueFull(job, input.table));
    else if (submission.kind === 'queued') await recordWaiting(job);
  });

  setHandler(messages.runJobUpdate, async ({ job, wait }) => {
    const submission = accept(job, null);
    if (submission.kind === 'full') {
      const { code, message } = queueFull(job, input.table).error as {
        code: string;
        message: string;
      };
      throw ApplicationFailure.nonRetryable(message, code);
    }
    const { runId } = submission;
    const joined = runId !== job.runId;
    if (submission.kind === 'queued') await recordWaiting(job);
    if (!wait || waitingCommands >= WAITING_COMMANDS_MAX) return { kind: 'pending', runId, joined };
    waitingCommands += 1;
    await condition(() => ended.has(runId) || draining);
    waitingCommands -= 1;
    const outcome = ended.get(runId);
    if (outcome === undefined) return { kind: 'pending', runId, joined };
    return { kind: 'ended', outcome, joined };
  });

  setHandler(messages.cancelJobUpdate, async ({ runId }) => {
    if (queue.holder?.runId === runId) {
      holderScope?.cancel();
      await condition(() => ended.has(runId) || draining);
      return true;
    }
    const { queue: next, removed } = removeWaiting(queue, runId);
    queue = next;
    if (removed !== null) await drop(removed, 'taken out of the queue');
    return removed !== null;
  });

  setHandler(messages.withdrawSignal, async ({ workflowId }) => {
    const withdrawn = withdraw(queue, workflowId);
    queue = withdrawn.queue;
    if (withdrawn.orphanedHolder) holderScope?.cancel();
    for (const job of withdrawn.removed) await drop(job, 'its requester was cancelled');
  });

  async function recordWaiting(job: Job): Promise<void> {
    if (queue.holder === null || queue.holder.runId === job.runId) return;
    const workflowId = runWorkflowId(job.runId);
    await bookkeeping.recordQueued({ table: input.table, job, workflowId });
  }

  /** Tells everybody who wants to know. The queue no longer holds the job at this point. */
  async function end(job: QueuedJob, outcome: JobOutcome): Promise<void> {
    ended.set(job.runId, outcome);
    await CancellationScope.nonCancellable(async () => {
      for (const requester of job.requesters) await tell(requester, outcome);
    });
  }

  async function drop(job: QueuedJob, because: string): Promise<void> {
    const outcome = cancelledOutcome(job, because);
    await record(input.table, job, outcome);
    await end(job, outcome);
  }

  async function runHolder(): Promise<void> {
    const started = queue.holder as QueuedJob;
    holderScope = new CancellationScope();
    let outcome: JobOutcome;
    try {
      outcome = await holderScope.run(() => executeJob(input.table, started));
    } catch (error) {
      outcome = outcomeOfFailure(started, error);
      await record(input.table, started, outcome);
    }
    holderScope = null;
    // Requesters may have joined or withdrawn while it ran: tell those who are here now.
    const holder = queue.holder as QueuedJob;
    queue = { ...queue, holder: null };
    await end(holder, outcome);
  }

  for (;;) {
    queue = takeNext(queue);
    if (queue.holder !== null) await runHolder();
    else if (!(await nextJob(() => queue.waiting.length > 0))) break;
    if (workflowInfo().continueAsNewSuggested) {
      draining = true;
      await condition(allHandlersFinished);
      await continueAsNew<typeof table>({ table: input.table, queue });
    }
  }
}

/** `false`: nothing came for a while, or the table's workflow was cancelled. */
async function nextJob(arrived: () => boolean): Promise<boolean> {
  try {
    if (await condition(arrived, LINGER)) return true;
    await condition(() => arrived() || allHandlersFinished());
    return arrived();
  } catch (error) {
    if (isCancellation(error)) return false;
    throw error;
  }
}

async function executeJob(tableKey: string, job: QueuedJob): Promise<JobOutcome> {
  const workflowId = runWorkflowId(job.runId);
  const type = job.work.kind === 'transform' ? 'tableTransform' : 'tableMaintenance';
  const { submittedAtMs: _at, requesters: _who, commands: _count, ...plain } = job;
  try {
    return await executeChild<(input: messages.JobInput) => Promise<JobOutcome>>(type, {
      workflowId,
      args: [{ table: tableKey, job: plain }],
      // The lock must not be let go while the engine still works: wait for the interrupt.
      cancellationType: 'WAIT_CANCELLATION_COMPLETED',
      parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: job.title,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    // The same run was asked for again after it had ended: answer what it came to.
    const outcome = await bookkeeping.readOutcome(job.runId);
    return outcome ?? cancelledOutcome(job, `run ${job.runId} is no longer known`);
  }
}

/** For runs that could not write their own end: taken from the queue, cancelled or terminated. */
async function record(tableKey: string, job: Job, outcome: JobOutcome): Promise<void> {
  const workflowId = runWorkflowId(job.runId);
  await CancellationScope.nonCancellable(() =>
    bookkeeping.closeRun({ table: tableKey, job, workflowId, outcome }),
  );
}

async function tell(
  requester: messages.SubmitInput['requester'],
  outcome: JobOutcome,
): Promise<void> {
  if (requester === null) return;
  try {
    const askedRunId = requester.askedRunId;
    const handle = getExternalWorkflowHandle(requester.workflowId);
    await handle.signal(messages.jobEndedSignal, { askedRunId, outcome });
  } catch {
    // The requester ended meanwhile; the outcome stands in the ledger all the same.
  }
}

function queueFull(job: Job, tableKey: string): JobOutcome {
  const message =
    `${QUEUE_LIMIT} jobs wait for ${tableKey} already, ${job.title} was not accepted: ` +
    `see "icewright runs list --table ${tableKey}", cancel what is not needed, and try again`;
  return {
    ...cancelledOutcome(job, message),
    state: 'refused',
    error: { code: 'QueueFull', message },
  };
}
