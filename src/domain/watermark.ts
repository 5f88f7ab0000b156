/** What a model's commit says of itself, kept in the target's snapshot (design §3.8). */
import type { SnapshotInfo, TableHealth } from './health/health.ts';

/** Run that made the snapshot. */
export const RUN_ID_PROPERTY = 'icewright.run-id';
/** Model that made it. */
export const MODEL_PROPERTY = 'icewright.model';
/** JSON object: input table → id of the snapshot that was consumed. */
export const INPUTS_PROPERTY = 'icewright.inputs';

export type Inputs = Readonly<Record<string, string>>;

/** A snapshot of one table that a model has read up to. What follows it is still unread. */
export interface ConsumedSnapshot {
  readonly snapshotId: string;
  /** Table that the model writes, for people. */
  readonly consumer: string;
}

export interface Consumers {
  readonly consumed: readonly ConsumedSnapshot[];
  /** Tables whose watermark cannot be read: what they still need is not known. */
  readonly unreadable: readonly string[];
}

/**
 * The inputs that a snapshot consumed: `null` when it carries none, `'unreadable'` when what it
 * carries is not what Icewright writes.
 */
export function readInputs(summary: SnapshotInfo['summary']): Inputs | 'unreadable' | null {
  const text = summary[INPUTS_PROPERTY];
  if (text === undefined) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'unreadable';
    const ids = Object.values(value);
    return ids.every((id) => typeof id === 'string') ? (value as Inputs) : 'unreadable';
  } catch {
    return 'unreadable';
  }
}

/** Whether somebody else's commit wrote rows: no rewrite of files, and no model of ours. */
export function writtenByOthers({ operation, summary }: SnapshotInfo): boolean {
  return operation !== 'replace' && summary[RUN_ID_PROPERTY] === undefined;
}

/** The snapshots of a branch from its head backwards, as far as they are still there. */
export function ancestry(
  snapshots: readonly SnapshotInfo[],
  headId: string | null,
): readonly SnapshotInfo[] {
  const byId = new Map(snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
  const line: SnapshotInfo[] = [];
  let next = headId === null ? undefined : byId.get(headId);
  // Each id is taken out when visited: a loop in broken metadata ends here, not never.
  while (next !== undefined) {
    line.push(next);
    byId.delete(next.snapshotId);
    next = next.parentSnapshotId === null ? undefined : byId.get(next.parentSnapshotId);
  }
  return line;
}

/** The newest watermark on a table's main branch. */
export function newestInputs(health: TableHealth): Inputs | 'unreadable' | null {
  for (const snapshot of ancestry(health.snapshots, health.snapshotId)) {
    const inputs = readInputs(snapshot.summary);
    if (inputs !== null) return inputs;
  }
  return null;
}

/**
 * Which snapshots of `table` other tables' watermarks name.
 * @param targets health of the tables that models with this input write
 */
export function consumersOf(table: string, targets: readonly TableHealth[]): Consumers {
  const consumed: ConsumedSnapshot[] = [];
  const unreadable: string[] = [];
  for (const target of targets) {
    if (target.table === table) continue;
    const inputs = newestInputs(target);
    if (inputs === 'unreadable') unreadable.push(target.table);
    const snapshotId = inputs === null || inputs === 'unreadable' ? undefined : inputs[table];
    if (snapshotId !== undefined) consumed.push({ snapshotId, consumer: target.table });
  }
  return { consumed, unreadable };
}
