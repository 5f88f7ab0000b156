/** What a compaction would gain, partition by partition: totals of a table say nothing of it. */
import type { TableHealth } from '../health/health.ts';
import type { Estimate } from '../operation.ts';

export interface CompactionEstimate extends Estimate {
  /** Small files of the partitions that would be rewritten. */
  readonly smallFiles: number;
  readonly reduction: number;
  readonly partitions: number;
}

export interface EstimateOptions {
  readonly targetFileSizeBytes: number;
  readonly minInputFiles: number;
}

/**
 * Bin-pack: only partitions with at least `minInputFiles` small files count, and only where
 * n small files of b bytes become fewer than n, that is ceil(b / target).
 * @returns `null` when the manifests were not read
 */
export function estimateBinpack(
  health: TableHealth,
  options: EstimateOptions,
): CompactionEstimate | null {
  if (health.partitionHealth === null) return null;
  const gains = health.partitionHealth
    .filter((one) => one.smallFiles >= options.minInputFiles)
    .map((one) => ({
      files: one.smallFiles,
      bytes: one.smallBytes,
      gain: one.smallFiles - Math.max(1, Math.ceil(one.smallBytes / options.targetFileSizeBytes)),
    }))
    .filter((one) => one.gain > 0);
  const reduction = sum(gains.map((one) => one.gain));
  return {
    filesBefore: health.dataFiles,
    filesAfter: health.dataFiles - reduction,
    bytesRewritten: sum(gains.map((one) => one.bytes)),
    smallFiles: sum(gains.map((one) => one.files)),
    reduction,
    partitions: gains.length,
  };
}

/** Sort and Z-order by hand rewrite every file, the well-sized ones too. */
export function estimateRewriteAll(
  health: TableHealth,
  targetFileSizeBytes: number,
): Estimate | null {
  if (health.partitionHealth === null) return null;
  const after = health.partitionHealth
    .filter((one) => one.dataFiles > 0)
    .map((one) => Math.max(1, Math.ceil(one.totalBytes / targetFileSizeBytes)));
  return {
    filesBefore: health.dataFiles,
    filesAfter: sum(after),
    bytesRewritten: health.totalBytes,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
