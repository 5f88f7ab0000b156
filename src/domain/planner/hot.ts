/**
 * Partitions that others are writing are left out: the next commit would undo the work, and one
 * that deletes there would make the rewrite fail.
 */
import type { PartitionHealth, TableHealth } from '../health/health.ts';
import type { Reason } from '../operation.ts';
import { writtenByOthers } from '../watermark.ts';

/** An hour: writers that commit more rarely leave room for a rewrite between two commits. */
export const HOT_MS = 3_600_000;
/** Deletes and overwrites an hour from which on a rewrite of all would rarely commit. */
const CONFLICTS_PER_HOUR = 4;

export interface Heat {
  /** What may be rewritten now. */
  readonly cold: readonly PartitionHealth[];
  readonly reasons: readonly Reason[];
  /** Nothing may be rewritten now. */
  readonly waits: boolean;
  /** Times from which on more may be rewritten, if nobody writes meanwhile. */
  readonly coolAtMs: readonly number[];
}

/**
 * Where all data are in one partition, or all partitions are written, leaving out would mean never:
 * then a rewrite goes ahead, unless commits that it could conflict with come too often.
 */
export function judgeHeat(health: TableHealth, nowMs: number): Heat {
  const all = (health.partitionHealth ?? []).filter((one) => one.dataFiles > 0);
  const hot = all.filter((one) => isHot(one, nowMs));
  if (hot.length === 0) return { cold: all, reasons: [], waits: false, coolAtMs: [] };
  if (hot.length === all.length) return judgeWhole(health, all, nowMs);
  const cold = all.filter((one) => !hot.includes(one));
  const ends = hot.map((one) => (one.writtenByOthersAtMs as number) + HOT_MS);
  return {
    cold,
    waits: false,
    coolAtMs: [...new Set(ends)].sort((a, b) => a - b),
    reasons: [
      {
        metric: 'hot_partitions',
        value: hot.length,
        threshold: null,
        met: true,
        because:
          `${hot.length} of ${all.length} partitions were written by others within the last hour ` +
          `and are left out: ${hot.slice(0, 3).map(nameOf).join('; ')}${hot.length > 3 ? '; …' : ''}`,
      },
    ],
  };
}

function isHot({ writtenByOthersAtMs }: PartitionHealth, nowMs: number): boolean {
  return writtenByOthersAtMs !== null && nowMs - writtenByOthersAtMs < HOT_MS;
}

function nameOf({ partition }: PartitionHealth): string {
  return Object.entries(partition)
    .map(([name, value]) => `${name}=${value}`)
    .join(', ');
}

/** Appends never conflict with a rewrite; deletes and overwrites do. */
function judgeWhole(health: TableHealth, all: readonly PartitionHealth[], nowMs: number): Heat {
  const times = health.snapshots
    .filter((one) => writtenByOthers(one) && one.operation !== 'append')
    .map((one) => one.committedAtMs)
    .filter((atMs) => nowMs - atMs < HOT_MS)
    .sort((a, b) => b - a);
  const waits = times.length >= CONFLICTS_PER_HOUR;
  return {
    cold: waits ? [] : all,
    waits,
    coolAtMs: waits ? [(times[CONFLICTS_PER_HOUR - 1] as number) + HOT_MS] : [],
    reasons: [
      {
        metric: 'conflicting_commits_last_hour',
        value: times.length,
        threshold: CONFLICTS_PER_HOUR,
        met: !waits,
        because: waits
          ? `all of it is being written, ${times.length} times within the last hour by deletes or ` +
            'overwrites, with which a rewrite would conflict'
          : 'all of it is being written, but by commits that a rewrite does not conflict with',
      },
    ],
  };
}
