/**
 * The queue of a table's workflow, guarded: messages arrive at any await. What becomes of the queue
 * is decided by pure functions of the domain; here it is kept, recorded and told.
 */
import {
  ApplicationFailure,
  CancellationScope,
  getExternalWorkflowHandle,
  isCancellation,
  log,
} from '@temporalio/workflow';
import { runWorkflowId } from '../domain/ids.ts';
import {
  cancelledOutcome,
  closeHolder,
  type Job,
  type JobOutcome,
  type JobQueue,
  QUEUE_LIMIT,
  type QueuedJob,
  type QueueView,
  type Requester,
  removeWaiting,
  type Submission,
  submitJob,
  TAKEN_OUT,
  takeNext,
  viewQueue,
  withdraw,
} from '../domain/job.ts';
import { type AcceptedJob, type CancelAnswer, jobEndedSignal } from './messages.ts';
import { outcomeOfFailure } from './outcome.ts';
import { control, hastyControl } from './proxies.ts';

// No local activities in this workflow: an update that is accepted before and completed after one,
// within the same workflow task, cannot be replayed (seen with SDK 1.24: "UpdateMachine in state
// CompletedCommandCreated"). test/workflows/table.test.ts meets it with forty commands at once.

/** A submission that waits for the ledger's word. */
interface Arrival {
  readonly job: Job;
  readonly requester: Requester | null;
  /** Taken back meanwhile. */
  gone: boolean;
}

export class TableQueue {
  queue: JobQueue;
  private readonly table: string;
  private readonly arriving = new Set<Arrival>();
  private holderScope: CancellationScope | null = null;

  constructor(table: string, queue: JobQueue) {
    this.table = table;
    this.queue = queue;
  }

  view(): QueueView {
    return viewQueue(this.table, this.queue);
  }

  /** From a workflow: its end is told by signal. */
  async submit(job: Job, requester: Requester | null): Promise<void> {
    const kind = await this.enqueue(job, requester).then((one) => one.kind);
    if (kind === 'full') await tell(requester, this.fullOutcome(job));
  }

  /** From a command. */
  async request(job: Job): Promise<AcceptedJob> {
    const { kind, runId } = await this.enqueue(job, null);
    if (kind === 'full') throw ApplicationFailure.nonRetryable(this.fullMessage(job), 'QueueFull');
    return { runId, joined: runId !== job.runId };
  }

  private async enqueue(
    job: Job,
    requester: Requester | null,
  ): Promise<Pick<Submission, 'runId'> & { readonly kind: Submission['kind'] | 'gone' }> {
    const arrival: Arrival = { job, requester, gone: false };
    this.arriving.add(arrival);
    await this.closeEndedHolder(job);
    this.arriving.delete(arrival);
    if (arrival.gone) return { kind: 'gone', runId: job.runId };
    const submission = submitJob(this.queue, job, requester, Date.now());
    this.queue = submission.queue;
    if (submission.kind === 'queued') await this.recordWaiting(job);
    return submission;
  }

  /**
   * Whoever waits for a run may see its end before this workflow does, and ask for the same again:
   * that is a new wish. The ledger, written before a run ends, knows.
   */
  private async closeEndedHolder(job: Job): Promise<void> {
    const { kind, runId } = submitJob(this.queue, job, null, Date.now());
    const joins = kind === 'joined' && runId !== job.runId && runId === this.queue.holder?.runId;
    if (!joins || !(await hasEnded(runId))) return;
    if (this.queue.holder?.runId === runId) this.queue = closeHolder(this.queue);
  }

  async cancel(runId: string): Promise<CancelAnswer> {
    const arrival = [...this.arriving].find((one) => one.job.runId === runId);
    if (arrival !== undefined) {
      arrival.gone = true;
      return 'dropped';
    }
    if (this.queue.holder?.runId === runId) {
      this.cancelHolder();
      return 'ending';
    }
    const { queue, removed } = removeWaiting(this.queue, runId);
    this.queue = queue;
    if (removed === null) return 'absent';
    await this.drop(removed, TAKEN_OUT);
    return 'dropped';
  }

  async withdraw(workflowId: string): Promise<void> {
    for (const arrival of this.arriving) {
      if (arrival.requester?.workflowId === workflowId) arrival.gone = true;
    }
    const { queue, removed, orphanedHolder } = withdraw(this.queue, workflowId);
    this.queue = queue;
    if (orphanedHolder) this.cancelHolder();
    for (const job of removed) await this.drop(job, 'its requester was cancelled');
  }

  private cancelHolder(): void {
    this.queue = closeHolder(this.queue);
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
    await CancellationScope.nonCancellable(async () => {
      for (const requester of job.requesters) await tell(requester, outcome);
    });
  }

  private async drop(job: QueuedJob, because: string): Promise<void> {
    const outcome = cancelledOutcome(job.runId, because);
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
    const input = { table: this.table, job, workflowId };
    await CancellationScope.nonCancellable(() => secondary(control.recordQueued(input)));
  }

  private fullOutcome(job: Job): JobOutcome {
    const error = { code: 'QueueFull', message: this.fullMessage(job) } as const;
    return { ...cancelledOutcome(job.runId, error.message), state: 'refused', error };
  }

  private fullMessage(job: Job): string {
    return (
      `${QUEUE_LIMIT} jobs wait for ${this.table} already, ${job.title} was not accepted: see ` +
      `"icewright runs list --table ${this.table}", cancel what is not needed, and try again`
    );
  }
}

/** Never throws: what fails in a handler of a signal would bring the table's workflow down. */
async function hasEnded(runId: string): Promise<boolean> {
  try {
    return (await hastyControl.readOutcome(runId)) !== null;
  } catch (error) {
    log.warn('the ledger did not tell whether a run has ended', { runId, error: String(error) });
    return false;
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
