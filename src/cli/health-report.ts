/** Health for people and for programs. */
import type { HealthPoint } from '../activities/ledger-port.ts';
import type { Finding, HealthScore, TableHealth, TableReport } from '../domain/health/health.ts';
import { resample } from '../domain/health/history.ts';
import { formatBytes, formatDuration } from '../domain/units.ts';
import type { ShownTable } from './health-measure.ts';
import { sparkline } from './sparkline.ts';
import type { Terminal } from './terminal.ts';

const SPARK_COLUMNS = 14;

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** One row for each table, worst first, and below it what was found. */
export function tellHealth(terminal: Terminal, tables: readonly ShownTable[], span: Span): void {
  const since = formatDuration(span.toMs - span.fromMs);
  terminal.table(
    [
      ...['table', '>score', '>records', '>files', `files, ${since}`, '>small'],
      ...['>deletes', '>bytes', '>snapshots', '>last commit'],
    ],
    tables.map((one) => rowOf(one, span)),
  );
  const told = tables.flatMap(({ report }) =>
    report.findings.map((finding) => ({ table: report.table, finding })),
  );
  if (told.length > 0) terminal.print();
  for (const { table, finding } of told) terminal.print(findingLine(terminal, finding, table));
}

function rowOf({ report, health, history }: ShownTable, span: Span): readonly string[] {
  if (health === null) return [report.table, '!', '?', '?', trend(history, null, span)];
  return [
    report.table,
    String(report.score?.value ?? '?'),
    health.records.toLocaleString('en'),
    String(health.dataFiles),
    trend(history, health.dataFiles, span),
    String(health.smallFiles ?? '?'),
    String(health.deleteFiles),
    formatBytes(health.totalBytes),
    String(health.snapshots.length),
    lastCommit(health, span.toMs),
  ];
}

/** The age grows while a table stays as it was measured. */
function lastCommit({ lastCommitAgeMs, measuredAtMs }: TableHealth, nowMs: number): string {
  if (lastCommitAgeMs === null) return 'never';
  return `${formatDuration(Math.max(0, lastCommitAgeMs + nowMs - measuredAtMs))} ago`;
}

/** Data files over time; the last column is what was measured now. */
export function trend(
  history: readonly HealthPoint[],
  dataFiles: number | null,
  span: Span,
): string {
  const points = history.map((point) => ({ atMs: point.atMs, value: point.dataFiles }));
  const values = resample(points, { ...span, columns: SPARK_COLUMNS });
  if (dataFiles === null) return sparkline(values);
  return sparkline([...values.slice(0, -1), dataFiles]);
}

/** `critical lake.bronze.raw_orders: it cannot be measured …` */
export function findingLine(terminal: Terminal, finding: Finding, table: string): string {
  const { severity, code, message } = finding;
  const mark = severity === 'critical' ? terminal.red(severity) : severity;
  return `${mark} ${table}: ${code}: ${message}`;
}

/** `score 63 of 100: −30 small files (60 of 80 are small), −7 …` */
export function scoreLine(score: HealthScore | null): string {
  if (score === null) return 'score unknown';
  const parts = score.parts
    .filter((part) => part.penalty > 0)
    .map((part) => `−${part.penalty} ${part.name.replace(/_/g, ' ')} (${part.because})`);
  return `score ${score.value} of 100${parts.length === 0 ? '' : `: ${parts.join(', ')}`}`;
}

/** As the contract has it: snapshots are counted here, not listed. */
export function healthJson({ report, health }: ShownTable) {
  const { failure: error, findings, score } = report;
  if (health === null) return { ...unknownJson(report), error, findings, score };
  const { snapshots, partitionHealth: _perPartition, properties: _properties, ...rest } = health;
  return { ...rest, snapshots: snapshots.length, error: null, findings, score };
}

/** Every field of the contract is there, also of a table that could not be measured. */
function unknownJson({ table }: TableReport) {
  return {
    table,
    tableUuid: null,
    snapshotId: null,
    formatVersion: null,
    records: null,
    dataFiles: null,
    totalBytes: null,
    smallFiles: null,
    deleteFiles: null,
    manifests: null,
    partitions: null,
    snapshots: null,
    oldestSnapshotAgeMs: null,
    refs: [],
    filesPerPartitionMax: null,
    deleteRatio: null,
    clusteringDepth: null,
    detail: null,
  };
}
