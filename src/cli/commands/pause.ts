/** An operator stops maintenance of tables, and lets it go on; who, when and why are kept. */
import { IcewrightError } from '../../domain/errors.ts';
import { OPERATION_ORDER, type OperationKind } from '../../domain/operation.ts';
import { judgeCadence } from '../../domain/policy/cadence.ts';
import { effectivePolicy } from '../../domain/policy/effective.ts';
import { receiptsOfEach } from '../../domain/policy/lookback.ts';
import { parseSelector, selects } from '../../domain/policy/match.ts';
import { describePause, type PauseEvent, standingPauses } from '../../domain/policy/pause.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import { parseDuration } from '../../domain/units.ts';
import { suggest } from '../../project/policy-faults.ts';
import { type Command, type CommandInput, type CommandResult, stringValue } from '../command.ts';

/** Tables whose breakers are looked at one by one. */
const TABLES_MAX = 200;

const PATTERN = '<table or pattern> [options]';
const OPERATION_HELP = `only this operation: ${OPERATION_ORDER.join(', ')}`;

export const pause: Command = {
  name: 'pause',
  summary:
    'Keeps maintenance away from tables until it is resumed; without a table: what is paused.',
  usage: `[${PATTERN.replace(' [', '] [')}`,
  options: {
    operation: { type: 'string' },
    until: { type: 'string' },
    reason: { type: 'string' },
  },
  help: {
    operation: OPERATION_HELP,
    until: 'when it ends by itself: a time such as 2026-12-01T06:00Z, or a duration such as 2d',
    reason: 'why; shown wherever something waits for it (needed)',
  },
  examples: [
    'icewright pause bronze.raw_orders --reason "the source is being moved"',
    'icewright pause "silver.*" --operation compact --until 2d --reason "quarter end"',
    'icewright pause',
  ],
  positionals: { min: 0, max: 1 },
  run: async (input) => {
    const [pattern] = input.positionals;
    if (pattern === undefined) return listPauses(input);
    const reason = stringValue(input.values, 'reason')?.trim() ?? '';
    if (reason === '') throw usage('say why: --reason "…" is shown wherever something waits');
    const nowMs = Date.now();
    const event = eventOf(input, { kind: 'pause', pattern, reason, nowMs });
    await (await input.session.ledger()).recordPause(event);
    const tables = await concerned(input, pattern);
    input.terminal.print(`${pattern} ${describePause(event)}`);
    tellTables(input, tables);
    return { json: { event, tables } };
  },
};

export const resume: Command = {
  name: 'resume',
  summary: 'Lifts pauses, and closes the breakers of operations that failed too often.',
  usage: PATTERN,
  options: { operation: { type: 'string' }, reason: { type: 'string' } },
  help: { operation: OPERATION_HELP, reason: 'kept with the others (default: none given)' },
  examples: [
    'icewright resume bronze.raw_orders',
    'icewright resume "silver.*" --operation compact --reason "the driver is updated"',
  ],
  positionals: { min: 1, max: 1 },
  run: async (input) => {
    const pattern = input.positionals[0] as string;
    const reason = stringValue(input.values, 'reason') ?? 'none given';
    const event = eventOf(input, { kind: 'resume', pattern, reason, nowMs: Date.now() });
    const ledger = await input.session.ledger();
    const tables = await concerned(input, pattern);
    const breakers = await openBreakers(input, tables ?? [], event);
    await ledger.recordPause(event);
    input.terminal.print(`${pattern}: resumed; earlier failures no longer count`);
    for (const one of breakers) input.terminal.print(`  closed the breaker of ${one}`);
    tellTables(input, tables);
    return { json: { event, tables, breakers } };
  },
};

async function listPauses({ session, terminal }: CommandInput): Promise<CommandResult> {
  const standing = standingPauses(await (await session.ledger()).pauseEvents(), Date.now());
  if (standing.length === 0) terminal.print('nothing is paused');
  for (const { pause: one, liftedFor } of standing) {
    const what = one.operation === null ? 'every operation' : one.operation.replace(/_/g, ' ');
    terminal.print(`${terminal.bold(one.pattern)}, ${what}: ${describePause(one)}`);
    for (const { pattern, by, at } of liftedFor) {
      terminal.print(`  but not ${pattern}: resumed by ${by} at ${at}`);
    }
  }
  return { json: { pauses: standing } };
}

