/** What across all tables is worth doing first: files fewer for each byte that is rewritten. */
import type { EngineName } from '../engine.ts';
import type { Decision, PartGain, TablePlan } from '../operation.ts';
import type { Receipt } from '../receipt.ts';
import { tableFromKey } from '../table.ts';
import { canName } from './scope.ts';

/** Something that can be done to one table or left for later, as a whole. */
export interface Candidate {
  readonly table: string;
  readonly namespace: string;
  /** Partitions that a compaction rewrites together; `null`: what rewrites no data files. */
  readonly parts: readonly PartGain[] | null;
  /** Files that a reader no longer opens, after the table's correction. */
  readonly gain: number;
  readonly bytes: number;
  readonly engineSeconds: number;
  /** The policy's longest time has passed: before everything else. */
  readonly overdue: boolean;
  /** Files for each GB, growing while it waits. */
  readonly score: number;
}

/** What is known of a table besides its plan. */
export interface TableStanding {
  readonly plan: TablePlan;
  /** From {@link correctionOf}. */
  readonly correction: number;
  /** Since when it has had something to do and was not chosen; `null`: since now. */
  readonly waitingSinceMs: number | null;
  readonly overdue: boolean;
}

/** Bytes a second that compactions of each engine have rewritten. */
export type EngineRates = Readonly<Record<EngineName, number>>;

/** Before anything was measured: facts of two cores, 35 MB/s on Spark, 30 on Trino. */
export const DEFAULT_RATES: EngineRates = { spark: 35 * 2 ** 20, trino: 30 * 2 ** 20 };

const GB = 2 ** 30;
const DAY_MS = 86_400_000;
/** A group of files costs about a tenth of a second besides its bytes. */
const OVERHEAD_BYTES = 4 * 2 ** 20;
/** Planning, committing and checking one operation. */
const START_SECONDS = 1;
/** The wait that doubles a score: what waits long enough becomes the first. */
const DOUBLES_EVERY_MS = DAY_MS;
/** Further doublings would only risk an infinite score. */
const DOUBLINGS_MAX = 40;

/** The candidates of one table; its partitions each for itself where its engine can name them. */
export function candidatesOf(
  standing: TableStanding,
  rates: EngineRates,
  nowMs: number,
): readonly Candidate[] {
  const { plan, overdue, waitingSinceMs } = standing;
  const due = plan.decisions.filter((one) => one.action === 'run');
  const compact = due.find((one) => one.kind === 'compact');
  const upkeep = due.filter((one) => one.kind !== 'compact');
  const waitedMs = waitingSinceMs === null ? 0 : Math.max(0, nowMs - waitingSinceMs);
  const patience = 2 ** Math.min(waitedMs / DOUBLES_EVERY_MS, DOUBLINGS_MAX);
  const { table } = plan;
  const { namespace } = tableFromKey(table);
  const make = (parts: readonly PartGain[] | null, gain: number, seconds: number): Candidate => {
    const bytes = (parts ?? []).reduce((sum, one) => sum + one.bytes, 0);
    const score =
      (patience * gain * GB) / (bytes + OVERHEAD_BYTES * Math.max(1, parts?.length ?? 1));
    return { table, namespace, parts, gain, bytes, engineSeconds: seconds, overdue, score };
  };
  const rewrites = compact === undefined ? [] : groupsOf(compact);
  const found = rewrites.map((parts) => {
    const gain = parts.reduce((sum, one) => sum + one.gain, 0) * standing.correction;
    const bytes = parts.reduce((sum, one) => sum + one.bytes, 0);
    return make(parts, gain, bytes / rates[compact?.engine ?? 'spark']);
  });
  // Upkeep costs next to nothing: each operation counts as one file.
  const rest =
    upkeep.length === 0 ? [] : [make(null, upkeep.length, START_SECONDS * upkeep.length)];
  return [...rest, ...found];
}

function groupsOf({ parts = [], engine }: Decision): readonly (readonly PartGain[])[] {
  const keys = parts.map((one) => one.key);
  return canName(keys, engine) ? parts.map((one) => [one]) : [parts];
}

/** Overdue first, then by score; equal ones by name, so that the order is always the same. */
export function inOrder(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...candidates].sort(
    (a, b) =>
      Number(b.overdue) - Number(a.overdue) ||
      b.score - a.score ||
      (a.table < b.table ? -1 : a.table > b.table ? 1 : 0),
  );
}

/** Files of which an estimate counts as much as of experience: one odd run changes little. */
const PRIOR_FILES = 20;

/**
 * By how much compactions of this table did better or worse than was expected of them: 0.2 to 2;
 * 1 where nothing is known.
 */
export function correctionOf(receipts: readonly Receipt[]): number {
  let [expected, actual] = [PRIOR_FILES, PRIOR_FILES];
  for (const { operation, status, planned, filesBefore, filesAfter } of receipts) {
    const estimate = planned?.estimate;
    const packs = operation === 'compact' && planned?.rewriteAll === false;
    if (!packs || estimate == null || (status !== 'done' && status !== 'noop')) continue;
    expected += Math.max(0, estimate.filesBefore - estimate.filesAfter);
    actual += Math.max(0, filesBefore - filesAfter);
  }
  return Math.min(2, Math.max(0.2, actual / expected));
}
