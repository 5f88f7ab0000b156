/**
 * Partitions as a predicate for `optimize … WHERE`. Trino takes only what it can decide by
 * partition values alone, column by column: no bucket, no truncated text, and of several partitions
 * only every combination of their values.
 */
import type { PartitionKey, PartitionValue } from '../../domain/operation.ts';
import { boundOf, PARTITIONS_MAX } from '../../domain/partition-bound.ts';
import { quoteIdentifier, quoteText } from './quote.ts';

export type Predicate = { readonly sql: string } | { readonly refused: string };

export function partitionsPredicate(partitions: readonly PartitionKey[]): Predicate {
  const [first] = partitions;
  if (first === undefined) return { refused: 'no partition is named' };
  if (partitions.length > PARTITIONS_MAX) {
    const count = partitions.length;
    return { refused: `${count} partitions are too many for one predicate (${PARTITIONS_MAX})` };
  }
  const shape = shapeOf(first);
  if (partitions.some((key) => shapeOf(key) !== shape)) {
    return { refused: 'Trino cannot say partitions of several specs in one predicate; use Spark' };
  }
  const columns: string[] = [];
  let combinations = 1;
  for (const at of first.keys()) {
    const terms = new Set<string>();
    for (const key of partitions) {
      const term = valuePredicate(key[at] as PartitionValue);
      if ('refused' in term) return term;
      terms.add(term.sql);
    }
    combinations *= terms.size;
    if (!terms.has('')) columns.push(`(${[...terms].join(' OR ')})`);
  }
  const distinct = new Set(partitions.map((key) => JSON.stringify(key))).size;
  if (distinct !== combinations) {
    return {
      refused:
        `Trino's predicates go column by column: ${distinct} partitions are not all the ` +
        `${combinations} combinations of their values; use Spark`,
    };
  }
  return { sql: columns.length === 0 ? 'true' : columns.join(' AND ') };
}

function shapeOf(key: PartitionKey): string {
  return JSON.stringify(key.map(({ source, transform }) => [source, transform]));
}

/** Empty: any value. */
function valuePredicate(value: PartitionValue): Predicate {
  if (value.source.includes('.')) {
    return {
      refused: `Trino takes no predicate on a part of a column (${value.source}); use Spark`,
    };
  }
  const column = quoteIdentifier(value.source.toLowerCase());
  const bound = boundOf(value);
  switch (bound.kind) {
    case 'any':
      return { sql: '' };
    case 'null':
      return { sql: `${column} IS NULL` };
    case 'equal': {
      const literal = literalOf(value.sourceType, bound.text);
      return literal === null ? cannotSay(value) : { sql: `${column} = ${literal}` };
    }
    case 'range':
      return rangePredicate(value, column, bound);
    case 'truncate': {
      const before = afterTruncated(value.sourceType, bound.text, bound.width);
      if (before === null) return cannotSay(value);
      return rangePredicate(value, column, { from: bound.text, before });
    }
    case 'bucket':
      return cannotSay(value);
    case 'unknown':
      return { refused: bound.because };
  }
}

function rangePredicate(
  value: PartitionValue,
  column: string,
  { from, before }: { readonly from: string; readonly before: string },
): Predicate {
  const low = literalOf(value.sourceType, from);
  const high = literalOf(value.sourceType, before);
  if (low === null || high === null) return cannotSay(value);
  return { sql: `(${column} >= ${low} AND ${column} < ${high})` };
}

function cannotSay({ source, sourceType, transform }: PartitionValue): Predicate {
  return {
    refused: `Trino cannot say a ${transform} partition of ${source} (${sourceType}); use Spark`,
  };
}

/** First value behind a truncated number; `null`: of texts Trino cannot decide it. */
function afterTruncated(type: string, text: string, width: number): string | null {
  if (type === 'int' || type === 'long') {
    return /^-?\d+$/.test(text) ? String(BigInt(text) + BigInt(width)) : null;
  }
  const scale = Number(/^decimal\(\d+,\s*(\d+)\)$/.exec(type)?.[1] ?? Number.NaN);
  const [, sign = '', whole, fraction = ''] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text) ?? [];
  if (Number.isNaN(scale) || whole === undefined) return null;
  // A decimal's width counts its last digits: width 100 of scale 2 is 1.00.
  const unscaled = BigInt(`${sign}${whole}${fraction.padEnd(scale, '0')}`) + BigInt(width);
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const point = digits.length - scale;
  const printed = scale === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return unscaled < 0n ? `-${printed}` : printed;
}

/** `null`: Trino has no such type, or the text is no value of it. */
function literalOf(type: string, text: string): string | null {
  const [name = type] = type.split(/[([]/);
  switch (name) {
    case 'boolean':
      return /^(true|false)$/.test(text) ? text : null;
    case 'int':
    case 'long':
      return /^-?\d{1,19}$/.test(text) ? text : null;
    case 'float':
    case 'double': {
      const word = name === 'float' ? 'REAL' : 'DOUBLE';
      return Number.isFinite(Number(text)) ? `${word} ${quoteText(text)}` : null;
    }
    case 'decimal':
      return /^-?\d+(\.\d+)?$/.test(text) ? `DECIMAL ${quoteText(text)}` : null;
    case 'date':
      return `DATE ${quoteText(text)}`;
    case 'time':
      return `TIME ${quoteText(micros(text))}`;
    case 'timestamp':
      return `TIMESTAMP ${quoteText(micros(text.replace('T', ' ')))}`;
    case 'timestamptz':
      return `TIMESTAMP ${quoteText(`${micros(text.replace('T', ' ').replace('Z', ''))} UTC`)}`;
    case 'string':
      return quoteText(text);
    case 'uuid':
      return `UUID ${quoteText(text)}`;
    case 'binary':
    case 'fixed':
      return /^([0-9a-f]{2})*$/i.test(text) ? `X'${text}'` : null;
    default:
      return null;
  }
}

/** All six digits: Iceberg's types are of microseconds, and a literal's digits are its type. */
function micros(text: string): string {
  const [seconds = '', fraction = ''] = text.split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}