function eventOf(
  { values, session }: CommandInput,
  given: Pick<PauseEvent, 'kind' | 'pattern' | 'reason'> & { readonly nowMs: number },
): PauseEvent {
  const { nowMs, ...rest } = given;
  const selector = parseSelector(given.pattern);
  if (typeof selector === 'string') {
    throw usage(`"${given.pattern}" names no table: write bronze.raw_orders, bronze.* or /regex/`);
  }
  const until = stringValue(values, 'until');
  return {
    ...rest,
    operation: readOperation(stringValue(values, 'operation')),
    until: until === null ? null : readUntil(until, nowMs),
    by: session.requestedBy,
    at: new Date(nowMs).toISOString(),
  };
}

function readOperation(text: string | null): OperationKind | null {
  if (text === null) return null;
  const found = OPERATION_ORDER.find((kind) => kind === text.replaceAll('-', '_'));
  if (found !== undefined) return found;
  const hint = suggest(text, OPERATION_ORDER) || `: one of ${OPERATION_ORDER.join(', ')}`;
  throw usage(`there is no operation "${text}"${hint}`);
}

function readUntil(text: string, nowMs: number): string {
  const duration = /^\d+(\.\d+)?\s*(s|m|h|d)$/.test(text.trim());
  const atMs = duration ? nowMs + parseDuration(text) : Date.parse(text);
  if (Number.isNaN(atMs)) {
    throw usage(`--until "${text}": write a time such as 2026-12-01T06:00Z, or 2d`);
  }
  if (atMs <= nowMs) throw usage(`--until "${text}" has passed already`);
  return new Date(atMs).toISOString();
}

function usage(message: string): IcewrightError {
  return new IcewrightError('UsageInvalid', message);
}

/** `null`: the catalog does not answer, and a pause is not to wait for it. */
async function concerned(
  { session }: CommandInput,
  pattern: string,
): Promise<readonly string[] | null> {
  const selector = parseSelector(pattern);
  if (typeof selector === 'string') return null;
  try {
    const all = await (await session.catalog()).listTables();
    return all.filter((table: TableRef) => selects(selector, table)).map(tableKey);
  } catch {
    return null;
  }
}

function tellTables({ terminal }: CommandInput, tables: readonly string[] | null): void {
  if (tables === null) terminal.note('the catalog does not answer: which tables is not known');
  else if (tables.length === 0) terminal.note('no table of the catalog has such a name');
  else {
    const more = tables.length > 10 ? ` and ${tables.length - 10} more` : '';
    terminal.print(`${tables.length} tables: ${tables.slice(0, 10).join(', ')}${more}`);
  }
}

/** `compact of lake.bronze.raw_orders` for each that a resume closes. */
async function openBreakers(
  { session }: CommandInput,
  tables: readonly string[],
  event: PauseEvent,
): Promise<readonly string[]> {
  const [ledger, project] = await Promise.all([session.ledger(), session.project()]);
  const pauses = await ledger.pauseEvents();
  // Faulty files are no reason not to resume: then the defaults say what a breaker is.
  const policies = await project.policies().catch(() => []);
  const found: string[] = [];
  for (const table of tables.slice(0, TABLES_MAX)) {
    const policy = effectivePolicy(policies, session.table(table)).settings.cadence;
    const recentReceipts = await ledger.receiptsOfEach(table, receiptsOfEach(policy));
    if (recentReceipts.every(({ status }) => status !== 'failed')) continue;
    const nowMs = Date.parse(event.at);
    for (const kind of OPERATION_ORDER) {
      if (event.operation !== null && event.operation !== kind) continue;
      const cadence = judgeCadence({ kind, policy, recentReceipts, nowMs, table, pauses });
      if (cadence.breakerOpen) found.push(`${kind.replace(/_/g, ' ')} of ${table}`);
    }
  }
  return found;
}
