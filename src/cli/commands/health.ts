/** What the catalog's metadata says of tables; no engine is asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import { IcewrightError } from '../../domain/errors.ts';
import type { TableRef } from '../../domain/table.ts';
import { parseDuration } from '../../domain/units.ts';
import { type Command, type CommandInput, type CommandResult, stringValue } from '../command.ts';
import { type Measuring, openMeasuring } from '../health-measure.ts';
import { healthJson, tellHealth } from '../health-report.ts';
import { changeInterval, showLast, sweepAtOnce } from '../health-sweeps.ts';
import { matchTables } from '../tables.ts';

const EVERY_MIN_MS = 1_000;
const DEFAULT_SINCE = '7d';
const DEFAULT_EVERY = '5s';

export const health: Command = {
  name: 'health',
  summary: 'Measures tables from their metadata and manifests, without an engine; worst first.',
  usage: '[table or pattern] [options]',
  options: {
    since: { type: 'string' },
    watch: { type: 'boolean' },
    every: { type: 'string' },
    last: { type: 'boolean' },
    now: { type: 'boolean' },
    interval: { type: 'string' },
  },
  help: {
    since: `how far back the line of data files goes (default ${DEFAULT_SINCE})`,
    watch: 'measure again and again and draw the table anew, until Ctrl-C',
    every: `with --watch: how often (default ${DEFAULT_EVERY})`,
    last: "show the report of the worker's last sweep, and when the next one is due",
    now: 'let the worker sweep now, and show its report',
    interval: 'from now on let the worker sweep this often: 10s to 1d',
  },
  examples: [
    'icewright health',
    'icewright health "bronze.*" --since 30d',
    'icewright health gold.daily_revenue --json',
    'icewright health --watch --every 10s',
    'icewright health --last',
    'icewright health --interval 10m',
  ],
  positionals: { min: 0, max: 1 },
  run: async (input) => {
    refuseMixture(input);
    const { values, session, terminal } = input;
    const interval = stringValue(values, 'interval');
    if (interval !== null) return changeInterval(session, terminal, parseDuration(interval));
    if (values.now === true) return sweepAtOnce(session, terminal);
    if (values.last === true) return showLast(session, terminal);
    return measureTables(input);
  },
};

/** Options that ask for different things: one of them would be passed over in silence. */
function refuseMixture({ values, positionals, terminal }: CommandInput): void {
  const refuse = (what: string) => {
    throw new IcewrightError('UsageInvalid', what);
  };
  const sweeps = ['interval', 'now', 'last'].filter((name) => values[name] !== undefined);
  const others = ['watch', 'every', 'since'].filter((name) => values[name] !== undefined);
  const words = sweeps.map((name) => `--${name}`).join(' and ');
  if (sweeps.length > 1) refuse(`${words} ask for different things: give one`);
  if (sweeps.length === 1 && (others.length > 0 || positionals.length > 0)) {
    refuse(`${words} is about the sweeps of the whole catalog: give nothing else`);
  }
  if (values.watch === true && terminal.json) {
    refuse('--watch draws for people: with --json, call again as often as needed');
  }
  if (values.every !== undefined && values.watch !== true) refuse('--every belongs to --watch');
}

async function measureTables(input: CommandInput): Promise<CommandResult> {
  const { values, positionals, session, terminal } = input;
  const pattern = positionals[0] ?? '*';
  const sinceMs = parseDuration(stringValue(values, 'since') ?? DEFAULT_SINCE);
  const everyMs = parseDuration(stringValue(values, 'every') ?? DEFAULT_EVERY);
  if (everyMs < EVERY_MIN_MS) {
    throw new IcewrightError('UsageInvalid', `--every "${values.every}": expected 1s or more`);
  }
  const list = () => matchTables(session, pattern);
  const tables = await list();
  const startedMs = Date.now();
  const fromMs = startedMs - sinceMs;
  const everything = pattern === '*';
  const measuring = await openMeasuring(session, terminal, { everything, sinceMs: fromMs });
  if (values.watch === true) return watch(input, { measuring, list, sinceMs, everyMs });
  const measured = await measuring.measure(tables, startedMs);
  tellHealth(terminal, measured, { fromMs, toMs: startedMs });
  const measuredAt = new Date(startedMs).toISOString();
  return { json: { measuredAt, engineQueries: 0, tables: measured.map(healthJson) } };
}

/** Until Ctrl-C, which is how one ends it: no error. */
async function watch(
  { terminal }: CommandInput,
  what: {
    readonly measuring: Measuring;
    readonly list: () => Promise<readonly TableRef[]>;
    readonly sinceMs: number;
    readonly everyMs: number;
  },
): Promise<CommandResult> {
  const { measuring, list, sinceMs, everyMs } = what;
  const ended = new AbortController();
  const end = () => ended.abort();
  process.once('SIGINT', end).once('SIGTERM', end);
  const untilEnd = new Promise<null>((resolve) => {
    ended.signal.addEventListener('abort', () => resolve(null), { once: true });
  });
  while (!ended.signal.aborted) {
    const toMs = Date.now();
    const measure = async () => measuring.measure(await list(), toMs);
    const measured = await Promise.race([measure(), untilEnd]);
    if (measured === null) break;
    terminal.redraw();
    terminal.print(terminal.dim(`${new Date(toMs).toISOString()}, Ctrl-C ends`));
    tellHealth(terminal, measured, { fromMs: toMs - sinceMs, toMs });
    await sleep(everyMs, null, { signal: ended.signal }).catch(() => null);
  }
  return { json: {} };
}
