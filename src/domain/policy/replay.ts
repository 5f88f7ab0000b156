/**
 * What writers did to a table, read off its recorded history: the change from point to point, less
 * what maintenance did in between. From this, another past can be told.
 */
import type { Receipt } from '../receipt.ts';

/** What was measured of a table at one time, as the ledger keeps it. */
export interface HistoryPoint {
  readonly atMs: number;
  readonly dataFiles: number;
  readonly smallFiles: number | null;
  readonly totalBytes: number;
  readonly snapshots: number;
  readonly deleteFiles: number;
  /** `null`: not measured, or not yet kept at that time; so are those below. */
  readonly smallBytes: number | null;
  readonly manifests: number | null;
  readonly deleteRatio: number | null;
  /** Data files beyond what the target size needs, summed over the partitions. */
  readonly backlogFiles: number | null;
}

/** A table as the simulation knows it. `null`: the history does not tell. */
export interface ReplayState {
  readonly dataFiles: number;
  readonly smallFiles: number | null;
  readonly smallBytes: number | null;
  readonly backlogFiles: number | null;
  readonly totalBytes: number;
  readonly deleteFiles: number;
  readonly deleteRatio: number | null;
  readonly manifests: number | null;
  /** When each snapshot that is there was committed, oldest first. */
  readonly commitsMs: readonly number[];
}

/** One step of the writers. */
export interface Arrival {
  readonly atMs: number;
  readonly dataFiles: number;
  readonly smallFiles: number;
  readonly smallBytes: number;
  readonly backlogFiles: number;
  readonly totalBytes: number;
  readonly deleteFiles: number;
  readonly deleteRatio: number;
  readonly manifests: number;
  readonly commits: number;
}

/** Snapshots that are there at the beginning count as committed then: nothing older is known. */
export function stateAt(point: HistoryPoint): ReplayState {
  const { atMs, snapshots, ...rest } = point;
  return { ...rest, commitsMs: Array.from({ length: snapshots }, () => atMs) };
}

/**
 * @param points oldest first
 * @param receipts of the table; what they took away is given back to the writers' account
 */
export function arrivalsOf(
  points: readonly HistoryPoint[],
  receipts: readonly Receipt[],
): readonly Arrival[] {
  return points.slice(1).map((point, index) => {
    const before = points[index] as HistoryPoint;
    const between = receipts.filter(({ finishedAt }) => {
      const atMs = Date.parse(finishedAt);
      return atMs > before.atMs && atMs <= point.atMs;
    });
    const removed = (pick: (receipt: Receipt) => number) =>
      between.reduce((sum, receipt) => sum + Math.max(0, pick(receipt)), 0);
    const files = removed((one) => one.filesBefore - one.filesAfter);
    const compacted = between.some(({ operation }) => operation === 'compact');
    const deletesRewritten =
      compacted || between.some((one) => one.operation === 'rewrite_deletes');
    const grown = (was: number | null, is: number | null) => Math.max(0, (is ?? 0) - (was ?? 0));
    return {
      atMs: point.atMs,
      dataFiles: point.dataFiles - before.dataFiles + files,
      // What a compaction took were small files; what it left of them is in the new point.
      smallFiles: (point.smallFiles ?? 0) - (before.smallFiles ?? 0) + files,
      smallBytes: grown(compacted ? 0 : before.smallBytes, point.smallBytes),
      backlogFiles: grown(compacted ? 0 : before.backlogFiles, point.backlogFiles),
      totalBytes: point.totalBytes - before.totalBytes,
      deleteFiles: grown(deletesRewritten ? 0 : before.deleteFiles, point.deleteFiles),
      deleteRatio: grown(deletesRewritten ? 0 : before.deleteRatio, point.deleteRatio),
      manifests: grown(before.manifests, point.manifests),
      commits: Math.max(
        0,
        point.snapshots -
          before.snapshots +
          removed((one) => one.snapshotsBefore - one.snapshotsAfter),
      ),
    };
  });
}

/** Never below nothing: a history that was thinned out does not add up to the file. */
export function arrive(state: ReplayState, arrival: Arrival): ReplayState {
  const add = (value: number, more: number) => Math.max(0, value + more);
  const known = (value: number | null, more: number) => (value === null ? null : add(value, more));
  return {
    dataFiles: add(state.dataFiles, arrival.dataFiles),
    smallFiles: known(state.smallFiles, arrival.smallFiles),
    smallBytes: known(state.smallBytes, arrival.smallBytes),
    backlogFiles: known(state.backlogFiles, arrival.backlogFiles),
    totalBytes: add(state.totalBytes, arrival.totalBytes),
    deleteFiles: add(state.deleteFiles, arrival.deleteFiles),
    deleteRatio: known(state.deleteRatio, arrival.deleteRatio),
    manifests: known(state.manifests, arrival.manifests),
    commitsMs: [...state.commitsMs, ...Array.from({ length: arrival.commits }, () => arrival.atMs)],
  };
}
