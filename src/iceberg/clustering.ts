import type { Clustering } from '../domain/health/health.ts';
import { type BoundKind, boundKindOf } from './bound-values.ts';
import { type BoundValues, PREFIX_BYTES } from './manifest-digest.ts';
import type { SortColumn } from './metadata.ts';

/** The value ranges of a table's data files in one column; arrays go by file. */
export interface FileRanges {
  readonly column: SortColumn;
  readonly lower: readonly BoundValues[];
  readonly upper: readonly BoundValues[];
}

/** Resolution: a range of values is cut into this many steps, so that sums stay exact. */
const STEPS = 2 ** 33;
/** Bytes of a text that can be told apart, after what all texts begin with. */
const TEXT_BYTES = 6;

/**
 * How many files hold the value of a row, on average over the files and over each file's range.
 * Only files of one partition can overlap: no sorting can part others.
 * @param partitionOf by file, across all chunks in order
 * @returns `null` when no file has bounds
 */
export function clusteringOf(ranges: FileRanges, partitionOf: Uint32Array): Clustering | null {
  const found = depthsOf(ranges, partitionOf);
  if (found === null) return null;
  let [sum, files] = [0, 0];
  for (const one of found.values()) {
    sum += one.depth * one.files;
    files += one.files;
  }
  // Only doubles of opposite extremes have a range that is no number itself.
  return Number.isFinite(sum) ? { column: ranges.column.name, depth: sum / files } : null;
}

/** The depth of one partition, and how many of its files have bounds. */
export interface PartitionDepth {
  readonly depth: number;
  readonly files: number;
}

/**
 * The same by partition, which is a number of `partitionOf`; one without bounds is left out.
 * @returns `null` when no file has bounds
 */
export function depthsOf(
  ranges: FileRanges,
  partitionOf: Uint32Array,
): ReadonlyMap<number, PartitionDepth> | null {
  const kind = boundKindOf(ranges.column.type);
  if (kind === null) return null;
  const [lower, upper] = numbersOf(ranges);
  const known: number[] = [];
  for (let file = 0; file < lower.length; file += 1) {
    if (Number.isFinite(lower[file]) && Number.isFinite(upper[file])) known.push(file);
  }
  if (known.length === 0) return null;
  const files = Uint32Array.from(known).sort((left, right) => {
    return (partitionOf[left] as number) - (partitionOf[right] as number);
  });
  const found = new Map<number, PartitionDepth>();
  let start = 0;
  while (start < files.length) {
    const partition = partitionOf[files[start] as number] as number;
    let end = start + 1;
    while (end < files.length && partitionOf[files[end] as number] === partition) end += 1;
    const members = files.subarray(start, end);
    const sum = sumOfDepths(pick(lower, members), pick(upper, members), kind);
    found.set(partition, { depth: sum / members.length, files: members.length });
    start = end;
  }
  return found;
}

function pick(values: Float64Array, files: Uint32Array): Float64Array {
  return Float64Array.from(files, (file) => values[file] as number);
}

/**
 * Sum over intervals of the mean number of intervals over each one's length.
 * @param lower smallest values, changed
 * @param upper largest values (inclusive), changed
 */
export function sumOfDepths(lower: Float64Array, upper: Float64Array, kind: BoundKind): number {
  toSteps(lower, upper, kind);
  const starts = lower.slice().sort();
  const ends = upper.slice().sort();
  const points = new Float64Array(starts.length + ends.length);
  /** Number of intervals over each step, summed up from the first point to each. */
  const sums = new Float64Array(points.length);
  let [depth, nextStart, nextEnd] = [0, 0, 0];
  for (let at = 0; at < points.length; at += 1) {
    const opens =
      nextStart < starts.length && (starts[nextStart] as number) <= (ends[nextEnd] as number);
    const point = (opens ? starts[nextStart] : ends[nextEnd]) as number;
    points[at] = point;
    sums[at] =
      at === 0 ? 0 : (sums[at - 1] as number) + depth * (point - (points[at - 1] as number));
    depth += opens ? 1 : -1;
    if (opens) nextStart += 1;
    else nextEnd += 1;
  }
  let total = 0;
  for (let file = 0; file < lower.length; file += 1) {
    const [from, to] = [lower[file] as number, upper[file] as number];
    const over = (sums[placeOf(points, to)] as number) - (sums[placeOf(points, from)] as number);
    total += over / (to - from);
  }
  return total;
}

