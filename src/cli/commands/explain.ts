/** Everything that is known of one table's maintenance: what, what not, why, when, by which word. */
import type { MeasureFailure } from '../../activities/health/measuring.ts';
import { IcewrightError } from '../../domain/errors.ts';
import { describeInterval } from '../../domain/health/clock.ts';
import type { TablePlan } from '../../domain/operation.ts';
import { previewText } from '../../domain/planner/expiry-preview.ts';
import { effectivePolicy, sweepOf } from '../../domain/policy/effective.ts';
import { pathOfSetting } from '../../domain/policy/fields.ts';
import type { EffectivePolicy, Policy } from '../../domain/policy/policy.ts';
import { windowAt } from '../../domain/policy/window.ts';
import { type TableRef, tableKey } from '../../domain/table.ts';
import { formatBytes, formatDuration } from '../../domain/units.ts';
import { tellCapabilities } from '../capability-report.ts';
import type { Command, CommandInput } from '../command.ts';
import { tablePlanJson } from '../decision-json.ts';
import { openMeasuring } from '../health-measure.ts';
import { findingLine, scoreLine, trend } from '../health-report.ts';
import { decisionLine } from '../receipts.ts';
import type { Terminal } from '../terminal.ts';
import { makePlan } from './plan.ts';

const WEEK_MS = 7 * 86_400_000;

export const explain: Command = {
  name: 'explain',
  summary: 'Says of one table its health, what would be done, what not, why, and by which policy.',
  usage: '<table>',
  options: {},
  help: {},
  examples: ['icewright explain bronze.raw_orders'],
  positionals: { min: 1, max: 1 },
  run: async (input) => {
    const { session, terminal } = input;
    const table = session.table(input.positionals[0] as string);
    const policies = await (await session.project()).policies();
    const [planned, properties] = await Promise.all([
      orFailure(async () => {
        const { planId, tables } = await makePlan(input, [tableKey(table)]);
        return { planId, plan: tables[0] };
      }),
      orFailure(async () => {
        const catalog = await session.catalog();
        const options = { nowMs: Date.now(), depth: 'metadata' } as const;
        return (await catalog.measureTable(table, options)).properties;
      }),
    ]);
    if ('value' in planned && planned.value.plan === undefined) throw absent(table);
    const own = 'value' in properties ? properties.value : {};
    const policy = effectivePolicy(policies, table, own);
    const health = await tellTableHealth(input, table);
    const plan = 'value' in planned ? planned.value.plan : undefined;
    if (plan !== undefined) tellDecisions(terminal, plan);
    if ('failure' in planned) tellUnreadable(terminal, table, planned.failure);
    const sweep = tellSweep(terminal, policies, table, own);
    tellPolicy(terminal, policy);
    const told = { policy, health, sweep };
    if (plan === undefined) {
      const error = 'failure' in planned ? planned.failure : null;
      return { json: { planId: null, table: tableKey(table), decisions: [], error, ...told } };
    }
    const { capabilities, traits } = await tellCapabilities(input, table);
    const planId = 'value' in planned ? planned.value.planId : null;
    return { json: { planId, ...tablePlanJson(plan), ...told, capabilities, traits } };
  },
};

type Tried<T> = { readonly value: T } | { readonly failure: MeasureFailure };

/** A table that cannot be read is explained, too; one that is not there is not. */
async function orFailure<T>(ask: () => Promise<T>): Promise<Tried<T>> {
  try {
    return { value: await ask() };
  } catch (error) {
    if (!(error instanceof IcewrightError) || error.code === 'TableNotFound') throw error;
    const { code, message } = error;
    return { failure: { code, message } };
  }
}

function absent(table: TableRef): IcewrightError {
  return new IcewrightError('TableNotFound', `there is no table ${tableKey(table)}`);
}

