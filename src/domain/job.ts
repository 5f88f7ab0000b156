/**
 * The queue of a table's workflow, as pure functions. Whatever changes a table is a job; one runs
 * at a time, the most urgent first, and an equal request joins the job that is already there.
 */
import type { ErrorCode } from './errors.ts';
import type { HandRequest } from './hand-request.ts';
import type { Receipt } from './receipt.ts';

/** In order of urgency. */
export const JOB_KINDS = ['erasure', 'manual', 'transform', 'maintenance'] as const;
export type JobKind = (typeof JOB_KINDS)[number];

export type JobWork =
  | { readonly kind: 'transform'; readonly model: string; readonly fullRefresh: boolean }
  | { readonly kind: 'apply_plan'; readonly planId: string }
  | { readonly kind: 'by_hand'; readonly request: HandRequest }
  | { readonly kind: 'erase'; readonly batchId: string };

export interface Job {
  readonly runId: string;
  readonly kind: JobKind;
  /** Equal keys are the same wish: the second requester joins the first one's job. */
  readonly dedupeKey: string;
  /** For people: `compact zorder(customer_id, ts)`, `transform silver.orders`. */
  readonly title: string;
  readonly requestedBy: string;
  readonly parentRunId: string | null;
  readonly work: JobWork;
}

/** A workflow that wants a `jobEnded` signal, under the run id that it asked with. */
export interface Requester {
  readonly workflowId: string;
  readonly askedRunId: string;
}

export interface QueuedJob extends Job {
  readonly submittedAtMs: number;
  readonly requesters: readonly Requester[];
  /** Requests that came from outside any workflow (a command): they cannot be withdrawn. */
  readonly commands: number;
  /** Being cancelled, or ended already: an equal request queues behind it and does not join. */
  readonly closed?: boolean;
}

export interface JobOutcome {
  /** The run that did it; differs from the run asked for when the request was joined. */
  readonly runId: string;
  readonly state: 'done' | 'failed' | 'refused' | 'cancelled';
  readonly planId: string | null;
  readonly receipts: readonly Receipt[];
  readonly transform: TransformOutcome | null;
  readonly error: JobError | null;
}

/** An outcome of which nothing is known but that it came to an end. */
export function emptyOutcome(runId: string): JobOutcome {
  return { runId, state: 'done', planId: null, receipts: [], transform: null, error: null };
}

export function cancelledOutcome(runId: string, message: string): JobOutcome {
  return { ...emptyOutcome(runId), state: 'cancelled', error: { code: 'Cancelled', message } };
}

