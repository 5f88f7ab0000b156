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

/** Placeholder of the integrator's: small files alone. */
export function assess(health: TableHealth): {
  readonly findings: readonly Finding[];
  readonly score: HealthScore;
} {
  const ratio = health.dataFiles < 2 ? 0 : (health.smallFiles ?? 0) / health.dataFiles;
  const penalty = Math.round(50 * ratio);
  const because = `${health.smallFiles ?? 0} of ${health.dataFiles} files are small`;
  const parts = penalty === 0 ? [] : [{ name: 'small_files', penalty, because }];
  return { findings: [], score: { value: 100 - penalty, parts } };
}
