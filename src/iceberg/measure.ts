import type { MeasureOptions } from '../activities/ports.ts';
import type { SnapshotInfo, TableHealth } from '../domain/health/health.ts';
import { type TableRef, tableKey } from '../domain/table.ts';
import { type CountOptions, countFiles, countNothing, type FileCounts } from './file-counts.ts';
import type { ManifestStore } from './manifest-store.ts';
import type { ReadObject } from './manifests.ts';
import type { TableMetadata } from './metadata.ts';

/** Iceberg's own default of `write.target-file-size-bytes`. */
export const DEFAULT_TARGET_BYTES = 512 * 2 ** 20;
/** More than hourly: rewrites must be small there, or the next commit undoes them (design §5). */
const BUSY_COMMITS_PER_DAY = 24;
const BUSY_TARGET_BYTES = 128 * 2 ** 20;

/** A table's metadata as it was loaded, and how to read what it names. */
export interface MeasureInput {
  readonly table: TableRef;
  readonly metadata: TableMetadata;
  /** Length of the text it came as; `null`: not known. */
  readonly metadataBytes: number | null;
  readonly readObject: ReadObject;
  readonly store: ManifestStore;
}

/** Fills a table's health from its metadata and, at depth `files`, the head's manifests. */
export async function measure(input: MeasureInput, options: MeasureOptions): Promise<TableHealth> {
  const { table, metadata } = input;
  const head = headOf(metadata);
  const targetFileSizeBytes =
    options.targetFileSizeBytes ?? targetOf(metadata, commitsPerDay(metadata, options.nowMs));
  const totals = head === null ? NO_FILES : summaryTotals(head);
  // Totals are optional in a summary: where a writer left them out, only the manifests know.
  const { clusteringColumns = [] } = options;
  const mustRead = options.depth === 'files' || totals === null;
  const counts = mustRead
    ? await count(input, head, { targetFileSizeBytes, clusteringColumns })
    : null;
  return {
    ...describe(table, metadata, options.nowMs),
    metadataBytes: input.metadataBytes,
    targetFileSizeBytes,
    ...figures(counts ?? totals ?? NO_FILES),
    ...depthFigures(counts),
  };
}

async function count(
  { metadata, readObject, store }: MeasureInput,
  head: SnapshotInfo | null,
  wanted: CountOptions,
): Promise<FileCounts> {
  const files = head === null ? undefined : metadata.files.get(head.snapshotId);
  if (files === undefined) return countNothing(metadata, wanted);
  return countFiles(metadata, files, wanted, readObject, store);
}

const WEEK_MS = 7 * 86_400_000;

interface Totals {
  readonly records: number;
  readonly dataFiles: number;
  readonly totalBytes: number;
  readonly deleteFiles: number;
}

const NO_FILES: Totals = { records: 0, dataFiles: 0, totalBytes: 0, deleteFiles: 0 };

function headOf(metadata: TableMetadata): SnapshotInfo | null {
  const id = metadata.currentSnapshotId;
  return metadata.snapshots.find((snapshot) => snapshot.snapshotId === id) ?? null;
}

function targetOf(metadata: TableMetadata, commitsADay: number): number {
  const set = Number(metadata.properties['write.target-file-size-bytes']);
  if (Number.isSafeInteger(set) && set > 0) return set;
  return commitsADay > BUSY_COMMITS_PER_DAY ? BUSY_TARGET_BYTES : DEFAULT_TARGET_BYTES;
}

function summaryTotals(head: SnapshotInfo): Totals | null {
  const total = (name: string) => {
    const text = head.summary[`total-${name}`];
    return text === undefined ? Number.NaN : Number(text);
  };
  const totals = {
    records: total('records'),
    dataFiles: total('data-files'),
    totalBytes: total('files-size'),
    deleteFiles: total('delete-files'),
  };
  return Object.values(totals).every((value) => value >= 0) ? totals : null;
}

function figures(totals: Totals) {
  const { records, dataFiles, totalBytes, deleteFiles } = totals;
  const deleteRatio = dataFiles === 0 ? 0 : deleteFiles / dataFiles;
  return { records, dataFiles, totalBytes, deleteFiles, deleteRatio };
}

function depthFigures(counts: FileCounts | null) {
  const detail = counts?.detail ?? null;
  const depths = (detail?.clustering ?? []).map((one) => one.depth);
  return {
    manifests: counts?.manifests ?? null,
    smallFiles: counts?.smallFiles ?? null,
    partitions: counts?.partitionCount ?? null,
    filesPerPartitionMax: counts?.filesPerPartitionMax ?? null,
    partitionHealth: counts?.partitions ?? null,
    clusteringDepth: depths.length === 0 ? null : Math.max(...depths),
    detail,
  };
}

function commitsPerDay({ snapshots }: TableMetadata, nowMs: number): number {
  return snapshots.filter((one) => nowMs - one.committedAtMs < WEEK_MS).length / 7;
}

function describe(table: TableRef, metadata: TableMetadata, nowMs: number) {
  const { snapshots } = metadata;
  const oldest = snapshots.reduce((least, one) => Math.min(least, one.committedAtMs), Infinity);
  const head = headOf(metadata);
  const spec = metadata.specs.get(metadata.defaultSpecId);
  return {
    table: tableKey(table),
    tableUuid: metadata.tableUuid,
    location: metadata.location,
    formatVersion: metadata.formatVersion,
    snapshotId: head?.snapshotId ?? null,
    measuredAtMs: nowMs,
    snapshots,
    oldestSnapshotAgeMs: snapshots.length === 0 ? null : nowMs - oldest,
    lastCommitAgeMs: head === null ? null : nowMs - head.committedAtMs,
    commitsPerDay: commitsPerDay(metadata, nowMs),
    metadataLogEntries: metadata.metadataLog.length,
    refs: metadata.refs,
    properties: metadata.properties,
    statisticsFiles: metadata.statisticsFiles,
    partitionStatisticsFiles: metadata.partitionStatisticsFiles,
    definition: {
      schemaId: metadata.schemaId,
      specId: metadata.defaultSpecId,
      sortOrderId: metadata.sortOrderId,
    },
    columns: metadata.columns,
    partitionFields: (spec?.fields ?? []).map((field) => ({
      name: field.name,
      source: field.source ?? '',
      transform: field.transform,
    })),
  };
}