export interface JobError {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** What a model run did, or why it did nothing. */
export interface TransformOutcome {
  readonly model: string;
  readonly status: 'done' | 'noop' | 'skipped' | 'failed';
  readonly rowsWritten: number;
  readonly snapshotId: string | null;
  /** Input table → snapshot id that was read. */
  readonly inputs: Readonly<Record<string, string>>;
  readonly because: string;
}

/** What a table's workflow answers when asked who holds the table and who waits. */
export interface QueueView {
  readonly table: string;
  readonly holder: QueueEntry | null;
  readonly waiting: readonly QueueEntry[];
}

export interface QueueEntry {
  readonly runId: string;
  readonly kind: JobKind;
  readonly title: string;
  readonly requestedBy: string;
  readonly submittedAt: string;
  readonly joined: number;
}

/** What became of a job that was cancelled while it waited. */
export const TAKEN_OUT = 'taken out of the queue';

/** More waiting jobs than this for one table is a fault of the requesters. */
export const QUEUE_LIMIT = 100;

export interface JobQueue {
  readonly holder: QueuedJob | null;
  readonly waiting: readonly QueuedJob[];
}

export type Submission =
  | { readonly kind: 'queued' | 'joined'; readonly runId: string; readonly queue: JobQueue }
  | { readonly kind: 'full'; readonly runId: string; readonly queue: JobQueue };

/** Adds a job, or joins the one with the same key (or the same run id, asked again). */
export function submitJob(
  queue: JobQueue,
  job: Job,
  requester: Requester | null,
  nowMs: number,
): Submission {
  const same = (there: QueuedJob) =>
    there.runId === job.runId || (there.dedupeKey === job.dedupeKey && !there.closed);
  const held = queue.holder !== null && same(queue.holder) ? queue.holder : undefined;
  const found = held ?? queue.waiting.find(same);
  if (found !== undefined) {
    const asked = found.runId !== job.runId && requester === null ? 1 : 0;
    const joined = {
      ...found,
      requesters: addRequester(found.requesters, requester),
      commands: found.commands + asked,
    };
    const next =
      found === held
        ? { ...queue, holder: joined }
        : { ...queue, waiting: queue.waiting.map((one) => (one === found ? joined : one)) };
    return { kind: 'joined', runId: found.runId, queue: next };
  }
  if (queue.waiting.length >= QUEUE_LIMIT) return { kind: 'full', runId: job.runId, queue };
  const queued: QueuedJob = {
    ...job,
    submittedAtMs: nowMs,
    requesters: addRequester([], requester),
    commands: requester === null ? 1 : 0,
  };
  return {
    kind: 'queued',
    runId: job.runId,
    queue: { ...queue, waiting: [...queue.waiting, queued] },
  };
}

function addRequester(there: readonly Requester[], one: Requester | null): readonly Requester[] {
  if (one === null) return there;
  const known = there.some(
    (other) => other.workflowId === one.workflowId && other.askedRunId === one.askedRunId,
  );
  return known ? there : [...there, one];
}

/** Moves the most urgent, then oldest, waiting job to the holder's place. */
export function takeNext(queue: JobQueue): JobQueue {
  if (queue.holder !== null || queue.waiting.length === 0) return queue;
  const next = queue.waiting.reduce((best, job) => (isBefore(job, best) ? job : best));
  return { holder: next, waiting: queue.waiting.filter((job) => job !== next) };
}

function isBefore(a: QueuedJob, b: QueuedJob): boolean {
  const urgency = JOB_KINDS.indexOf(a.kind) - JOB_KINDS.indexOf(b.kind);
  return urgency < 0 || (urgency === 0 && a.submittedAtMs < b.submittedAtMs);
}

/** From now on nobody joins the holder: an equal request is a new wish. */
export function closeHolder(queue: JobQueue): JobQueue {
  return queue.holder === null ? queue : { ...queue, holder: { ...queue.holder, closed: true } };
}

/** Takes a waiting job out; `removed` is null when it does not wait here. */
export function removeWaiting(
  queue: JobQueue,
  runId: string,
): { readonly queue: JobQueue; readonly removed: QueuedJob | null } {
  const removed = queue.waiting.find((job) => job.runId === runId) ?? null;
  return { queue: { ...queue, waiting: queue.waiting.filter((job) => job !== removed) }, removed };
}

/**
 * A requester that was cancelled no longer wants its job. A waiting job that nobody else wants
 * leaves the queue; `orphanedHolder` says that the running one has no requester left.
 */
export function withdraw(
  queue: JobQueue,
  workflowId: string,
): {
  readonly queue: JobQueue;
  readonly removed: readonly QueuedJob[];
  readonly orphanedHolder: boolean;
} {
  const without = (job: QueuedJob): QueuedJob => ({
    ...job,
    requesters: job.requesters.filter((one) => one.workflowId !== workflowId),
  });
  const wanted = (job: QueuedJob) => job.requesters.some((one) => one.workflowId === workflowId);
  const left = queue.waiting.map((job) => (wanted(job) ? without(job) : job));
  const removed = left.filter((job, index) => job !== queue.waiting[index] && isUnwanted(job));
  const holder =
    queue.holder !== null && wanted(queue.holder) ? without(queue.holder) : queue.holder;
  return {
    queue: { holder, waiting: left.filter((job) => !removed.includes(job)) },
    removed,
    orphanedHolder: holder !== queue.holder && holder !== null && isUnwanted(holder),
  };
}

function isUnwanted(job: QueuedJob): boolean {
  return job.requesters.length === 0 && job.commands === 0;
}

/** The queue as people and commands see it. */
export function viewQueue(table: string, queue: JobQueue): QueueView {
  const order = [...queue.waiting].sort((a, b) => (isBefore(a, b) ? -1 : 1));
  return {
    table,
    holder: queue.holder === null ? null : viewJob(queue.holder),
    waiting: order.map(viewJob),
  };
}

function viewJob(job: QueuedJob): QueueEntry {
  return {
    runId: job.runId,
    kind: job.kind,
    title: job.title,
    requestedBy: job.requestedBy,
    submittedAt: new Date(job.submittedAtMs).toISOString(),
    joined: job.requesters.length + job.commands - 1,
  };
}
