/**
 * Which partitions are so badly clustered that sorting or Z-ordering them again is worth it,
 * whatever the size of their files: engines choose by size alone.
 */
import type { PartitionHealth } from '../health/health.ts';
import type { Reason } from '../operation.ts';
import type { CompactPolicy } from '../policy/policy.ts';
import type { Trigger } from '../policy/trigger.ts';
import type { Receipt } from '../receipt.ts';

export interface Reclustering {
  /** Deepest of what may be rewritten and was not in vain; `null`: not measured. */
  readonly depth: number | null;
  /** From the depth of the trigger on, the deepest first. */
  readonly partitions: readonly PartitionHealth[];
  readonly reasons: readonly Reason[];
}

/** @param cold the partitions that may be rewritten */
export function judgeClustering(
  cold: readonly PartitionHealth[],
  policy: CompactPolicy,
  receipts: readonly Receipt[],
): Reclustering | null {
  if (policy.strategy === 'binpack' || policy.columns.length === 0) return null;
  const threshold = depthAsked(policy.trigger);
  const rewritten = sequencesOf(policy, receipts);
  const known = cold
    .map((partition) => ({ partition, depth: depthOf(partition, policy) }))
    .filter((one): one is { partition: PartitionHealth; depth: number } => one.depth !== null);
  const settled = known.filter(({ partition }) => rewritten.has(partition.newestSequence));
  const open = known.filter((one) => !settled.includes(one));
  const deep = open
    .filter(({ partition, depth }) => {
      return threshold !== null && depth >= threshold && partition.dataFiles > 1;
    })
    .sort((a, b) => b.depth - a.depth);
  const vain = settled.filter(({ depth }) => threshold !== null && depth >= threshold);
  return {
    depth: open.length === 0 ? null : open.reduce((most, one) => Math.max(most, one.depth), 1),
    partitions: deep.map((one) => one.partition),
    reasons: vain.length === 0 ? [] : [vainReason(vain.length, threshold)],
  };
}

/**
 * How many times as many files a look-up opens as it would have to. Sort: the depth in the first
 * column, since the others only order what is equal there. Z-order: the depth in its worst column
 * over n^((k-1)/k), which is what a perfect Z-order of k columns leaves of n files.
 */
export function depthOf(
  partition: PartitionHealth,
  { strategy, columns }: Pick<CompactPolicy, 'strategy' | 'columns'>,
): number | null {
  const judged = strategy === 'sort' ? columns.slice(0, 1) : columns;
  const depths = partition.clustering
    .filter((one) => judged.includes(one.column))
    .map((one) => one.depth);
  if (depths.length === 0) return null;
  const { length: k } = judged;
  const best = partition.dataFiles ** ((k - 1) / k);
  return Math.max(1, Math.max(...depths) / best);
}

/** Files that an average look-up no longer opens when the depth becomes 1. */
export function clusteringGain({ dataFiles }: PartitionHealth, depth: number): number {
  return dataFiles * (1 - 1 / depth);
}

/** The lowest depth that the trigger names; `null`: it does not look at clustering. */
function depthAsked(trigger: Trigger): number | null {
  if (trigger.kind === 'at_least') {
    return trigger.metric === 'clustering_depth' ? trigger.atLeast : null;
  }
  const asked = trigger.of.map(depthAsked).filter((one) => one !== null);
  return asked.length === 0 ? null : Math.min(...asked);
}

/**
 * Snapshots that rewrote partitions by the same strategy and columns. A partition whose newest file
 * is of one of them is as good as that gets, whatever its depth.
 */
function sequencesOf(policy: CompactPolicy, receipts: readonly Receipt[]): ReadonlySet<unknown> {
  const same = receipts.filter(
    ({ status, planned }) =>
      status === 'done' &&
      planned?.rewriteAll === true &&
      planned.strategy === policy.strategy &&
      planned.columns.join() === policy.columns.join(),
  );
  return new Set(same.flatMap(({ sequenceAfter }) => sequenceAfter ?? []));
}

function vainReason(count: number, threshold: number | null): Reason {
  return {
    metric: 'settled_partitions',
    value: count,
    threshold,
    met: true,
    because:
      `${count} partitions are as deep after they were rewritten as before, and nothing was ` +
      'written to them since: these columns allow no better',
  };
}
