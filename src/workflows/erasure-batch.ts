/**
 * Forgets the subjects of several requests together: the sources first, then table by table under
 * the table's lock, then the models that are made from them; a second reader verifies, and only
 * then there are certificates.
 */
import {
  ApplicationFailure,
  condition,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
} from '@temporalio/workflow';
import type { ClosedBatch, VerifiedTable } from '../activities/erasure/types.ts';
import { batchWorkflowId, partRunId } from '../domain/ids.ts';
import type { Job, JobError, JobOutcome } from '../domain/job.ts';
import { type ErasureBatchInput, erasureChangedSignal, jobEndedSignal } from './messages.ts';
import { errorOf } from './outcome.ts';
import { control, erasureControl, erasureEngine } from './proxies.ts';

/** A table's workflow that was terminated tells nobody: ask the ledger this often. */
const ASK_AGAIN = '5 minutes';
/** Between two tries of what did not succeed: doubled each time. */
const AGAIN_MIN_MS = 2_000;
const AGAIN_MAX_MS = 3_600_000;

export async function erasureBatch({ batchId }: ErasureBatchInput): Promise<void> {
  const ended = new Map<string, JobOutcome>();
  setHandler(jobEndedSignal, ({ askedRunId, outcome }) => {
    ended.set(askedRunId, outcome);
  });
  let changes = 0;
  setHandler(erasureChangedSignal, () => {
    changes += 1;
  });
  const pause: Batch['pause'] = async (waitMs) => {
    const seen = changes;
    await condition(() => changes > seen, waitMs);
  };
  const waiting = { batchId, pause };
  const closesAtMs = await untilDone(waiting, () => erasureControl.batchClosesAt({ batchId }));
  await sleep(Math.max(1, closesAtMs - Date.now()));
  const closed = await untilDone(waiting, () => erasureControl.closeBatch({ batchId }));
  if (closed.requestIds.length === 0) return;
  const ask: Batch['ask'] = (table, job) => askTable(batchId, ended, table, job);
  try {
    await forgetAll({ ...closed, ask, pause });
  } catch (error) {
    if (!(error instanceof Broken)) throw error;
    await untilDone(waiting, () => erasureControl.failBatch({ batchId, error: error.told }));
  }
}

async function forgetAll(batch: Batch): Promise<void> {
  const { batchId } = batch;
  await untilDone(batch, () => erasureControl.forgetSources({ batchId }));
  await untilDone(batch, () => erasureEngine.lookAgain({ batchId }));
  let tables = batch.tables;
  // A ref that is dropped later lets go of files that the first expiry had to leave.
  for (let round = 0; tables.length > 0; round += 1) {
    for (const table of tables) await eraseTable(batch, table, round);
    tables = await untilUnblocked(batch);
  }
  for (const { model, table } of batch.models) await recompute(batch, model, table);
  await untilDone(batch, () => erasureControl.beginVerification({ batchId }));
  for (const table of batch.verified) await untilVerified(batch, table);
  await untilDone(batch, () => erasureControl.finishBatch({ batchId }));
}

interface Batch extends ClosedBatch {
  readonly ask: (table: string, job: Job) => Promise<JobOutcome>;
  /** Less than this when somebody has changed something about a request. */
  readonly pause: (waitMs: number) => Promise<void>;
}

/** Answers tables that were blocked, and are no more: none, when none was. */
async function untilUnblocked(batch: Batch): Promise<readonly string[]> {
  const { batchId } = batch;
  const once = new Set<string>();
  await untilDone(batch, async () => {
    const blocked = await erasureEngine.findBlocked({ batchId });
    for (const table of blocked) once.add(table);
    if (blocked.length === 0) return;
    throw ApplicationFailure.create({
      type: 'SafetyRefused',
      message: `refs of ${blocked.join(', ')} still reach old files: see the request's blockers`,
    });
  });
  return [...once];
}

/** Runs of a batch that is begun anew are others: nothing that they did counts as done. */
function runIdOf(batchId: string, part: string): string {
  return partRunId(batchId, `${part}.${workflowInfo().firstExecutionRunId.slice(-8)}`);
}

