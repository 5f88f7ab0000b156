/** From what was measured to what is kept of it, what is found wrong with it, and its score. */
import type { Finding, HealthScore, TableFigures, TableHealth } from './health.ts';

/** What is kept: ages become times, so that they stay true until the table changes. */
export function figuresOf(health: TableHealth): TableFigures {
  const { measuredAtMs, oldestSnapshotAgeMs, lastCommitAgeMs, snapshots } = health;
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
    snapshots: snapshots.length,
    oldestSnapshotAtMs: oldestSnapshotAgeMs === null ? null : measuredAtMs - oldestSnapshotAgeMs,
    lastCommitAtMs: lastCommitAgeMs === null ? null : measuredAtMs - lastCommitAgeMs,
    commitsPerDay: health.commitsPerDay,
    metadataBytes: health.metadataBytes,
    refs: health.refs,
    detail: health.detail,
  };
}

/** Small files and drifted totals alone. */
export function assess(health: TableHealth): {
  readonly findings: readonly Finding[];
  readonly score: HealthScore;
} {
  const ratio = health.dataFiles < 2 ? 0 : (health.smallFiles ?? 0) / health.dataFiles;
  const penalty = Math.round(50 * ratio);
  const because = `${health.smallFiles ?? 0} of ${health.dataFiles} files are small`;
  const parts = penalty === 0 ? [] : [{ name: 'small_files', penalty, because }];
  const drift = driftOf(health);
  return { findings: drift === null ? [] : [drift], score: { value: 100 - penalty, parts } };
}

const SUMMARY_TOTALS = [
  ['total-records', 'records'],
  ['total-data-files', 'dataFiles'],
  ['total-files-size', 'totalBytes'],
  ['total-delete-files', 'deleteFiles'],
] as const;

/** The head's summary against what its manifests list; `null`: they agree, or were not compared. */
function driftOf(health: TableHealth): Finding | null {
  if (health.manifests === null) return null;
  const head = health.snapshots.find((one) => one.snapshotId === health.snapshotId);
  const differences = SUMMARY_TOTALS.flatMap(([name, field]) => {
    const told = head?.summary[name];
    // A record that a delete file takes away still counts in the summary.
    if (told === undefined || (field === 'records' && health.deleteFiles > 0)) return [];
    return Number(told) === health[field] ? [] : [`${name} ${told}, in fact ${health[field]}`];
  });
  if (differences.length === 0) return null;
  return {
    code: 'totals_drifted',
    severity: 'warning',
    message:
      `the summary of snapshot ${health.snapshotId} tells ${differences.join('; ')}: ` +
      'find the writer that commits wrong totals; counts shown here are those of the manifests',
  };
}