function tellUnreadable(terminal: Terminal, table: TableRef, failure: MeasureFailure): void {
  terminal.print(terminal.bold(tableKey(table)));
  const what = `${failure.code}: ${failure.message}`;
  terminal.print(terminal.red(`  cannot be read, so nothing is planned (${what})`));
}

/** Every condition with what was measured and what was asked for, met or not. */
function tellDecisions(terminal: Terminal, plan: TablePlan): void {
  terminal.print(terminal.bold(plan.table));
  for (const decision of plan.decisions) {
    terminal.print(`  ${decisionLine(decision)}`);
    for (const { metric, value, threshold, met } of decision.reasons) {
      const asked = threshold === null ? '' : ` of ${threshold}`;
      terminal.print(terminal.dim(`    ${met ? '+' : '-'} ${metric} ${value}${asked}`));
    }
    const { nextEligibleAt, preview } = decision;
    if (preview !== undefined && decision.action === 'run') {
      terminal.print(`    ${previewText(preview)}`);
    }
    if (nextEligibleAt !== null) terminal.print(`    not before ${nextEligibleAt}`);
  }
  terminal.print();
}

/** Which sweep looks after it, and when that may begin something. */
function tellSweep(
  terminal: Terminal,
  policies: readonly Policy[],
  table: TableRef,
  properties: Readonly<Record<string, string>>,
) {
  const sweep = sweepOf(policies, table, properties);
  if (sweep === null) {
    terminal.print('sweep: none looks after it; nights and commands do');
    return null;
  }
  const { name, everyMs, paused, budget, window } = sweep;
  const state = windowAt(window, Date.now());
  const when =
    state.kind === 'open'
      ? `open until ${new Date(state.untilMs).toISOString()}`
      : `${state.because}, next ${state.nextMs === null ? 'never' : new Date(state.nextMs).toISOString()}`;
  const limits = [
    budget.bytes === null ? [] : formatBytes(budget.bytes),
    budget.engineSeconds === null ? [] : formatDuration(budget.engineSeconds * 1000),
    budget.tables === null ? [] : `${budget.tables} tables`,
  ].flat();
  const within = limits.length === 0 ? 'no budget' : `a budget of ${limits.join(', ')}`;
  const held = paused ? 'paused by its policy; ' : '';
  terminal.print(`sweep: ${name}, ${describeInterval(everyMs)}; ${held}${when}; ${within}`);
  return { policy: name, everyMs, paused, window: state, budget };
}

function tellPolicy(terminal: Terminal, { settings, origins, ignored }: EffectivePolicy): void {
  terminal.print('policy:');
  const values = new Map<string, unknown>(
    Object.entries(settings).flatMap(([section, fields]) =>
      Object.entries(fields).map(([field, value]) => [`${section}.${field}`, value] as const),
    ),
  );
  for (const [field, origin] of Object.entries(origins)) {
    const place = origin.line === 0 ? origin.file : `${origin.file}:${origin.line}`;
    const value = JSON.stringify(values.get(field) ?? null);
    terminal.print(`  ${pathOfSetting(field)} = ${value} from ${place}`);
  }
  for (const { property, value, because } of ignored ?? []) {
    terminal.print(`  ${property}=${value} is not heard: ${because}`);
  }
}

/** Score and findings, with the file counts of the last week. */
async function tellTableHealth({ session, terminal }: CommandInput, table: TableRef) {
  const toMs = Date.now();
  const span = { fromMs: toMs - WEEK_MS, toMs };
  const options = { everything: false, sinceMs: span.fromMs };
  const measuring = await openMeasuring(session, terminal, options);
  const [shown] = await measuring.measure([table], toMs);
  if (shown === undefined) return null;
  const { report, health, history } = shown;
  const line = trend(history, health?.dataFiles ?? null, span);
  terminal.print(`${scoreLine(report.score)}; data files over 7 days ${line}`);
  for (const finding of report.findings) {
    terminal.print(`  ${findingLine(terminal, finding, report.table)}`);
  }
  terminal.print();
  return { score: report.score, findings: report.findings, error: report.failure };
}
