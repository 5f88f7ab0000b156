/** What the commands that maintain one table now have in common: options, dry run, submitting. */
import type { EngineName } from '../../domain/engine.ts';
import { IcewrightError } from '../../domain/errors.ts';
import type { HandRequest } from '../../domain/hand-request.ts';
import { previewText } from '../../domain/planner/expiry-preview.ts';
import { tableKey } from '../../domain/table.ts';
import { type CommandInput, type CommandResult, stringValue, type Values } from '../command.ts';
import { tablePlanJson } from '../decision-json.ts';
import { handJob, performJob } from '../job.ts';
import { decisionLine } from '../receipts.ts';

export const SHARED_OPTIONS = {
  'dry-run': { type: 'boolean' },
  wait: { type: 'boolean' },
} as const;
export const SHARED_HELP = {
  'dry-run': 'show what would be done and why; change nothing',
  wait: 'return when the run has ended, with its receipts (default: when it is queued)',
};
export const ENGINE_HELP = 'spark or trino (default: the policy, else the first that can)';

/** Plans or queues the request for the table that the first word names. */
export async function operate(input: CommandInput, request: HandRequest): Promise<CommandResult> {
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

async function dryRun(
  { session, terminal, positionals }: CommandInput,
  request: HandRequest,
): Promise<CommandResult> {
  const { planHandRequest } = await import('../../activities/planning/planning.ts');
  const [catalog, ledger, project] = await Promise.all([
    session.catalog(),
    session.ledger(),
    session.project(),
  ]);
  const table = tableKey(session.table(positionals[0] as string));
  const deps = { catalog, ledger, project, nowMs: Date.now, cores: session.cores };
  const plan = await planHandRequest(deps, table, request);
  for (const decision of plan.decisions) {
    terminal.print(decisionLine(decision));
    const { estimate, preview } = decision;
    if (preview !== undefined) terminal.print(`  ${previewText(preview)}`);
    if (estimate === null) continue;
    terminal.print(`  estimated: ${estimate.filesBefore} → ${estimate.filesAfter} files`);
  }
  const refused = plan.decisions.some((decision) => decision.action === 'refuse');
  const json = { runId: null, table, plan: tablePlanJson(plan), receipts: [] };
  return refused ? ({ json, exitCode: 3 } as const) : { json };
}

export function readEngine(values: Values): EngineName | null {
  const engine = stringValue(values, 'engine');
  if (engine === null || engine === 'spark' || engine === 'trino') return engine;
  throw bad('engine', engine, 'spark or trino');
}

/** `a, b` → `['a', 'b']`; empty when the option is not there. */
export function readList(values: Values, name: string): readonly string[] {
  const parts = (stringValue(values, name) ?? '').split(',').map((one) => one.trim());
  return parts.filter((one) => one !== '');
}

/** An option that may stand several times. */
export function readMany(values: Values, name: string): readonly string[] {
  const value = values[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** `name=value`, split at the first `=`. */
export function readPair(option: string, text: string): readonly [name: string, value: string] {
  const at = text.indexOf('=');
  if (at < 1) throw bad(option, text, 'name=value');
  return [text.slice(0, at).trim(), text.slice(at + 1)];
}

/** `null` when the option is not there. */
export function readWhole(
  values: Values,
  name: string,
  least: number,
  most = 1_000_000,
): number | null {
  const text = stringValue(values, name);
  if (text === null) return null;
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw bad(name, text, `a whole number, at least ${least} and at most ${most}`);
}

export function bad(option: string, value: string, expected: string): IcewrightError {
  return new IcewrightError('UsageInvalid', `--${option} "${value}": expected ${expected}`);
}
