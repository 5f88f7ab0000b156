/** Maintenance of one table, now: `compact`, `expire`, `manifests`. */
import type { EngineName } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { HandRequest } from '../../domain/hand-request.ts';
import type { CompactStrategy } from '../../domain/operation.ts';
import { tableKey } from '../../domain/table.ts';
import { parseBytes, parseDuration } from '../../domain/units.ts';
import { type Command, type CommandInput, stringValue, type Values } from '../command.ts';
import { tablePlanJson } from '../decision-json.ts';
import { handJob, performJob } from '../job.ts';
import { decisionLine } from '../receipts.ts';

const SHARED_OPTIONS = {
  'dry-run': { type: 'boolean' },
  wait: { type: 'boolean' },
} as const;
const SHARED_HELP = {
  'dry-run': 'show what would be done and why; change nothing',
  wait: 'return when the run has ended, with its receipts (default: when it is queued)',
};

export const compact: Command = {
  name: 'compact',
  summary: 'Rewrites small files of a table into larger ones, or re-orders its rows.',
  usage: '<table> [options]',
  options: {
    strategy: { type: 'string' },
    columns: { type: 'string' },
    where: { type: 'string' },
    'target-file-size': { type: 'string' },
    engine: { type: 'string' },
    ...SHARED_OPTIONS,
  },
  help: {
    strategy: 'binpack (default), sort or zorder',
    columns: 'columns of sort or zorder, separated by commas',
    where: 'only files that may hold rows of this predicate (default: all)',
    'target-file-size': 'size of the files to write, such as 512MB (default: the policy)',
    engine: 'spark or trino (default: the first that can)',
    ...SHARED_HELP,
  },
  examples: [
    'icewright compact bronze.raw_orders --wait',
    'icewright compact silver.orders --strategy zorder --columns customer_id,ordered_at --wait',
    'icewright compact lake.bronze.raw_clickstream --engine trino --dry-run',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, readCompact(input.values)),
};

export const expire: Command = {
  name: 'expire',
  summary: 'Expires old snapshots of a table, by exact ids; refs and readers are respected.',
  usage: '<table> [options]',
  options: {
    'older-than': { type: 'string' },
    'keep-last': { type: 'string' },
    ...SHARED_OPTIONS,
  },
  help: {
    'older-than': 'only snapshots older than this, such as 7d (default: the policy)',
    'keep-last': 'keep at least this many (default: the policy)',
    ...SHARED_HELP,
  },
  examples: [
    'icewright expire bronze.raw_orders --older-than 7d --keep-last 5 --dry-run',
    'icewright expire bronze.raw_orders --wait --json',
  ],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, readExpire(input.values)),
};

export const manifests: Command = {
  name: 'manifests',
  summary: 'Rewrites the manifests of a table, so that planning a query reads fewer of them.',
  usage: '<table> [options]',
  options: { engine: { type: 'string' }, ...SHARED_OPTIONS },
  help: { engine: 'spark or trino (default: the first that can)', ...SHARED_HELP },
  examples: ['icewright manifests bronze.raw_orders --wait'],
  positionals: { min: 1, max: 1 },
  run: (input) => operate(input, { kind: 'rewrite_manifests', engine: readEngine(input.values) }),
};

async function operate(input: CommandInput, request: HandRequest) {
  const { session, terminal, values } = input;
  const table = session.table(input.positionals[0] as string);
  if (values['dry-run'] === true) return dryRun(input, request);
  const wait = values.wait === true;
  // Who waits is told by the run itself; who does not is told before anything is queued.
  if (!wait && !(await (await session.catalog()).tableExists(table))) {
    const message = `there is no table ${tableKey(table)}: see "icewright health"`;
    throw new IcewrightError('TableNotFound', message, { table: tableKey(table) });
  }
  const job = handJob(request, session.requestedBy);
  return performJob({ session, terminal, table, job, wait });
}

async function dryRun({ session, terminal, positionals }: CommandInput, request: HandRequest) {
  const { planHandRequest } = await import('../../activities/planning.ts');
  const [catalog, ledger, project] = await Promise.all([
    session.catalog(),
    session.ledger(),
    session.project(),
  ]);
  const table = tableKey(session.table(positionals[0] as string));
  const deps = { catalog, ledger, project, nowMs: Date.now };
  const plan = await planHandRequest(deps, table, request);
  for (const decision of plan.decisions) {
    terminal.print(decisionLine(decision));
    const { estimate } = decision;
    if (estimate === null) continue;
    terminal.print(`  estimated: ${estimate.filesBefore} → ${estimate.filesAfter} files`);
  }
  const refused = plan.decisions.some((decision) => decision.action === 'refuse');
  const json = { runId: null, table, plan: tablePlanJson(plan), receipts: [] };
  return refused ? ({ json, exitCode: 3 } as const) : { json };
}

function readCompact(values: Values): HandRequest {
  const strategy = (stringValue(values, 'strategy') ?? 'binpack') as CompactStrategy;
  if (!['binpack', 'sort', 'zorder'].includes(strategy)) {
    throw bad('strategy', strategy, 'binpack, sort or zorder');
  }
  const size = stringValue(values, 'target-file-size');
  const columns = (stringValue(values, 'columns') ?? '').split(',').map((one) => one.trim());
  return {
    kind: 'compact',
    strategy,
    columns: columns.filter((column) => column !== ''),
    where: stringValue(values, 'where'),
    targetFileSizeBytes: size === null ? null : parseBytes(size),
    engine: readEngine(values),
  };
}

function readExpire(values: Values): HandRequest {
  const age = stringValue(values, 'older-than');
  const keep = stringValue(values, 'keep-last');
  if (keep !== null && !/^[1-9]\d{0,5}$/.test(keep)) {
    throw bad('keep-last', keep, 'a whole number, at least 1');
  }
  return {
    kind: 'expire_snapshots',
    olderThanMs: age === null ? null : parseDuration(age),
    keepLast: keep === null ? null : Number(keep),
  };
}

function readEngine(values: Values): EngineName | null {
  const engine = stringValue(values, 'engine');
  if (engine === null || engine === 'spark' || engine === 'trino') return engine;
  throw bad('engine', engine, 'spark or trino');
}

function bad(option: string, value: string, expected: string): IcewrightError {
  return new IcewrightError('UsageInvalid', `--${option} "${value}": expected ${expected}`);
}
