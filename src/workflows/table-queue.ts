/**
 * The queue of a table's workflow, guarded: messages arrive at any await. What becomes of the queue
 * is decided by pure functions of the domain; here it is kept, recorded and told.
 */
import {
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  log,
} from '@temporalio/workflow';
import { runWorkflowId } from '../domain/ids.ts';
import {
  type Job,
  type JobOutcome,
  type JobQueue,
  markCancelling,
  QUEUE_LIMIT,
  type QueuedJob,
  type QueueView,
  type Requester,
  removeWaiting,
  submitJob,
  takeNext,
  viewQueue,
  withdraw,
} from '../domain/job.ts';
import { jobEndedSignal, type RunJobInput, type RunJobResult } from './messages.ts';
import { cancelledOutcome, outcomeOfFailure } from './outcome.ts';
import { control } from './proxies.ts';

// No local activities in this workflow: an update that is accepted before and completed after one,
// within the same workflow task, cannot be replayed (seen with SDK 1.24: "UpdateMachine in state
// CompletedCommandCreated"). test/workflows/table.test.ts meets it with forty commands at once.

/** The server allows ten updates in flight; the rest is for those who only submit. */
const WAITING_COMMANDS_MAX = 5;

export class TableQueue {
  queue: JobQueue;
  /** Set before continue-as-new: waiting commands are answered and ask again. */
  draining = false;
  private readonly table: string;
  private readonly ended = new Map<string, JobOutcome>();
  private holderScope: CancellationScope | null = null;
  private waitingCommands = 0;

  constructor(table: string, queue: JobQueue) {
    this.table = table;
    this.queue = queue;
  }

  view(): QueueView {
    return viewQueue(this.table, this.queue);
  }

  /** From a workflow: its end is told by signal. */
  async submit(job: Job, requester: Requester | null): Promise<void> {
    const submission = submitJob(this.queue, job, requester, Date.now());
    this.queue = submission.queue;
    if (submission.kind === 'full') await tell(requester, this.fullOutcome(job));
    else if (submission.kind === 'queued') await this.recordWaiting(job);
  }

  /** From a command: answered when the job has ended, or at once when it is not to wait. */
  async run({ job, wait }: RunJobInput): Promise<RunJobResult> {
    const submission = submitJob(this.queue, job, null, Date.now());
    this.queue = submission.queue;
    const { runId, kind } = submission;
    if (kind === 'full') throw ApplicationFailure.nonRetryable(this.fullMessage(job), 'QueueFull');
    const joined = runId !== job.runId;
    if (kind === 'queued') await this.recordWaiting(job);
    if (!wait || this.waitingCommands >= WAITING_COMMANDS_MAX) {
      return { kind: 'pending', runId, joined };
    }
    this.waitingCommands += 1;
    await condition(() => this.ended.has(runId) || this.draining);
    this.waitingCommands -= 1;
    const outcome = this.ended.get(runId);
    return outcome === undefined
      ? { kind: 'pending', runId, joined }
      : { kind: 'ended', outcome, joined };
  }

  /** Stops the holder and waits for its end, or takes a waiting job out. */
  async cancel(runId: string): Promise<boolean> {
    if (this.queue.holder?.runId === runId) {
      this.cancelHolder();
      await condition(() => this.ended.has(runId) || this.draining);
      return true;
    }
    const { queue, removed } = removeWaiting(this.queue, runId);
    this.queue = queue;
    if (removed !== null) await this.drop(removed, 'taken out of the queue');
    return removed !== null;
  }

  async withdraw(workflowId: string): Promise<void> {
    const { queue, removed, orphanedHolder } = withdraw(this.queue, workflowId);
    this.queue = queue;
    if (orphanedHolder) this.cancelHolder();
    for (const job of removed) await this.drop(job, 'its requester was cancelled');
  }

  /** From now on nobody joins it: an equal request is a new wish. */
  private cancelHolder(): void {
    this.queue = markCancelling(this.queue);
    this.holderScope?.cancel();
  }

  /** Takes the most urgent job and sees it to its end. `false`: none waits. */
  async runNext(execute: (job: QueuedJob) => Promise<JobOutcome>): Promise<boolean> {
    this.queue = takeNext(this.queue);
    const started = this.queue.holder;
    if (started === null) return false;
    this.holderScope = new CancellationScope();
    let outcome: JobOutcome;
    try {
      outcome = await this.holderScope.run(() => execute(started));
    } catch (error) {
      outcome = outcomeOfFailure(started, error);
      await this.record(started, outcome);
    }
    this.holderScope = null;
    // Requesters may have joined or withdrawn while it ran: tell those who are here now.
    const holder = this.queue.holder as QueuedJob;
    this.queue = { ...this.queue, holder: null };
    await this.end(holder, outcome);
    return true;
  }

  /** Tells everybody who wants to know. The queue no longer holds the job at this point. */
  private async end(job: QueuedJob, outcome: JobOutcome): Promise<void> {
    this.ended.set(job.runId, outcome);
    await CancellationScope.nonCancellable(async () => {
      for (const requester of job.requesters) await tell(requester, outcome);
    });
  }

  private async drop(job: QueuedJob, because: string): Promise<void> {
    const outcome = cancelledOutcome(job, because);
    await this.record(job, outcome);
    await this.end(job, outcome);
  }

  /** For runs that could not write their own end: taken from the queue, cancelled, terminated. */
  private async record(job: Job, outcome: JobOutcome): Promise<void> {
    const input = { table: this.table, job, workflowId: runWorkflowId(job.runId), outcome };
    await CancellationScope.nonCancellable(() => secondary(control.closeRun(input)));
  }

  /** A job that can start at once writes its row itself. */
  private async recordWaiting(job: Job): Promise<void> {
    if (this.queue.holder === null || this.queue.holder.runId === job.runId) return;
    const workflowId = runWorkflowId(job.runId);
    await secondary(control.recordQueued({ table: this.table, job, workflowId }));
  }

  private fullOutcome(job: Job): JobOutcome {
    const error = { code: 'QueueFull', message: this.fullMessage(job) } as const;
    return { ...cancelledOutcome(job, error.message), state: 'refused', error };
  }

  private fullMessage(job: Job): string {
    return (
      `${QUEUE_LIMIT} jobs wait for ${this.table} already, ${job.title} was not accepted: see ` +
      `"icewright runs list --table ${this.table}", cancel what is not needed, and try again`
    );
  }
}

/** A ledger that refuses a row must not bring down the table's lock and queue with it. */
async function secondary(bookkeeping: Promise<void>): Promise<void> {
  try {
    await bookkeeping;
  } catch (error) {
    if (isCancellation(error)) throw error;
    log.error('a run could not be written to the ledger', { error: String(error) });
  }
}

async function tell(requester: Requester | null, outcome: JobOutcome): Promise<void> {
  if (requester === null) return;
  try {
    const { workflowId, askedRunId } = requester;
    await getExternalWorkflowHandle(workflowId).signal(jobEndedSignal, { askedRunId, outcome });
  } catch {
    // The requester ended meanwhile; the outcome stands in the ledger all the same.
  }
}
