/** What is kept of a measurement, what a person should know of it, and how good the table is. */
import { formatBytes } from '../units.ts';
import type { Finding, HealthScore, TableFigures, TableHealth } from './health.ts';

const WEEK_MS = 7 * 86_400_000;

/**
 * The measurement without ages: it stays true as long as the table's metadata do. The rate of
 * commits is that of the seven days before the last one.
 */
export function figuresOf(health: TableHealth): TableFigures {
  const head = health.snapshots.find((one) => one.snapshotId === health.snapshotId);
  const lastCommitAtMs = head?.committedAtMs ?? null;
  const times = health.snapshots.map((one) => one.committedAtMs);
  const inWeek = times.filter((at) => at > (lastCommitAtMs ?? 0) - WEEK_MS).length;
  return {
    tableUuid: health.tableUuid,
    snapshotId: health.snapshotId,
    formatVersion: health.formatVersion,
    records: health.records,
    dataFiles: health.dataFiles,
    totalBytes: health.totalBytes,
    smallFiles: health.smallFiles,
    deleteFiles: health.deleteFiles,
    deleteRatio: health.deleteRatio,
    manifests: health.manifests,
    partitions: health.partitions,
    filesPerPartitionMax: health.filesPerPartitionMax,
    clusteringDepth: health.clusteringDepth,
    targetFileSizeBytes: health.targetFileSizeBytes,
    snapshots: health.snapshots.length,
    oldestSnapshotAtMs:
      times.length === 0 ? null : times.reduce((least, at) => Math.min(least, at)),
    lastCommitAtMs,
    commitsPerDay: inWeek / 7,
    metadataBytes: health.metadataBytes,
    refs: health.refs,
    detail: health.detail,
  };
}

/** Findings, gravest first, and the score. What was not measured takes nothing off. */
export function assess(health: TableHealth): {
  readonly findings: readonly Finding[];
  readonly score: HealthScore;
} {
  const gravity = { critical: 0, warning: 1, info: 2 } as const;
  const findings = RULES.flatMap((rule) => rule(health) ?? []).sort(
    (left, right) => gravity[left.severity] - gravity[right.severity],
  );
  return { findings, score: scoreOf(health) };
}

type Rule = (health: TableHealth) => Finding | null;

/** More extra files than this, and half of all: worth a person's attention. */
const BACKLOG_FILES = 100;
/** The alert of the seeds: queries on such tables are slow to plan. */
const CRITICAL_SMALL_FILES = 100_000;
/** The threshold from which the planner's defaults rewrite deletes. */
const DELETE_RATIO = 0.1;
/** Fewer cost nothing, whatever their ratio. */
const DELETE_FILES = 5;
/** The alert of the seeds. */
const SNAPSHOTS = 1_000;
/** Every commit writes the whole of it, every planning of a query reads it. */
const METADATA_BYTES = 16 * 2 ** 20;
/** Iceberg names 100 earlier metadata files at most, and never deletes one unasked. */
const METADATA_LOG = 50;
const MANIFESTS = 500;
/** Floe's threshold for a critical skew. */
const SKEW = 10;
const CLEAN_METADATA = 'write.metadata.delete-after-commit.enabled';

const RULES: readonly Rule[] = [
  ({ detail, dataFiles, smallFiles, targetFileSizeBytes }) => {
    const backlog = detail?.backlogFiles ?? 0;
    if (backlog < BACKLOG_FILES || backlog < dataFiles / 2) return null;
    const critical = (smallFiles ?? 0) > CRITICAL_SMALL_FILES;
    const needed = dataFiles - backlog;
    return found(
      'small_files',
      critical ? 'critical' : 'warning',
      `${dataFiles} data files where ${needed} of ${formatBytes(targetFileSizeBytes)} would do: ` +
        'compact the table',
    );
  },
  ({ deleteRatio, deleteFiles, dataFiles, detail }) => {
    if (deleteRatio < DELETE_RATIO || deleteFiles < DELETE_FILES) return null;
    const equality = detail?.deletes.equalityFiles ?? 0;
    const told = equality > 0 ? `, ${equality} of them equality deletes, the dearest to read` : '';
    return found(
      'many_deletes',
      'warning',
      `${deleteFiles} delete files on ${dataFiles} data files${told}: rewrite the deletes`,
    );
  },
  ({ snapshots }) =>
    snapshots.length <= SNAPSHOTS
      ? null
      : found(
          'many_snapshots',
          'warning',
          `${snapshots.length} snapshots are kept: expire those that nobody needs`,
        ),
  ({ metadataBytes }) =>
    (metadataBytes ?? 0) < METADATA_BYTES
      ? null
      : found(
          'metadata_large',
          'warning',
          `the table's metadata have ${formatBytes(metadataBytes ?? 0)}, which every commit ` +
            'writes anew: expire snapshots',
        ),
  ({ properties, metadataLogEntries }) =>
    properties[CLEAN_METADATA] === 'true' || metadataLogEntries < METADATA_LOG
      ? null
      : found(
          'metadata_grows',
          'warning',
          `every commit leaves a metadata file behind, and ${metadataLogEntries} are still named: ` +
            `set ${CLEAN_METADATA} to true`,
        ),
  ({ manifests, dataFiles }) =>
    (manifests ?? 0) < MANIFESTS || (manifests ?? 0) < dataFiles / 100
      ? null
      : found(
          'many_manifests',
          'info',
          `${manifests} manifests list ${dataFiles} data files: rewrite the manifests`,
        ),
  ({ detail, partitions }) =>
    detail === null || detail.partitionSkew < SKEW
      ? null
      : found(
          'partition_skew',
          'info',
          `the largest of ${partitions} partitions has ${round(detail.partitionSkew)} times the ` +
            'bytes of the mean: consider a finer partitioning',
        ),
  driftOf,
];

