/**
 * A look: which of the files under a table's location could be orphans. Pure. A file is a candidate
 * only when all that speaks for it is known; whatever is not known keeps it (design §6).
 */
import type { Receipt } from '../receipt.ts';
import { formatDuration } from '../units.ts';
import type { StoredFile } from './files.ts';

/** No file younger than this is ever an orphan: its writer may not have committed yet. */
export const ORPHAN_AGE_FLOOR_MS = 72 * 3_600_000;

/** A writer may take this many times as long as the longest that was seen. */
const WRITE_MARGIN = 2;

/** How old a file must be at least, and which of the rules says so. */
export interface OrphanAge {
  readonly ageMs: number;
  readonly because: string;
}

/** The largest of floor, wish and twice the longest write that receipts of the table tell of. */
export function orphanAge(wishMs: number, receipts: readonly Receipt[]): OrphanAge {
  const longestMs = receipts.reduce((most, one) => Math.max(most, durationMs(one)), 0);
  const writes = {
    ageMs: WRITE_MARGIN * longestMs,
    because: `twice the longest write of the table (${formatDuration(longestMs)})`,
  };
  const rules: readonly OrphanAge[] = [
    { ageMs: wishMs, because: 'as asked' },
    { ageMs: ORPHAN_AGE_FLOOR_MS, because: 'the floor for files whose writer may still commit' },
    writes,
  ];
  return rules.reduce((most, rule) => (rule.ageMs > most.ageMs ? rule : most));
}

/** 0 for one that writes no file, or whose times make no sense. */
function durationMs({ operation, startedAt, finishedAt }: Receipt): number {
  if (operation === 'remove_orphans' || operation === 'expire_snapshots') return 0;
  const took = Date.parse(finishedAt) - Date.parse(startedAt);
  return Number.isFinite(took) ? took : 0;
}

export type Verdict = 'candidate' | 'reachable' | 'young' | 'unknown_age' | 'outside';

export interface LookRules {
  /** Ends in a slash. */
  readonly directory: string;
  readonly isReachable: (uri: string) => boolean;
  /** Files last modified at or after this stay. */
  readonly cutoffMs: number;
}

/** Written so that an unknown or senseless time (`null`, NaN) keeps the file. */
export function judgeFile(file: StoredFile, rules: LookRules): Verdict {
  // What ends in a slash is a folder that some client has drawn: it holds nothing.
  if (!file.uri.startsWith(rules.directory) || file.uri.endsWith('/')) return 'outside';
  if (rules.isReachable(file.uri)) return 'reachable';
  if (file.modifiedAtMs === null || !Number.isFinite(file.modifiedAtMs)) return 'unknown_age';
  return file.modifiedAtMs < rules.cutoffMs ? 'candidate' : 'young';
}

/** Files by what was found of them. */
export type VerdictCounts = Readonly<Record<Verdict, number>>;

export const NO_VERDICTS: VerdictCounts = {
  candidate: 0,
  reachable: 0,
  young: 0,
  unknown_age: 0,
  outside: 0,
};

/** The same object, unchanged. Without an ETag on both sides it cannot be known. */
export function isSameFile(one: StoredFile, other: StoredFile): boolean {
  return (
    one.uri === other.uri &&
    one.sizeBytes === other.sizeBytes &&
    one.etag !== null &&
    one.etag === other.etag &&
    sameSecond(one.modifiedAtMs, other.modifiedAtMs)
  );
}

/** A list tells milliseconds, the header of a single object whole seconds. */
function sameSecond(one: number | null, other: number | null): boolean {
  if (one === null || other === null) return false;
  return Math.floor(one / 1000) === Math.floor(other / 1000);
}

/** What both looks found, unchanged between them; as the second one saw it. */
export function confirm(
  first: readonly StoredFile[],
  second: readonly StoredFile[],
): readonly StoredFile[] {
  const before = new Map(first.map((file) => [file.uri, file]));
  return second.filter((file) => {
    const seen = before.get(file.uri);
    return seen !== undefined && isSameFile(seen, file);
  });
}

/** Of a table with fewer live files than this share asks for, so many may go all the same. */
const CAP_AT_LEAST = 20;

/**
 * How many files may go without a person's consent: `maxFiles`, and no more than `maxShare` of the
 * live files. Below 20 files a share says nothing.
 */
export function orphanCap(
  limits: { readonly maxFiles: number; readonly maxShare: number },
  liveFiles: number,
): number {
  const share = Math.max(CAP_AT_LEAST, Math.floor(limits.maxShare * liveFiles));
  return Math.min(limits.maxFiles, share);
}

export function totalBytes(files: readonly StoredFile[]): number {
  return files.reduce((sum, file) => sum + file.sizeBytes, 0);
}
