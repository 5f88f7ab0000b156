/** What a workflow has asked of tables: submitted, waited for, and taken back when it is cancelled. */
import {
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
} from '@temporalio/workflow';
import { tableWorkflowId } from '../domain/ids.ts';
import type { Job, JobOutcome, Requester } from '../domain/job.ts';
import { jobEndedSignal, withdrawSignal } from './messages.ts';
import { outcomeOfFailure } from './outcome.ts';
import { control } from './proxies.ts';

/** A table's workflow that was terminated tells nobody: ask the ledger this often. */
const ASK_AGAIN = '5 minutes';

export interface TableRequest {
  readonly table: string;
  readonly job: Job;
  readonly requester: Requester;
}

/** Guarded here because signals arrive at any await. One for each workflow. */
export class TableRequests {
  /** Jobs that may be under way at once. */
  concurrency = 1;
  private readonly workflowId: string;
  private readonly submit: (request: TableRequest) => Promise<void>;
  private readonly counts: boolean;
  private underWay = 0;
  /** Those that wait for room, in the order in which they asked. */
  private readonly line: object[] = [];
  private readonly ended = new Map<string, JobOutcome>();
  private readonly asked = new Set<string>();

  /** @param counts `false`: as executions before version 0.2 let in, all who came together */
  constructor(workflowId: string, submit: (request: TableRequest) => Promise<void>, counts = true) {
    this.workflowId = workflowId;
    this.submit = submit;
    this.counts = counts;
    setHandler(jobEndedSignal, ({ askedRunId, outcome }) => {
      this.ended.set(askedRunId, outcome);
    });
  }

  /** Submits a job when there is room, and waits until its table's workflow tells its end. */
  async ask(table: string, job: Job): Promise<JobOutcome> {
    await this.enter();
    try {
      return await this.askNow(table, job);
    } catch (error) {
      if (isCancellation(error)) throw error;
      // A table that cannot be asked stops nothing but what depends on it.
      return outcomeOfFailure(job, error);
    } finally {
      this.underWay -= 1;
    }
  }

  /** Until one more may be under way. Conditions of several waiters may come true at once. */
  async room(): Promise<void> {
    while (this.underWay >= this.concurrency) {
      await condition(() => this.underWay < this.concurrency);
    }
  }

  private async enter(): Promise<void> {
    if (this.counts) return this.waitInLine();
    await condition(() => this.underWay < this.concurrency);
    this.underWay += 1;
  }

  /** Who asked first goes first: what follows a job that ends must not overtake what waits. */
  private async waitInLine(): Promise<void> {
    const place = {};
    this.line.push(place);
    const isNext = () => this.line[0] === place && this.underWay < this.concurrency;
    try {
      if (!isNext()) await condition(isNext);
      // Nothing is awaited between the check and this.
      this.underWay += 1;
    } finally {
      this.line.splice(this.line.indexOf(place), 1);
    }
  }

  private async askNow(table: string, job: Job): Promise<JobOutcome> {
    const requester = { workflowId: this.workflowId, askedRunId: job.runId };
    this.asked.add(table);
    for (;;) {
      // Asking twice under one run id is harmless: the second request joins the first.
      await this.submit({ table, job, requester });
      if (await condition(() => this.ended.has(job.runId), ASK_AGAIN)) break;
      const outcome = await control.readOutcome(job.runId);
      if (outcome !== null) this.ended.set(job.runId, outcome);
    }
    return this.ended.get(job.runId) as JobOutcome;
  }

  /** Waiting jobs leave their queues, running ones are cancelled. */
  async withdrawAll(): Promise<void> {
    const { workflowId } = this;
    for (const table of this.asked) {
      try {
        const handle = getExternalWorkflowHandle(tableWorkflowId(table));
        await handle.signal(withdrawSignal, { workflowId });
      } catch {
        // That table's workflow has ended: nothing of ours is left there.
      }
    }
  }

  /** Everything that was asked for has ended: names and outcomes need not be kept. */
  forget(): void {
    this.asked.clear();
    this.ended.clear();
  }
}
