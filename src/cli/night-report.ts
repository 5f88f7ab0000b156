/** The report of a night, for people. */
import type { Plan, Receipt } from '../domain/operation.ts';
import { formatBytes, formatDuration } from '../domain/units.ts';
import type { MaintenanceReport, ModelReport, NightlyReport } from '../workflows/messages.ts';
import { decisionLine, receiptLines } from './receipts.ts';
import type { Terminal } from './terminal.ts';

export function tellNight(
  terminal: Terminal,
  report: NightlyReport,
  plan: Plan | null,
  temporalUiUrl: string,
): void {
  const took = Date.parse(report.finishedAt) - Date.parse(report.startedAt);
  terminal.print();
  terminal.print(terminal.bold(`Night ${report.runId}: ${formatDuration(took)}`));
  terminal.print();
  tellModels(terminal, report.models);
  if (plan !== null) {
    terminal.print();
    tellTables(terminal, plan, report.maintenance);
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
  plan: Plan,
  maintenance: readonly MaintenanceReport[],
): void {
  const rows = plan.tables.map(({ table }) => {
    const receipts = maintenance.find((one) => one.table === table)?.operations ?? [];
    const first = receipts[0];
    const last = receipts.at(-1);
    if (first === undefined || last === undefined) return [table, '', '', '', 'nothing due'];
    return [
      table,
      `${first.filesBefore} → ${last.filesAfter}`,
      `${first.snapshotsBefore} → ${last.snapshotsAfter}`,
      `${formatBytes(first.bytesBefore)} → ${formatBytes(last.bytesAfter)}`,
      receipts.map(told).join(', '),
    ];
  });
  terminal.table(['table', '>files', '>snapshots', '>bytes', 'maintenance'], rows);
}

function told({ operation, engine, status }: Receipt): string {
  return `${operation.replace(/_/g, ' ')} ${status} (${engine})`;
}

function tellDecisions(terminal: Terminal, plan: Plan): void {
  terminal.print(terminal.bold('Decided, and why'));
  for (const { table, decisions } of plan.tables) {
    for (const decision of decisions) terminal.print(`  ${table}: ${decisionLine(decision)}`);
  }
}

function tellFailures(terminal: Terminal, report: NightlyReport): void {
  for (const model of report.models.filter((one) => one.status === 'failed')) {
    terminal.print(terminal.red(`${model.model} failed: ${model.error ?? model.because}`));
  }
  for (const table of report.maintenance.filter((one) => one.error !== null)) {
    terminal.print(terminal.red(`${table.table} failed: ${table.error}`));
    for (const line of receiptLines(table.operations)) terminal.print(`  ${line}`);
  }
}
