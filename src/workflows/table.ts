/**
 * The workflow of one table: its lock and its queue. Its id is unique while it runs, it executes
 * one job at a time, and it ends when nothing is left to do, so a quiet table costs nothing.
 */
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  continueAsNew,
  executeChild,
  isCancellation,
  ParentClosePolicy,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import { runWorkflowId } from '../domain/ids.ts';
import { cancelledOutcome, type JobOutcome, type JobWork, type QueuedJob } from '../domain/job.ts';
import * as messages from './messages.ts';
import { control } from './proxies.ts';
import { TableQueue } from './table-queue.ts';

/** A burst of commands finds the workflow still there. */
const LINGER = '1s';
/** Ten minutes: an engine ends a statement within seconds. */
const ASK_FOR_END_EVERY = '5s';
const ASK_FOR_END_TIMES = 120;

const WORKFLOW_OF: Readonly<Record<JobWork['kind'], string>> = {
  transform: 'tableTransform',
  apply_plan: 'tableMaintenance',
  by_hand: 'tableMaintenance',
  erase: 'tableErasure',
};

export async function table(input: messages.TableInput): Promise<void> {
  const jobs = new TableQueue(input.table, input.queue ?? { holder: null, waiting: [] });
  setHandler(messages.queueQuery, () => jobs.view());
  setHandler(messages.submitJobSignal, ({ job, requester }) => jobs.submit(job, requester));
  setHandler(messages.requestJobUpdate, (job) => jobs.request(job));
  setHandler(messages.cancelJobUpdate, ({ runId }) => jobs.cancel(runId));
  setHandler(messages.withdrawSignal, ({ workflowId }) => jobs.withdraw(workflowId));
  for (;;) {
    const ran = await jobs.runNext((job) => executeJob(input.table, job));
    if (!ran && !(await nextJob(() => jobs.queue.waiting.length > 0))) return;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof table>({ table: input.table, queue: jobs.queue });
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
  const type = WORKFLOW_OF[job.work.kind];
  const { submittedAtMs: _at, requesters: _who, commands: _n, closed: _c, ...plain } = job;
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
    // The same run was asked for again after it had ended, or while it still ends under an earlier
    // run of this workflow that was terminated: answer what it comes to, and keep the lock till
    // then.
    for (let asked = 0; asked < ASK_FOR_END_TIMES; asked += 1) {
      const outcome = await control.readOutcome(job.runId);
      if (outcome !== null) return outcome;
      await sleep(ASK_FOR_END_EVERY);
    }
    return cancelledOutcome(job.runId, `run ${job.runId} is no longer known`);
  }
}
