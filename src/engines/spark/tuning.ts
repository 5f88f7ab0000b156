/** The tuning of a compaction as Iceberg's procedure and a Spark session take it. Pure. */
import type { Statement } from '../../domain/engine.ts';
import type { CompactOperation } from '../../domain/operation.ts';

/** Beyond this share of the target a file is too large (Iceberg's own default). */
const TOO_LARGE_SHARE = 1.8;

/** Options of `rewrite_data_files`; none where there is no tuning. */
export function tuningOptions({ targetFileSizeBytes, tuning }: CompactOperation) {
  const size = tuning?.outputFileSizeBytes;
  return {
    'target-file-size-bytes': size ?? targetFileSizeBytes,
    // A smaller size is for the files that are written: those of the target size stay as they are.
    'max-file-size-bytes':
      size === undefined ? undefined : Math.floor(targetFileSizeBytes * TOO_LARGE_SHARE),
    'max-file-group-size-bytes': tuning?.maxFileGroupSizeBytes,
    'max-concurrent-file-group-rewrites': tuning?.concurrentFileGroups,
    'rewrite-job-order': tuning?.largestFirst === true ? 'bytes-desc' : undefined,
    'shuffle-partitions-per-file': tuning?.shufflePartitionsPerFile,
  };
}

/** The procedure has no option for it: the writers take it from their session. */
export function tuningSettings({ tuning }: CompactOperation): Pick<Statement, 'settings'> {
  const level = tuning?.zstdLevel;
  if (level === undefined) return {};
  return { settings: { 'spark.sql.iceberg.compression-level': String(level) } };
}
