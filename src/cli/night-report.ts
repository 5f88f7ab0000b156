/** The report of a night, for people. */
import { OPERATION_ORDER, type OperationKind, type Plan } from '../domain/operation.ts';
import type { Receipt } from '../domain/receipt.ts';
import { formatBytes, formatDuration } from '../domain/units.ts';
import type { MaintenanceReport, ModelReport, NightlyReport } from '../workflows/messages.ts';
import { decisionSummary, receiptLines } from './receipts.ts';
import type { Terminal } from './terminal.ts';

/** What a table was before the night and is after it. */
export interface TableChange {
  readonly table: string;
  readonly files: readonly [number, number];
  readonly snapshots: readonly [number, number];
  readonly bytes: readonly [number, number];
}

export interface NightTold {
  readonly report: NightlyReport;
  readonly plan: Plan | null;
  readonly changes: readonly TableChange[];
  readonly temporalUiUrl: string;
}

export function tellNight(terminal: Terminal, night: NightTold): void {
  const { report, plan, changes, temporalUiUrl } = night;
  const took = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
  terminal.print();
  terminal.print(terminal.bold(`Night ${report.runId}: ${formatDuration(took)}`));
  terminal.print();
  tellModels(terminal, report.models);
  if (changes.length > 0) {
    terminal.print();
    tellTables(terminal, changes, report.maintenance);
  }
  if (plan !== null) {
    terminal.print();
    tellDecisions(terminal, plan);
  }
  terminal.print();
  tellFailures(terminal, report);
  terminal.print(`Temporal: ${temporalUiUrl}/namespaces/default/workflows?query=${query(report)}`);
}

function query({ runId }: NightlyReport): string {
  return encodeURIComponent(`WorkflowId STARTS_WITH "run/${runId}"`);
}

function tellModels(terminal: Terminal, models: readonly ModelReport[]): void {
  const rows = models.map((one) => [
    one.model,
    one.engine,
    one.status,
    one.rowsWritten.toLocaleString('en'),
    one.startedAt === null || one.finishedAt === null
      ? ''
      : formatDuration(Date.parse(one.finishedAt) - Date.parse(one.startedAt)),
    one.status === 'done' ? '' : one.because,
  ]);
  terminal.table(['model', 'engine', 'status', '>rows written', '>time', ''], rows);
}

function tellTables(
  terminal: Terminal,
  changes: readonly TableChange[],
  maintenance: readonly MaintenanceReport[],
): void {
  const arrow = <T>([before, after]: readonly [T, T], text: (value: T) => string) =>
    before === after ? text(after) : `${text(before)} → ${text(after)}`;
  const rows = changes.map(({ table, files, snapshots, bytes }) => {
    const receipts = maintenance.find((one) => one.table === table)?.operations ?? [];
    return [
      table,
      arrow(files, String),
      arrow(snapshots, String),
      arrow(bytes, formatBytes),
      receipts.map(told).join(', ') || 'nothing due',
    ];
  });
  terminal.table(['table', '>files', '>snapshots', '>bytes', 'maintenance'], rows);
}

function told({ operation, engine, status }: Receipt): string {
  return `${operation.replace(/_/g, ' ')} ${status} (${engine})`;
}

/** Run in full, skipped in short: `icewright explain <table>` has every reason. */
function tellDecisions(terminal: Terminal, plan: Plan): void {
  terminal.print(
    'Decided, and why (measured of needed; "icewright explain <table>" has all of it)',
  );
  const kinds = kindsAskedFor(plan);
  const rows = plan.tables.map(({ table, decisions }) => [
    `  ${table}`,
    ...kinds.map((kind) => {
      const decision = decisions.find((one) => one.kind === kind);
      return decision === undefined ? '' : decisionSummary(decision);
    }),
  ]);
  terminal.table(['', ...kinds.map((kind) => kind.replace(/_/g, ' '))], rows);
}

/** Without those that no policy asks for: eight columns would be wider than any terminal. */
function kindsAskedFor({ tables }: Plan): readonly OperationKind[] {
  const decisions = tables.flatMap((one) => one.decisions);
  const asked = decisions.filter(
    ({ action, reasons }) =>
      action !== 'skip' || !reasons.some(({ metric, met }) => UNASKED.has(metric) && !met),
  );
  return OPERATION_ORDER.filter((kind) => asked.some((one) => one.kind === kind));
}

const UNASKED: ReadonlySet<string> = new Set(['enabled', 'properties_wanting']);

function tellFailures(terminal: Terminal, report: NightlyReport): void {
  for (const model of report.models.filter((one) => one.status === 'failed')) {
    terminal.print(terminal.red(`${model.model} failed: ${model.error ?? model.because}`));
  }
  for (const table of report.maintenance.filter((one) => one.error !== null)) {
    const refused = table.state === 'refused';
    const line = `${table.table} ${refused ? 'refused' : 'failed'}: ${table.error}`;
    terminal.print(refused ? terminal.yellow(line) : terminal.red(line));
    for (const line of receiptLines(table.operations)) terminal.print(`  ${line}`);
  }
}
