/** What an edit of policies changes, and what policies would have done, for people. */
import type { TableDiff } from '../activities/planning/policy-diff.ts';
import type { Decision } from '../domain/operation.ts';
import type { FieldChange, ScheduleChange } from '../domain/policy/diff.ts';
import type { Origin } from '../domain/policy/policy.ts';
import type { SimulatedRun, Simulation } from '../domain/policy/simulate.ts';
import { formatBytes } from '../domain/units.ts';
import { decisionSummary } from './receipts.ts';
import type { Terminal } from './terminal.ts';

export interface PolicyDiff {
  /** What is compared, for people. */
  readonly before: string;
  readonly after: string;
  readonly tables: readonly TableDiff[];
  readonly schedules: readonly ScheduleChange[];
}

/** Tables with the same changes stand together: an edit of the defaults is told once. */
export function tellDiff(terminal: Terminal, diff: PolicyDiff, tables: number): void {
  terminal.print(`- ${diff.before}`);
  terminal.print(`+ ${diff.after}`);
  const groups = new Map<string, TableDiff[]>();
  for (const table of diff.tables) {
    const key = JSON.stringify(table.fields);
    groups.set(key, [...(groups.get(key) ?? []), table]);
  }
  for (const group of groups.values()) {
    terminal.print();
    terminal.print(terminal.bold(group.map(({ table }) => table).join(', ')));
    for (const change of group[0]?.fields ?? []) tellField(terminal, change);
    for (const { table, decisions, ignored } of group) {
      for (const { kind, before, after } of decisions) {
        const what = kind.replace(/_/g, ' ');
        terminal.print(`  ${table}: ${what}: ${deedOf(before)} → ${deedOf(after)}`);
      }
      for (const { property, because } of ignored) {
        terminal.print(`  ${table}: ${property} is no longer heard: ${because}`);
      }
    }
  }
  for (const { kind, name, change, fields } of diff.schedules) {
    terminal.print();
    terminal.print(
      `${kind} ${name}: ${change}${fields.length > 0 ? ` (${fields.join(', ')})` : ''}`,
    );
  }
  terminal.print();
  terminal.print(`${diff.tables.length} of ${tables} tables change`);
}

function tellField(terminal: Terminal, change: FieldChange): void {
  const { field, before, after, beforeFrom, afterFrom } = change;
  terminal.print(`  ${field}: ${before} → ${after}`);
  terminal.print(terminal.dim(`    ${placeOf(beforeFrom)} → ${placeOf(afterFrom)}`));
}

function placeOf(origin: Origin | null): string {
  if (origin === null) return 'nowhere';
  return origin.line === 0 ? origin.file : `${origin.file}:${origin.line}`;
}

function deedOf(decision: Decision): string {
  const bytes = decision.estimate?.bytesRewritten ?? 0;
  const cost = decision.action === 'run' && bytes > 0 ? `, ${formatBytes(bytes)}` : '';
  return `${decisionSummary(decision)}${cost}`;
}

/** `would have run 41 operations, 2.1 GB rewritten` */
export function simulationLine(simulation: Simulation): string {
  const { operations, bytes } = totalOf(simulation.runs);
  const late = simulation.putOff > 0 ? `; put off ${simulation.putOff} times by a budget` : '';
  return `would have run ${operations} operations, ${formatBytes(bytes)} rewritten${late}`;
}

export interface Total {
  readonly operations: number;
  /** What the history tells of. */
  readonly bytes: number;
}

export function totalOf(runs: readonly SimulatedRun[]): Total {
  return {
    operations: runs.length,
    bytes: runs.reduce((sum, one) => sum + (one.bytes ?? 0), 0),
  };
}

/** Totals by whatever `keyOf` tells, in the order of the keys. */
export function totalsBy(
  runs: readonly SimulatedRun[],
  keyOf: (run: SimulatedRun) => string,
): Readonly<Record<string, Total>> {
  const groups = new Map<string, SimulatedRun[]>();
  for (const run of runs) groups.set(keyOf(run), [...(groups.get(keyOf(run)) ?? []), run]);
  const names = [...groups.keys()].sort();
  return Object.fromEntries(names.map((name) => [name, totalOf(groups.get(name) ?? [])]));
}

/** Rows for `table`: what both did, side by side; `edited` may be missing. */
export function compareRows(
  current: readonly SimulatedRun[],
  edited: readonly SimulatedRun[] | null,
  keyOf: (run: SimulatedRun) => string,
): readonly (readonly string[])[] {
  const [old, now] = [totalsBy(current, keyOf), totalsBy(edited ?? [], keyOf)];
  const names = [...new Set([...Object.keys(old), ...Object.keys(now)])].sort();
  const cells = (total: Total | undefined) => [
    String(total?.operations ?? 0),
    formatBytes(total?.bytes ?? 0),
  ];
  return names.map((name) => [
    name,
    ...cells(old[name]),
    ...(edited === null ? [] : cells(now[name])),
  ]);
}
