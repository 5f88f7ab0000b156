/** Which source values lie in one partition: what both engines' predicates are made from. */
import type { PartitionValue } from './operation.ts';

/** The values of one source column that one field of a partition holds. */
export type PartitionBound =
  /** `void`, or a transform that has left the spec: says nothing of its column. */
  | { readonly kind: 'any' }
  | { readonly kind: 'null' }
  | { readonly kind: 'equal'; readonly text: string }
  /** From `from` on and before `before`: `2026-11-20` or `2026-11-20 13:00:00`, UTC. */
  | { readonly kind: 'range'; readonly from: string; readonly before: string }
  | { readonly kind: 'bucket'; readonly buckets: number; readonly bucket: number }
  | { readonly kind: 'truncate'; readonly width: number; readonly text: string }
  | { readonly kind: 'unknown'; readonly because: string };

/**
 * More partitions than this are no longer one predicate: an engine's parser and optimizer go
 * through it for every file. Seen to work on Spark 4.1 and Trino 476.
 */
export const PARTITIONS_MAX = 500;

const INSTANT = /^(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?(?:-(\d{2}))?$/;
/** Parts that a printed value of each time transform has. */
const TIME_PARTS: Readonly<Record<string, number>> = { year: 1, month: 2, day: 3, hour: 4 };

export function boundOf(value: PartitionValue): PartitionBound {
  const { transform, value: text, source } = value;
  if (transform === 'void') return { kind: 'any' };
  if (text === null) return { kind: 'null' };
  if (transform === 'identity') return { kind: 'equal', text };
  const [, name = '', argument = ''] = /^(bucket|truncate)\[(\d+)\]$/.exec(transform) ?? [];
  if (name === 'truncate') return { kind: 'truncate', width: Number(argument), text };
  if (name === 'bucket') {
    if (!/^\d{1,10}$/.test(text)) return unknown(source, `${text} is no bucket`);
    return { kind: 'bucket', buckets: Number(argument), bucket: Number(text) };
  }
  const parts = TIME_PARTS[transform];
  if (parts === undefined) return unknown(source, `transform ${transform} is not known`);
  return timeRange(value, text, parts);
}

function unknown(source: string, what: string): PartitionBound {
  return {
    kind: 'unknown',
    because: `the partition's values of ${source} cannot be told: ${what}`,
  };
}

function timeRange(
  { source, sourceType, transform }: PartitionValue,
  text: string,
  parts: number,
): PartitionBound {
  const found =
    INSTANT.exec(text)
      ?.slice(1)
      .filter((part) => part !== undefined) ?? [];
  if (found.length !== parts) return unknown(source, `${text} is no ${transform}`);
  const [year = 0, month = 1, day = 1, hour = 0] = found.map(Number);
  const from = Date.UTC(year, month - 1, day, hour);
  const before =
    parts === 1
      ? Date.UTC(year + 1, 0, 1)
      : parts === 2
        ? Date.UTC(year, month, 1)
        : from + (parts === 3 ? 86_400_000 : 3_600_000);
  const print = sourceType === 'date' ? dateText : secondText;
  return { kind: 'range', from: print(from), before: print(before) };
}

function dateText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

function secondText(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}
