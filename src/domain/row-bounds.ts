/** How many live rows a snapshot has, as far as its summary can tell. */
import type { SnapshotInfo, TableHealth } from './health/health.ts';

/**
 * How many live rows there are at least and at most. Equal without delete files; a position delete
 * may name a row twice or one that is gone already, an equality delete any number of rows.
 */
export interface RowBounds {
  readonly min: number;
  readonly max: number;
}

export function rowBounds(health: TableHealth): RowBounds {
  const head = health.snapshots.find((one) => one.snapshotId === health.snapshotId);
  return boundsFrom(head?.summary ?? {}, health.records);
}

/** `null`: its writer left the totals out. */
export function rowBoundsOf({ summary }: SnapshotInfo): RowBounds | null {
  const records = total(summary, 'records');
  return records === null ? null : boundsFrom(summary, records);
}

function boundsFrom(summary: SnapshotInfo['summary'], max: number): RowBounds {
  if ((total(summary, 'equality-deletes') ?? 0) > 0) return { min: 0, max };
  return { min: Math.max(0, max - (total(summary, 'position-deletes') ?? 0)), max };
}

export function total(summary: SnapshotInfo['summary'], name: string): number | null {
  const text = summary[`total-${name}`];
  const value = text === undefined ? Number.NaN : Number(text);
  return value >= 0 ? value : null;
}

export function isExact({ min, max }: RowBounds): boolean {
  return min === max;
}

/** `7`, or `4 to 7`. */
export function formatBounds({ min, max }: RowBounds): string {
  return min === max ? `${max}` : `${min} to ${max}`;
}
