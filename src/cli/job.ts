/** Jobs that a person asks for: made, submitted, waited for, told. */
import { createHash, randomUUID } from 'node:crypto';
import { ERROR_RULES } from '../domain/errors.ts';
import { type HandRequest, titleOf } from '../domain/hand-request.ts';
import { CONTROL_QUEUE, runIdAt } from '../domain/ids.ts';
import type { Job, JobOutcome } from '../domain/job.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import type { CommandResult } from './command.ts';
import { receiptLines } from './receipts.ts';
import type { Session } from './session.ts';
import type { Terminal } from './terminal.ts';

/** After this long without an answer the reason is looked for and told. */
const PATIENCE_MS = 3_000;

export function newRunId(): string {
  return runIdAt(Date.now(), randomUUID());
}

export function handJob(request: HandRequest, requestedBy: string): Job {
  return {
    runId: newRunId(),
    kind: 'manual',
    // Equal requests are the same wish, whoever asks.
    dedupeKey: createHash('sha256').update(JSON.stringify(request)).digest('hex'),
    title: titleOf(request),
    requestedBy,
    parentRunId: null,
    work: { kind: 'by_hand', request },
  };
}

/** Submits and, with `wait`, tells what came of it. */
export async function performJob(input: {
  readonly session: Session;
  readonly terminal: Terminal;
  readonly table: TableRef;
  readonly job: Job;
  readonly wait: boolean;
}): Promise<CommandResult> {
  const { session, terminal, job, wait } = input;
  const table = tableKey(input.table);
  const client = await session.temporal();
  const { awaitRun, requestJob } = await import('../temporal/jobs.ts');
  const impatience = setTimeout(() => tellDelay(session, terminal, job), PATIENCE_MS);
  try {
    const { runId, joined } = await requestJob(client, table, job);
    if (wait) {
      terminal.progress(`${job.title} of ${table}: run ${runId} …`);
      return tellOutcome(terminal, table, await awaitRun(client, table, runId), joined);
    }
    terminal.print(`${joined ? 'joined' : 'queued'}: run ${runId}, ${job.title} of ${table}`);
    terminal.print(`follow it with: icewright runs show ${runId}`);
    return { json: { runId, table, joined, state: 'queued', receipts: [] } };
  } finally {
    clearTimeout(impatience);
  }
}

async function tellDelay(session: Session, terminal: Terminal, job: Job): Promise<void> {
  try {
    const { hasWorker } = await import('../temporal/workers.ts');
    if (await hasWorker(await session.temporal(), CONTROL_QUEUE)) {
      terminal.progress(`${job.title}: waiting (run ${job.runId}) …`);
    } else {
      terminal.note('no worker runs at the moment: the job waits until one is started');
    }
  } catch {
    // The command itself meets the same fault and tells it.
  }
}

function tellOutcome(
  terminal: Terminal,
  table: string,
  outcome: JobOutcome,
  joined: boolean,
): CommandResult {
  const { runId, state, receipts, planId, error } = outcome;
  const json = { runId, table, joined, state, planId, receipts, ...(error ? { error } : {}) };
  terminal.progress('');
  if (joined) terminal.print(`joined run ${runId}, which did the same`);
  for (const line of receiptLines(receipts)) terminal.print(line);
  if (error !== null) terminal.note(`icewright: ${error.message}`);
  else if (receipts.length === 0) terminal.print('nothing to do');
  if (state === 'done') return { json };
  return { json, exitCode: error === null ? 1 : ERROR_RULES[error.code].exitCode };
}