/** One that is not there is left: whether that may be is found out with what blocks. */
async function eraseTable(batch: Batch, table: string, round: number): Promise<void> {
  const { batchId, ask } = batch;
  let tries = 0;
  await untilDone(batch, async () => {
    tries += 1;
    const outcome = await ask(table, {
      runId: runIdOf(batchId, `${table}.${round}.${tries}`),
      kind: 'erasure',
      dedupeKey: `erase/${batchId}`,
      title: 'erasure',
      requestedBy: `erasure:${batchId}`,
      parentRunId: null,
      work: { kind: 'erase', batchId },
    });
    if (outcome.error?.code === 'InvariantBroken') throw new Broken(outcome.error);
    if (outcome.error?.code === 'TableNotFound') return;
    if (outcome.state !== 'done') throw new NotYet(outcome);
  });
}

async function recompute(batch: Batch, model: string, table: string): Promise<void> {
  const { batchId, ask } = batch;
  let tries = 0;
  await untilDone(batch, async () => {
    tries += 1;
    const outcome = await ask(table, {
      runId: runIdOf(batchId, `${model}.${tries}`),
      kind: 'transform',
      dedupeKey: `transform/${batchId}`,
      title: `transform ${model}`,
      requestedBy: `erasure:${batchId}`,
      parentRunId: null,
      work: { kind: 'transform', model, fullRefresh: false },
    });
    if (outcome.state !== 'done') throw new NotYet(outcome);
  });
}

/** A job that came to no good end. */
class NotYet extends Error {
  readonly code: string;
  constructor({ state, error }: JobOutcome) {
    super(error?.message ?? `it ended ${state}`);
    this.code = error?.code ?? 'Internal';
  }
}

/** What was done is not what was meant to be done: no second try mends that. */
class Broken extends Error {
  readonly told: { readonly code: string; readonly message: string };
  constructor({ code, message }: JobError) {
    super(message);
    this.told = { code, message };
  }
}

/** What cannot be done now is tried again, for as long as it takes; the requests say why. */
async function untilDone<T>(
  { batchId, pause }: Pick<Batch, 'batchId' | 'pause'>,
  step: () => Promise<T>,
): Promise<T> {
  for (let waitMs = AGAIN_MIN_MS, waited = false; ; waitMs = Math.min(2 * waitMs, AGAIN_MAX_MS)) {
    try {
      const done = await step();
      if (waited) await tell(batchId, null);
      return done;
    } catch (error) {
      if (isCancellation(error) || error instanceof Broken) throw error;
      const { code, message } = error instanceof NotYet ? error : errorOf(error);
      waited = true;
      await tell(batchId, { code, message });
      await pause(waitMs);
    }
  }
}

/** Where the ledger itself is away, nobody can be told, and that is no reason to give up. */
async function tell(
  batchId: string,
  waitingFor: { readonly code: string; readonly message: string } | null,
): Promise<void> {
  try {
    await erasureControl.noteBatch({ batchId, waitingFor });
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

/** What is not there cannot be read: whether that may be is found out at the end. */
async function untilVerified(batch: Batch, table: string): Promise<void> {
  const { batchId } = batch;
  let suspects: readonly string[] = [];
  await untilDone(batch, async () => {
    const verified = await readAgain({ batchId, table, suspects });
    if (verified === null || verified.waitingFor === null) return;
    suspects = verified.suspects ?? [];
    throw ApplicationFailure.create({ type: 'SafetyRefused', message: verified.waitingFor });
  });
}

async function readAgain(input: {
  readonly batchId: string;
  readonly table: string;
  readonly suspects: readonly string[];
}): Promise<VerifiedTable | null> {
  try {
    return await erasureEngine.verifyTable(input);
  } catch (error) {
    if (errorOf(error).code === 'TableNotFound') return null;
    throw error;
  }
}

async function askTable(
  batchId: string,
  ended: Map<string, JobOutcome>,
  table: string,
  job: Job,
): Promise<JobOutcome> {
  const requester = { workflowId: batchWorkflowId(batchId), askedRunId: job.runId };
  for (;;) {
    await control.submitTableJob({ table, job, requester });
    if (await condition(() => ended.has(job.runId), ASK_AGAIN)) break;
    const outcome = await control.readOutcome(job.runId);
    if (outcome !== null) ended.set(job.runId, outcome);
  }
  return ended.get(job.runId) as JobOutcome;
}
