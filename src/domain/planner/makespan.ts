/** How long a bin-packing keeps an engine's cores busy, in bytes that one core gets through. */

/** What is rewritten of one partition: each is a file group of its own. */
export interface PartitionLoad {
  readonly files: number;
  readonly bytes: number;
  /** Delete files that every task of the partition has to read. */
  readonly deleteFiles: number;
}

/** Equal tasks, each of which writes one file. */
export interface Tasks {
  readonly count: number;
  readonly bytes: number;
}

/** Below this share of the target a rest is spread over the other files (Iceberg's planner). */
const REST_SHARE = 0.75;
/** Unless they would grow by more than this (Iceberg's planner). */
const GROWTH_MAX = 1.1;
/** What a task costs besides its bytes: 0.1 to 0.2 s, in which a core reads and writes this much. */
const TASK_BYTES = 4 * 2 ** 20;
/** What opening one delete file costs a task. */
const DELETE_FILE_BYTES = 2 ** 20;
/** So many tasks a core fill it evenly whatever their sizes. */
const EVEN_TASKS_PER_CORE = 16;

/**
 * The tasks into which Iceberg's planner packs a file group: full ones, and one for the rest
 * (`SizeBasedFileRewritePlanner` of Iceberg 1.12).
 */
export function tasksOf({ bytes }: PartitionLoad, targetBytes: number): readonly Tasks[] {
  if (bytes <= targetBytes) return [{ count: 1, bytes }];
  const full = Math.floor(bytes / targetBytes);
  const rest = bytes - full * targetBytes;
  if (rest === 0) return [{ count: full, bytes: targetBytes }];
  const spread = rest <= REST_SHARE * targetBytes && bytes / full < GROWTH_MAX * targetBytes;
  if (spread) return [{ count: full, bytes: bytes / full }];
  return [
    { count: full, bytes: targetBytes },
    { count: 1, bytes: rest },
  ];
}

/** Files that a compaction of the partition leaves. */
export function outputFiles(load: PartitionLoad, targetBytes: number): number {
  return tasksOf(load, targetBytes).reduce((total, { count }) => total + count, 0);
}

export interface Span {
  /** Until the last core is done. */
  readonly bytes: number;
  /** Share of that time in which the cores work, 0 to 1. */
  readonly busy: number;
}

/** The largest tasks first, each to the core that is free first: what `bytes-desc` makes of it. */
export function spanOf(loads: readonly PartitionLoad[], targetBytes: number, cores: number): Span {
  const tasks = loads
    .flatMap((load) =>
      tasksOf(load, targetBytes).map(({ count, bytes }) => ({
        count,
        cost: bytes + TASK_BYTES + load.deleteFiles * DELETE_FILE_BYTES,
      })),
    )
    .sort((a, b) => b.cost - a.cost);
  const total = tasks.reduce((sum, { count, cost }) => sum + count * cost, 0);
  const count = tasks.reduce((sum, one) => sum + one.count, 0);
  if (count === 0) return { bytes: 0, busy: 1 };
  const longest = tasks[0]?.cost ?? 0;
  const bytes =
    count > cores * EVEN_TASKS_PER_CORE
      ? Math.max(longest, total / cores)
      : lastCoreDone(
          tasks.flatMap((one) => Array<number>(one.count).fill(one.cost)),
          cores,
        );
  return { bytes, busy: total / (cores * bytes) };
}

function lastCoreDone(costs: readonly number[], cores: number): number {
  // Ascending: the first core is the one that is free first.
  const lanes = Array<number>(Math.min(cores, costs.length)).fill(0);
  for (const cost of costs) {
    const free = (lanes.shift() as number) + cost;
    let [low, high] = [0, lanes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((lanes[middle] as number) < free) low = middle + 1;
      else high = middle;
    }
    lanes.splice(low, 0, free);
  }
  return lanes.at(-1) ?? 0;
}
