/**
 * Finds any of thousands of byte strings in one pass (Wu and Manber's algorithm): skips ahead by
 * what the last three bytes rule out. Libraries of this kind work on JavaScript texts; here bytes
 * of any encoding are searched.
 */

export interface Pattern<T> {
  /** At least {@link MIN_PATTERN_BYTES}. */
  readonly bytes: Uint8Array;
  /** `false`: ASCII letters match in either case. */
  readonly caseMatters: boolean;
  readonly tag: T;
}

export type Visit<T> = (tag: T, start: number, end: number) => boolean;

export interface ByteSearch<T> {
  /** Length of the longest pattern; 0: there is none. */
  readonly longest: number;
  /** Calls `visit` for every occurrence, also overlapping; `true` from it ends the search. */
  find(bytes: Uint8Array, visit: Visit<T>): void;
  /** Whether any occurs. */
  touches(bytes: Uint8Array): boolean;
}

/** Three bytes decide how far is skipped. */
export const MIN_PATTERN_BYTES = 4;
const BLOCK = 3;
const TABLE_BITS = 18;
/**
 * Of each pattern, its beginning is moved along the bytes: longer ones skip further, but the ends
 * of e-mails are alike, and would stop it at every address of the same host.
 */
const MAX_WINDOW_BYTES = 10;

/** Upper case ASCII letters become lower case; every other byte stays. */
const FOLD = Uint8Array.from({ length: 256 }, (_, byte) =>
  byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte,
);

/** The bytes with ASCII letters in lower case. */
export function foldBytes(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => FOLD[byte] as number);
}

export function createSearch<T>(patterns: readonly Pattern<T>[]): ByteSearch<T> {
  const usable = patterns.filter((one) => one.bytes.length >= MIN_PATTERN_BYTES);
  if (usable.length === 0) return { longest: 0, find: () => undefined, touches: () => false };
  const tables = buildTables(usable);
  const find = (bytes: Uint8Array, visit: Visit<T>): void => findAll(tables, bytes, visit);
  return {
    longest: Math.max(...usable.map((one) => one.bytes.length)),
    find,
    touches: (bytes) => {
      let touched = false;
      find(bytes, () => {
        touched = true;
        return true;
      });
      return touched;
    },
  };
}

interface Tables<T> {
  readonly patterns: readonly Pattern<T>[];
  readonly folded: readonly Uint8Array[];
  /** Length of the shortest: the window that is moved along. */
  readonly window: number;
  readonly shifts: Uint8Array;
  /** Hash of a whole window → first pattern; `next`: pattern → the next; -1: none. */
  readonly heads: Int32Array;
  readonly next: Int32Array;
}

function buildTables<T>(patterns: readonly Pattern<T>[]): Tables<T> {
  const folded = patterns.map((one) => foldBytes(one.bytes));
  const window = Math.min(MAX_WINDOW_BYTES, ...folded.map((one) => one.length));
  const shifts = new Uint8Array(2 ** TABLE_BITS).fill(window - BLOCK + 1);
  const heads = new Int32Array(2 ** TABLE_BITS).fill(-1);
  const next = new Int32Array(folded.length).fill(-1);
  folded.forEach((bytes, index) => {
    for (let at = BLOCK - 1; at < window; at += 1) {
      const hash = hashAt(bytes, at);
      shifts[hash] = Math.min(shifts[hash] as number, window - 1 - at);
    }
    const whole = hashOf(bytes, 0, window);
    next[index] = heads[whole] as number;
    heads[whole] = index;
  });
  return { patterns, folded, window, shifts, heads, next };
}

/** Of the three folded bytes that end at `at`. */
function hashAt(folded: Uint8Array, at: number): number {
  const first = (folded[at - 2] as number) & 63;
  const second = (folded[at - 1] as number) & 63;
  return (first << 12) | (second << 6) | ((folded[at] as number) & 63);
}

/** Of a whole window: many patterns may end alike. */
function hashOf(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let at = start; at < end; at += 1) {
    hash = Math.imul(hash ^ (FOLD[bytes[at] as number] as number), 0x01000193);
  }
  return (hash ^ (hash >>> TABLE_BITS)) & (2 ** TABLE_BITS - 1);
}

function findAll<T>(tables: Tables<T>, bytes: Uint8Array, visit: Visit<T>): void {
  const { window, shifts, heads, next, patterns, folded } = tables;
  const size = bytes.length;
  let at = window - 1;
  while (at < size) {
    const hash =
      (((FOLD[bytes[at - 2] as number] as number) & 63) << 12) |
      (((FOLD[bytes[at - 1] as number] as number) & 63) << 6) |
      ((FOLD[bytes[at] as number] as number) & 63);
    const shift = shifts[hash] as number;
    if (shift > 0) {
      at += shift;
      continue;
    }
    const start = at - window + 1;
    const whole = hashOf(bytes, start, at + 1);
    for (let index = heads[whole] as number; index >= 0; index = next[index] as number) {
      const pattern = patterns[index] as Pattern<T>;
      if (!occursAt(bytes, start, folded[index] as Uint8Array, pattern)) continue;
      if (visit(pattern.tag, start, start + pattern.bytes.length)) return;
    }
    at += 1;
  }
}

function occursAt<T>(
  bytes: Uint8Array,
  start: number,
  folded: Uint8Array,
  { bytes: exact, caseMatters }: Pattern<T>,
): boolean {
  if (start + folded.length > bytes.length) return false;
  for (let index = 0; index < folded.length; index += 1) {
    const byte = bytes[start + index] as number;
    if (caseMatters ? byte !== exact[index] : FOLD[byte] !== folded[index]) return false;
  }
  return true;
}