/** Half-open intervals of whole steps, none of them empty. */
function toSteps(lower: Float64Array, upper: Float64Array, kind: BoundKind): void {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let file = 0; file < lower.length; file += 1) {
    least = Math.min(least, lower[file] as number);
    most = Math.max(most, upper[file] as number);
  }
  const range = most - least + (kind === 'fraction' ? 0 : 1);
  const exact = kind !== 'fraction' && range <= STEPS;
  const scale = exact ? 1 : STEPS / Math.max(range, Number.MIN_VALUE);
  const last = kind === 'fraction' ? 0 : 1;
  for (let file = 0; file < lower.length; file += 1) {
    const from = Math.round(((lower[file] as number) - least) * scale);
    const to = Math.round(((upper[file] as number) - least + last) * scale);
    lower[file] = from;
    upper[file] = Math.max(to, from + 1);
  }
}

/** Index of the first point that is not before `value`, which is one of them. */
function placeOf(points: Float64Array, value: number): number {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((points[middle] as number) < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

function numbersOf({ lower, upper }: FileRanges): readonly [Float64Array, Float64Array] {
  const shared = sharedBytes(lower, upper);
  return [
    [lower, upper],
    [upper, lower],
  ].map(([side, other]) => {
    const chunks = (side as readonly BoundValues[]).map((one, at) =>
      one instanceof Uint8Array ? textNumbers(one, other?.[at] as Uint8Array, shared) : one,
    );
    const all = new Float64Array(chunks.reduce((sum, one) => sum + one.length, 0));
    let at = 0;
    for (const chunk of chunks) {
      all.set(chunk, at);
      at += chunk.length;
    }
    return all;
  }) as unknown as readonly [Float64Array, Float64Array];
}

/** How many bytes all known texts begin with: they tell nothing apart. */
function sharedBytes(lower: readonly BoundValues[], upper: readonly BoundValues[]): number {
  let first: Uint8Array | null = null;
  let shared = PREFIX_BYTES - TEXT_BYTES;
  for (const [chunk, least] of lower.entries()) {
    const most = upper[chunk];
    if (!(least instanceof Uint8Array) || !(most instanceof Uint8Array)) continue;
    for (let at = 0; at < least.length; at += PREFIX_BYTES) {
      if (isUnknown(least, most, at)) continue;
      for (const side of [least, most]) {
        const text = side.subarray(at, at + PREFIX_BYTES);
        first ??= text;
        let same = 0;
        while (same < shared && text[same] === first[same]) same += 1;
        shared = same;
      }
    }
  }
  return shared;
}

/** @param other the other bounds of the same files */
function textNumbers(texts: Uint8Array, other: Uint8Array, skipped: number): Float64Array {
  return Float64Array.from({ length: texts.length / PREFIX_BYTES }, (_, index) => {
    const start = index * PREFIX_BYTES;
    if (isUnknown(texts, other, start)) return Number.NaN;
    let value = 0;
    for (let at = 0; at < TEXT_BYTES; at += 1) {
      value = value * 256 + (texts[start + skipped + at] as number);
    }
    return value;
  });
}

/** An empty text is a bound as well: only a file that has zeros on both sides has none. */
function isUnknown(texts: Uint8Array, other: Uint8Array, start: number): boolean {
  for (let at = start; at < start + PREFIX_BYTES; at += 1) {
    if (texts[at] !== 0 || other[at] !== 0) return false;
  }
  return true;
}
