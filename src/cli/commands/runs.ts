/** What ran, what runs, what waits; and stopping it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { RunFilter, RunRow } from '../../activities/ledger-port.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { QueueView } from '../../domain/job.ts';
import { tableKey } from '../../domain/table.ts';
import { formatDuration } from '../../domain/units.ts';
import { type Command, stringValue } from '../command.ts';
import { receiptLines } from '../receipts.ts';
import type { Session } from '../session.ts';
import type { Terminal } from '../terminal.ts';

/** Two minutes: an engine that is away does not keep a person waiting for ever. */
const PARTS_POLLS_MAX = 600;
const PARTS_POLL_MS = 200;

const STATES = ['queued', 'running', 'done', 'failed', 'refused', 'cancelled'] as const;

export const runsList: Command = {
  name: 'runs list',
  summary: 'Lists runs, newest first; with --table also who holds the table and who waits.',
  usage: '[options]',
  options: {
    table: { type: 'string' },
    state: { type: 'string' },
    limit: { type: 'string' },
  },
  help: {
    table: 'only runs of this table, and its queue',
    state: STATES.join(', '),
    limit: 'at most so many (default 20)',
  },
  examples: ['icewright runs list', 'icewright runs list --table bronze.raw_orders --json'],
  positionals: { min: 0, max: 0 },
  run: async ({ values, session, terminal }) => {
    const name = stringValue(values, 'table');
    const table = name === null ? null : tableKey(session.table(name));
    const runs = await (await session.ledger()).listRuns(readFilter(values, table));
    const queue = table === null ? null : await readQueueOf(session, table);
    if (queue !== null) tellQueue(terminal, queue);
    terminal.table(
      ['run', 'state', 'what', 'table', 'started', '>time'],
      runs.map((run) => [
        run.runId,
        run.state,
        run.title,
        run.table ?? '',
        run.startedAt ?? '',
        timeOf(run),
      ]),
    );
    return {
      json: { runs, holder: queue?.holder ?? null, waiting: queue?.waiting ?? [] },
    };
  },
};

export const runsShow: Command = {
  name: 'runs show',
  summary: 'Shows one run: its state, its receipts, its parts.',
  usage: '<runId>',
  options: {},
  help: {},
  examples: ['icewright runs show 20261121T020000-4f2a9c'],
  positionals: { min: 1, max: 1 },
  run: async ({ positionals, session, terminal }) => {
    const run = await findRun(session, positionals[0] as string);
    const ledger = await session.ledger();
    const receipts = await ledger.listReceipts(run.runId);
    const parts = await ledger.listRuns({ parentRunId: run.runId, limit: 500 });
    terminal.print(`${run.title} ${run.table ?? ''}: ${run.state} ${timeOf(run)}`);
    terminal.print(`  asked by ${run.requestedBy} at ${run.createdAt}`);
    terminal.print(`  workflow ${run.workflowId}`);
    if (run.error !== null) terminal.print(terminal.red(`  ${run.error.message}`));
    for (const line of receiptLines(receipts)) terminal.print(`  ${line}`);
    for (const part of parts) terminal.print(`  ${part.runId}: ${part.title}, ${part.state}`);
    return { json: { ...run, receipts, parts } };
  },
};

export const runsCancel: Command = {
  name: 'runs cancel',
  summary: 'Takes a waiting run out of its queue, or stops a running one in its engine.',
  usage: '<runId>',
  options: {},
  help: {},
  examples: ['icewright runs cancel 20261121T020000-4f2a9c'],
  positionals: { min: 1, max: 1 },
  run: async ({ positionals, session, terminal }) => {
    const run = await findRun(session, positionals[0] as string);
    if (run.finishedAt !== null) {
      const message = `run ${run.runId} has ended already: ${run.state}`;
      throw new IcewrightError('UsageInvalid', message, { runId: run.runId, state: run.state });
    }
    const client = await session.temporal();
    const { cancelJob, cancelNight } = await import('../../temporal/jobs.ts');
    terminal.progress(`run ${run.runId}: ending …`);
    const state =
      run.table === null
        ? await cancelNight(client, run.workflowId)
        : ((await cancelJob(client, run.table, run.runId))?.state ?? null);
    if (state === null) {
      throw new IcewrightError('RunNotFound', `run ${run.runId} neither runs nor waits any more`);
    }
    if (run.table === null) await awaitParts(session, run.runId);
    terminal.progress('');
    const late = state === 'cancelled' ? '' : ': it had ended before the cancellation reached it';
    terminal.print(`run ${run.runId} ${state}${late}`);
    return { json: { runId: run.runId, state } };
  },
};

/** A cancelled night has told its tables to stop; their engines take a moment. */
async function awaitParts(session: Session, runId: string): Promise<void> {
  const ledger = await session.ledger();
  for (let asked = 0; asked < PARTS_POLLS_MAX; asked += 1) {
    const states = ['queued', 'running'] as const;
    if ((await ledger.listRuns({ parentRunId: runId, states, limit: 1 })).length === 0) return;
    await sleep(PARTS_POLL_MS);
  }
}

function readFilter(values: Readonly<Record<string, unknown>>, table: string | null): RunFilter {
  const limit = Number(values.limit ?? 20);
  if (!Number.isInteger(limit) || limit < 1 || limit > 10_000) {
    throw new IcewrightError('UsageInvalid', `--limit "${values.limit}": expected 1 to 10000`);
  }
  const state = STATES.find((one) => one === values.state);
  if (values.state !== undefined && state === undefined) {
    const message = `--state "${values.state}": expected ${STATES.join(', ')}`;
    throw new IcewrightError('UsageInvalid', message);
  }
  return {
    limit,
    ...(table === null ? {} : { table }),
    ...(state === undefined ? {} : { states: [state] }),
  };
}

async function readQueueOf(session: Session, table: string): Promise<QueueView | null> {
  const { readQueue } = await import('../../temporal/jobs.ts');
  return readQueue(await session.temporal(), table);
}

function tellQueue(terminal: Terminal, { holder, waiting }: QueueView): void {
  const line = (one: NonNullable<QueueView['holder']>) =>
    `${one.runId} ${one.title} (${one.kind}, ${one.requestedBy}` +
    `${one.joined > 0 ? `, ${one.joined} joined` : ''})`;
  if (holder !== null) terminal.print(`held by ${line(holder)}`);
  for (const one of waiting) terminal.print(`waiting ${line(one)}`);
  if (holder !== null || waiting.length > 0) terminal.print();
}

async function findRun(session: Session, runId: string): Promise<RunRow> {
  const run = await (await session.ledger()).readRun(runId);
  if (run !== null) return run;
  throw new IcewrightError('RunNotFound', `run ${runId} is not known: see "icewright runs list"`, {
    runId,
  });
}

function timeOf({ startedAt, finishedAt }: RunRow): string {
  if (startedAt === null) return '';
  return formatDuration(
    (finishedAt === null ? Date.now() : Date.parse(finishedAt)) - Date.parse(startedAt),
  );
}
