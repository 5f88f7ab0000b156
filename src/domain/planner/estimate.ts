/** What a compaction would gain, partition by partition: totals of a table say nothing of it. */
import type { PartitionHealth, TableHealth } from '../health/health.ts';
import type { Estimate, PartGain } from '../operation.ts';
import type { CompactPolicy } from '../policy/policy.ts';
import { clusteringGain, depthOf } from './recluster.ts';

export interface CompactionEstimate extends Estimate {
  /** Small files of the partitions that would be rewritten. */
  readonly smallFiles: number;
  readonly reduction: number;
  readonly partitions: number;
  /** Best first: most files fewer for each byte. */
  readonly parts: readonly PartGain[];
}

export interface EstimateOptions {
  readonly targetFileSizeBytes: number;
  readonly minInputFiles: number;
}

/**
 * Bin-pack: only partitions with at least `minInputFiles` small files count, and only where
 * n small files of b bytes become fewer than n, that is ceil(b / target).
 * @param among the partitions that may be rewritten; default: all
 * @returns `null` when the manifests were not read
 */
export function estimateBinpack(
  health: TableHealth,
  options: EstimateOptions,
  among: readonly PartitionHealth[] | null = health.partitionHealth,
): CompactionEstimate | null {
  if (among === null || health.partitionHealth === null) return null;
  const chosen = among
    .filter((one) => one.smallFiles >= options.minInputFiles)
    .map((one) => ({ one, after: filesFor(one.smallBytes, options.targetFileSizeBytes) }))
    .filter(({ one, after }) => one.smallFiles > after);
  const parts = chosen.map(({ one, after }): PartGain => {
    // Deletes go with the last data file that they apply to.
    const deletes = one.smallFiles === one.dataFiles ? one.deleteFiles : 0;
    return {
      key: one.key,
      gain: one.smallFiles - after + deletes,
      filesBefore: one.smallFiles,
      filesAfter: after,
      bytes: one.smallBytes,
    };
  });
  const reduction = sum(chosen, ({ one, after }) => one.smallFiles - after);
  return {
    filesBefore: health.dataFiles,
    filesAfter: health.dataFiles - reduction,
    bytesRewritten: sum(parts, (one) => one.bytes),
    smallFiles: sum(chosen, ({ one }) => one.smallFiles),
    reduction,
    partitions: parts.length,
    parts: bestFirst(parts),
  };
}

/** Sorting or Z-ordering these partitions again, their well-sized files too. */
export function estimateRecluster(
  health: TableHealth,
  policy: CompactPolicy,
  partitions: readonly PartitionHealth[],
): CompactionEstimate {
  const parts = partitions.map((one): PartGain => {
    const after = filesFor(one.totalBytes, policy.targetFileSizeBytes);
    const gain = clusteringGain(one, depthOf(one, policy) ?? 1) + one.deleteFiles;
    const { key, dataFiles: filesBefore, totalBytes: bytes } = one;
    return { key, gain, filesBefore, filesAfter: after, bytes };
  });
  const reduction = sum(parts, (one) => one.filesBefore - one.filesAfter);
  return {
    filesBefore: health.dataFiles,
    filesAfter: health.dataFiles - reduction,
    bytesRewritten: sum(parts, (one) => one.bytes),
    smallFiles: sum(partitions, (one) => one.smallFiles),
    reduction,
    partitions: parts.length,
    parts: bestFirst(parts),
  };
}

/** Sort and Z-order by hand rewrite every file, the well-sized ones too. */
export function estimateRewriteAll(
  health: TableHealth,
  targetFileSizeBytes: number,
): Estimate | null {
  if (health.partitionHealth === null) return null;
  const filled = health.partitionHealth.filter((one) => one.dataFiles > 0);
  return {
    filesBefore: health.dataFiles,
    filesAfter: sum(filled, (one) => filesFor(one.totalBytes, targetFileSizeBytes)),
    bytesRewritten: health.totalBytes,
  };
}

/** The part of an estimate that some of its partitions make up. */
export function estimateOfParts(whole: Estimate, parts: readonly PartGain[]): Estimate {
  const reduction = sum(parts, (one) => one.filesBefore - one.filesAfter);
  return {
    filesBefore: whole.filesBefore,
    filesAfter: whole.filesBefore - reduction,
    bytesRewritten: sum(parts, (one) => one.bytes),
  };
}

function filesFor(bytes: number, targetFileSizeBytes: number): number {
  return Math.max(1, Math.ceil(bytes / targetFileSizeBytes));
}

function bestFirst(parts: readonly PartGain[]): readonly PartGain[] {
  const rate = ({ gain, bytes }: PartGain) => gain / Math.max(1, bytes);
  return [...parts].sort((a, b) => rate(b) - rate(a));
}

function sum<T>(items: readonly T[], of: (item: T) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}
