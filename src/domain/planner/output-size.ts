/** The size of the files that a compaction writes: each of them is one task of the engine. */
import { outputFiles, type PartitionLoad, type Span, spanOf, tasksOf } from './makespan.ts';

/** No file is planned smaller than this for the sake of speed (S3 Tables' own lower bound). */
const FLOOR_BYTES = 64 * 2 ** 20;
/** A smaller size must promise to end by so much earlier. */
const GAIN_MIN = 0.08;
/** Of sizes that promise nearly the same, the largest. */
const NEARLY = 1.03;
/** What a compaction is for: so many files become one, at least. */
const FEWER_TIMES = 3;
/** Pieces into which a partition is thought to be cut. */
const PIECES_MAX = 16;

export interface SizeInput {
  readonly loads: readonly PartitionLoad[];
  readonly targetBytes: number;
  readonly cores: number;
  /** Fewest small files of a partition for which the policy compacts it again. */
  readonly minInputFiles: number;
}

export interface ChosenSize {
  /** At most the target. */
  readonly bytes: number;
  readonly span: Span;
  /** With files of the target size. */
  readonly byTarget: Span;
}

/** The target, or a smaller size where that keeps more cores busy and leaves good files too. */
export function chooseOutputSize(input: SizeInput): ChosenSize {
  const { loads, targetBytes, cores } = input;
  const byTarget = spanOf(loads, targetBytes, cores);
  const promising = candidatesOf(input)
    .filter((bytes) => staysSettled(input, bytes))
    .map((bytes) => ({ bytes, span: spanOf(loads, bytes, cores), byTarget }));
  const shortest = Math.min(...promising.map(({ span }) => span.bytes));
  const chosen = promising
    .filter(({ span }) => span.bytes <= shortest * NEARLY)
    .sort((a, b) => b.bytes - a.bytes)[0];
  const gains = chosen !== undefined && chosen.span.bytes <= byTarget.bytes * (1 - GAIN_MIN);
  return gains ? chosen : { bytes: targetBytes, span: byTarget, byTarget };
}

/** Sizes that cut the largest or the middle partition into equal pieces, and the floor. */
function candidatesOf({ loads, targetBytes }: SizeInput): readonly number[] {
  const sorted = [...loads].sort((a, b) => b.bytes - a.bytes);
  const found = new Set<number>([FLOOR_BYTES]);
  for (const load of [sorted[0], sorted[Math.floor(sorted.length / 2)]]) {
    if (load === undefined) continue;
    for (let pieces = 2; pieces <= PIECES_MAX; pieces += 1) found.add(pieceOf(load, pieces));
  }
  return [...found].filter((bytes) => bytes >= FLOOR_BYTES && bytes < targetBytes);
}

/**
 * A file that does not fit any more leaves a gap in each piece but the last: without room for these
 * gaps a small rest would become a file of its own. Files differ: twice their mean is allowed for.
 */
function pieceOf({ bytes, files }: PartitionLoad, pieces: number): number {
  const gap = (2 * bytes) / Math.max(1, files);
  return Math.ceil((bytes + gap * (pieces - 1)) / pieces) + 2 ** 20;
}

/**
 * Where a partition gets more files than by the target, it still gets far fewer than it has, none
 * is a scrap, and the policy would not join them again.
 */
function staysSettled({ loads, targetBytes, minInputFiles }: SizeInput, bytes: number): boolean {
  return loads.every((load) => {
    const files = outputFiles(load, bytes);
    if (files <= outputFiles(load, targetBytes)) return true;
    const smallest = Math.min(...tasksOf(load, bytes).map((one) => one.bytes));
    const fewer = files * FEWER_TIMES <= load.files;
    return fewer && files < minInputFiles && smallest >= FLOOR_BYTES / 2;
  });
}
