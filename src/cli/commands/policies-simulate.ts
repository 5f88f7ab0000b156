/** Policies tried on the recorded past of the tables. */
import { mapAtOnce } from '../../activities/at-once.ts';
import { measureIfThere } from '../../activities/planning/inputs.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy/policy.ts';
import {
  type SimulatedRun,
  type SimulatedTable,
  type Simulation,
  simulate,
} from '../../domain/policy/simulate.ts';
import { untoldNights } from '../../domain/policy/simulated-looks.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import { parseDuration } from '../../domain/units.ts';
import { requirePolicies } from '../../project/policies.ts';
import { type Command, type CommandInput, stringValue } from '../command.ts';
import { compareRows, simulationLine, totalOf, totalsBy } from '../policy-report.ts';
import { matchTables } from '../tables.ts';
import type { Terminal } from '../terminal.ts';

const TABLES_AT_ONCE = 8;
const DEFAULT_FROM = '7d';

export const policiesSimulate: Command = {
  name: 'policies simulate',
  summary: 'Replays the recorded health of tables: what would have run, when, and at what cost.',
  usage: '[pattern] [options]',
  options: {
    from: { type: 'string' },
    to: { type: 'string' },
    policies: { type: 'string' },
  },
  help: {
    from: `begin: a time such as 2026-11-01, or how long ago, such as 30d (default ${DEFAULT_FROM})`,
    to: 'end, in the same way (default: now)',
    policies: 'a folder of edited policies, to be held against those that are read now',
  },
  examples: [
    'icewright policies simulate --from 30d',
    'icewright policies simulate --from 2026-11-01 --to 2026-11-15 --policies ./edited',
    'icewright policies simulate "bronze.*" --from 14d --policies ./edited --json',
  ],
  positionals: { min: 0, max: 1 },
  run: async (input) => {
    const { values, session, terminal } = input;
    const nowMs = Date.now();
    const fromMs = readTime(stringValue(values, 'from') ?? DEFAULT_FROM, 'from', nowMs);
    const toMs = readTime(stringValue(values, 'to') ?? '0s', 'to', nowMs);
    if (fromMs >= toMs) throw new IcewrightError('UsageInvalid', '--from must lie before --to');
    const folder = stringValue(values, 'policies');
    const current = await requirePolicies(session.config.policiesDir);
    const edited = folder === null ? null : await requirePolicies(folder);
    const tables = await readPast(input, { fromMs, toMs, nowMs });
    const span = { tables, fromMs, toMs };
    const now = simulate({ ...span, policies: current });
    const then = edited === null ? null : simulate({ ...span, policies: edited });
    tell(terminal, { now, then, tables });
    tellUntold(terminal, edited ?? current, then ?? now);
    return {
      json: {
        from: new Date(fromMs).toISOString(),
        to: new Date(toMs).toISOString(),
        tables: tables.length,
        withHistory: tables.filter(({ points }) => points.length > 0).length,
        current: simulationJson(now, current),
        edited: then === null || edited === null ? null : simulationJson(then, edited),
      },
    };
  },
};

/** A time, or how long before now. */
function readTime(text: string, option: string, nowMs: number): number {
  if (/^\d+(\.\d+)?\s*(ms|s|m|h|d)$/.test(text.trim())) return nowMs - parseDuration(text);
  const atMs = Date.parse(text);
  if (!Number.isNaN(atMs)) return Math.min(atMs, nowMs);
  const message = `--${option} "${text}": write a time such as 2026-11-01, or 30d for 30 days ago`;
  throw new IcewrightError('UsageInvalid', message);
}

interface PastSpan {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
}

async function readPast(
  { session, positionals }: CommandInput,
  { fromMs, toMs, nowMs }: PastSpan,
): Promise<readonly SimulatedTable[]> {
  const refs = await matchTables(session, positionals[0] ?? '*');
  const keys = refs.map(tableKey);
  const [ledger, catalog, project] = await Promise.all([
    session.ledger(),
    session.catalog(),
    session.project(),
  ]);
  const iso = (ms: number) => new Date(ms).toISOString();
  const [histories, receipts, models] = await Promise.all([
    ledger.healthHistories(keys, fromMs),
    ledger.receiptsBetween(iso(fromMs), iso(toMs)),
    project.models(),
  ]);
  const byModels = new Set(models.map(({ target }) => tableKey(target)));
  const read = await mapAtOnce(refs, TABLES_AT_ONCE, async (ref: TableRef) => {
    // Properties are as they are now: of earlier ones nothing is kept.
    const health = await measureIfThere(catalog, ref, { nowMs, depth: 'metadata' });
    if (health === null) return null;
    const table = tableKey(ref);
    return {
      table,
      ref,
      properties: health.properties,
      points: (histories.get(table) ?? []).filter(({ atMs }) => atMs < toMs),
      receipts: receipts.filter((one) => one.table === table && one.operation !== 'transform'),
      byNight: byModels.has(table),
    };
  });
  return read.filter((one) => one !== null);
}

const byTable = ({ table, kind }: SimulatedRun) => `${table} ${kind.replace(/_/g, ' ')}`;
const byDay = ({ atMs }: SimulatedRun) => new Date(atMs).toISOString().slice(0, 10);

function tell(
  terminal: Terminal,
  told: {
    readonly now: Simulation;
    readonly then: Simulation | null;
    readonly tables: readonly SimulatedTable[];
  },
): void {
  const { now, then, tables } = told;
  const edited = then?.runs ?? null;
  const more = then === null ? [] : ['>edited', '>bytes'];
  for (const [title, keyOf] of [
    ['operation', byTable],
    ['day (UTC)', byDay],
  ] as const) {
    const rows = compareRows(now.runs, edited, keyOf);
    if (rows.length === 0) continue;
    terminal.table([title, '>current', '>bytes', ...more], rows);
    terminal.print();
  }
  const known = tables.filter(({ points }) => points.length > 0).length;
  terminal.print(`the policies read now ${simulationLine(now)}`);
  if (then !== null) terminal.print(`the edited policies ${simulationLine(then)}`);
  terminal.print(`${known} of ${tables.length} tables have a history in this span`);
}

/** What the figures above are not. */
function tellUntold(terminal: Terminal, policies: readonly Policy[], told: Simulation): void {
  const notes = [
    'of single partitions nothing is recorded: what a compaction saves is the recorded backlog, or ' +
      'the bound that the totals give; triggers on skew and clustering depth are never met',
    'snapshots that were there at the beginning count as committed then; failures are not replayed',
  ];
  if (told.looks === 0) notes.push('no nightly and no sweep would have looked at any table');
  for (const name of untoldNights(policies)) {
    notes.push(`nightly ${name} is not one time of day: it is left out`);
  }
  if (told.notTold.length > 0) {
    notes.push(`not told of some tables: ${told.notTold.join(', ').replace(/_/g, ' ')}`);
  }
  for (const note of notes) terminal.note(terminal.dim(`note: ${note}`));
}

function simulationJson(simulation: Simulation, policies: readonly Policy[]) {
  const { runs, ...rest } = simulation;
  return {
    ...totalOf(runs),
    ...rest,
    untoldNights: untoldNights(policies),
    byTable: totalsBy(runs, ({ table }) => table),
    byOperation: totalsBy(runs, ({ kind }) => kind),
    byDay: totalsBy(runs, byDay),
    runs: runs.map(({ atMs, ...run }) => ({ ...run, at: new Date(atMs).toISOString() })),
  };
}
