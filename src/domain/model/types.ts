/** The types and partition transforms that a model's header may name, and how they are read. */

const PLAIN_TYPES = [
  'boolean',
  'int',
  'bigint',
  'float',
  'double',
  'string',
  'binary',
  'date',
  /** Without a zone. */
  'timestamp',
  /** An instant, microseconds, UTC. */
  'timestamptz',
] as const;
type PlainType = (typeof PLAIN_TYPES)[number];

export type ColumnType =
  | { readonly kind: PlainType }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number };

/** For messages: what a type may be. */
export const TYPE_NAMES = `${PLAIN_TYPES.join(', ')} or decimal(precision,scale), quoted inside { }`;

/** `null` when the text names no type. */
export function parseColumnType(text: string): ColumnType | null {
  const plain = PLAIN_TYPES.find((name) => name === text);
  if (plain !== undefined) return { kind: plain };
  const found = /^decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)$/.exec(text);
  if (found === null) return null;
  const precision = Number(found[1]);
  const scale = Number(found[2]);
  // Iceberg's own limit is 38 digits.
  const valid = precision >= 1 && precision <= 38 && scale <= precision;
  return valid ? { kind: 'decimal', precision, scale } : null;
}

const TIME_TRANSFORMS = ['year', 'month', 'day', 'hour'] as const;
const SIZED_TRANSFORMS = ['bucket', 'truncate'] as const;

export type PartitionTransform =
  | { readonly kind: 'identity' | (typeof TIME_TRANSFORMS)[number]; readonly column: string }
  | {
      readonly kind: (typeof SIZED_TRANSFORMS)[number];
      readonly column: string;
      readonly size: number;
    };

/** `country`, `day(ingested_at)`, `bucket(16, customer_id)`; `null` when it is none of these. */
export function parsePartition(text: string): PartitionTransform | null {
  const found = /^(?:([a-z]+)\(\s*(?:(\d{1,6})\s*,\s*)?)?([a-z_][a-z0-9_]*)\s*(\))?$/.exec(text);
  if (found === null) return null;
  const [, name, size, column = '', closed] = found;
  if (name === undefined) return closed === undefined ? { kind: 'identity', column } : null;
  if (closed === undefined) return null;
  const time = TIME_TRANSFORMS.find((one) => one === name);
  if (time !== undefined) return size === undefined ? { kind: time, column } : null;
  const sized = SIZED_TRANSFORMS.find((one) => one === name);
  if (sized === undefined || size === undefined || Number(size) < 1) return null;
  return { kind: sized, column, size: Number(size) };
}
