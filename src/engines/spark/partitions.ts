/** Partitions as a predicate on their source columns, for the `where` of Iceberg's procedures. */
import type { PartitionKey, PartitionValue } from '../../domain/operation.ts';
import { boundOf, PARTITIONS_MAX } from '../../domain/partition-bound.ts';
import { quoteIdentifier, quotePath, quoteText } from './quote.ts';

export type Predicate = { readonly sql: string } | { readonly refused: string };

/**
 * The rows of these partitions and no other, whatever spec they were written with. A procedure
 * takes every file that may hold such a row: files of another spec may be among them.
 * @param catalog holds Iceberg's functions: `system.bucket`, `system.truncate`
 */
export function partitionsPredicate(
  partitions: readonly PartitionKey[],
  catalog: string,
): Predicate {
  if (partitions.length === 0) return { refused: 'no partition is named' };
  if (partitions.length > PARTITIONS_MAX) {
    const count = partitions.length;
    return { refused: `${count} partitions are too many for one predicate (${PARTITIONS_MAX})` };
  }
  const terms: string[] = [];
  for (const key of partitions) {
    const values = key.map((value) => valuePredicate(value, catalog));
    const refused = values.find((value) => 'refused' in value);
    if (refused !== undefined) return refused;
    const parts = values.flatMap((value) => ('sql' in value && value.sql !== '' ? value.sql : []));
    // A partition of a spec without fields is the whole table.
    terms.push(parts.length === 0 ? 'true' : `(${parts.join(' AND ')})`);
  }
  return { sql: [...new Set(terms)].join(' OR ') };
}

/** Empty: any value. */
function valuePredicate(value: PartitionValue, catalog: string): Predicate {
  const column = quotePath(value.source);
  const bound = boundOf(value);
  const literal = (text: string) => literalOf(value.sourceType, text);
  const system = (call: string) => `${quoteIdentifier(catalog)}.system.${call}`;
  const compare = (left: string, text: string): Predicate => {
    const right = literal(text);
    return right === null ? cannotSay(value) : { sql: `${left} = ${right}` };
  };
  switch (bound.kind) {
    case 'any':
      return { sql: '' };
    case 'null':
      return { sql: `${column} IS NULL` };
    case 'equal':
      return compare(column, bound.text);
    case 'range': {
      const from = literal(bound.from);
      const before = literal(bound.before);
      if (from === null || before === null) return cannotSay(value);
      return { sql: `${column} >= ${from} AND ${column} < ${before}` };
    }
    case 'bucket':
      return { sql: `${system(`bucket(${bound.buckets}, ${column})`)} = ${bound.bucket}` };
    case 'truncate':
      return compare(system(`truncate(${bound.width}, ${column})`), bound.text);
    case 'unknown':
      return { refused: bound.because };
  }
}

function cannotSay({ source, sourceType, transform }: PartitionValue): Predicate {
  return { refused: `Spark cannot say a ${transform} partition of ${source} (${sourceType})` };
}

/** `null`: Spark has no such type, or the text is no value of it. */
function literalOf(type: string, text: string): string | null {
  const [name = type] = type.split(/[([]/);
  switch (name) {
    case 'boolean':
      return /^(true|false)$/.test(text) ? text : null;
    case 'int':
    case 'long':
      return /^-?\d{1,19}$/.test(text) ? text : null;
    case 'float':
    case 'double':
      // Neither equality nor a file's bounds tell anything of NaN.
      return Number.isFinite(Number(text)) ? `CAST(${quoteText(text)} AS ${name})` : null;
    case 'decimal':
      return /^-?\d+(\.\d+)?$/.test(text) ? `CAST(${quoteText(text)} AS ${type})` : null;
    case 'date':
      return `DATE ${quoteText(text)}`;
    case 'timestamp':
      return `TIMESTAMP_NTZ ${quoteText(text)}`;
    case 'timestamptz':
      return `TIMESTAMP ${quoteText(text.endsWith('Z') ? text : `${text}Z`)}`;
    case 'string':
    case 'uuid':
      return quoteText(text);
    case 'binary':
    case 'fixed':
      return /^([0-9a-f]{2})*$/i.test(text) ? `X'${text}'` : null;
    default:
      return null;
  }
}