/** The totals that writers carry from summary to summary, against what the manifests list. */
function driftOf(health: TableHealth): Finding | null {
  const head = health.snapshots.find((one) => one.snapshotId === health.snapshotId);
  if (health.detail === null || head === undefined) return null;
  const counted = {
    'total-records': health.records,
    'total-data-files': health.dataFiles,
    'total-delete-files': health.deleteFiles,
    'total-files-size': health.totalBytes,
  };
  const drifted = Object.entries(counted).filter(([name, value]) => {
    const told = head.summary[name];
    return told !== undefined && Number(told) !== value;
  });
  if (drifted.length === 0) return null;
  const told = drifted.map(([name, value]) => `${name} ${head.summary[name]}, counted ${value}`);
  return found(
    'totals_drifted',
    'warning',
    `the summary of snapshot ${head.snapshotId} does not say what its manifests list ` +
      `(${told.join('; ')}): trust the counted figures; the writer of the table is at fault`,
  );
}

function found(code: string, severity: Finding['severity'], message: string): Finding {
  return { code, severity, message };
}

/** What can be taken off for each, at most; together 100. */
const WEIGHTS = {
  files: 35,
  deletes: 20,
  snapshots: 15,
  clustering: 10,
  manifests: 10,
  metadata: 5,
  skew: 5,
} as const;

type Part = HealthScore['parts'][number];

function scoreOf(health: TableHealth): HealthScore {
  const { detail, dataFiles, deleteFiles } = health;
  const backlog = detail?.backlogFiles ?? 0;
  const depth = health.clusteringDepth ?? 1;
  const skew = detail?.partitionSkew ?? 1;
  const metadataBytes = health.metadataBytes ?? 0;
  const parts: readonly Part[] = [
    // A share alone would blame a table of two files as much as one of two thousand.
    part('files', (backlog / Math.max(1, dataFiles)) * grown(backlog, 1, 1_000), () => {
      return `${backlog} of ${dataFiles} data files are more than the target size needs`;
    }),
    part('deletes', health.deleteRatio * grown(deleteFiles, 1, 100), () => {
      return `${deleteFiles} delete files on ${dataFiles} data files`;
    }),
    part('snapshots', grown(health.snapshots.length, 100, 2_000), () => {
      return `${health.snapshots.length} snapshots are kept`;
    }),
    part('clustering', grown(depth, 1.5, 100), () => {
      return `a sorted value is in ${round(depth)} files of its partition on average`;
    }),
    part('manifests', grown(health.manifests ?? 0, 100, 1_000), () => {
      return `${health.manifests} manifests are read to plan a query`;
    }),
    part('metadata', grown(metadataBytes, 2 ** 20, 2 ** 26), () => {
      return `the metadata have ${formatBytes(metadataBytes)}`;
    }),
    part('skew', grown(skew, 3, 30), () => {
      return `the largest partition has ${round(skew)} times the bytes of the mean`;
    }),
  ].filter((one) => one.penalty > 0);
  const lost = parts.reduce((total, one) => total + one.penalty, 0);
  return { value: round(Math.max(0, 100 - lost)), parts };
}

/** 0 at `from` and below, 1 at `to` and above, by orders of magnitude between. */
function grown(value: number, from: number, to: number): number {
  if (value <= from) return 0;
  return Math.min(1, Math.log(value / from) / Math.log(to / from));
}

function part(name: keyof typeof WEIGHTS, share: number, because: () => string): Part {
  const penalty = round(WEIGHTS[name] * Math.min(1, share));
  return { name, penalty, because: penalty > 0 ? because() : '' };
}

/** One decimal. */
function round(value: number): number {
  return Number(value.toFixed(1));
}
