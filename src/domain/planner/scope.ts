/** Which partitions an engine's predicate can name, and so leave the others out. */
import type { EngineName } from '../engine.ts';
import type { PartitionKey } from '../operation.ts';
import { boundOf } from '../partition-bound.ts';

/** @param engine `null`: none runs it anyway */
export function canName(keys: readonly PartitionKey[], engine: EngineName | null): boolean {
  if (engine === 'trino') return keys.every(isPlain) && new Set(keys.map(shapeOf)).size <= 1;
  return keys.every((key) => isBounded(key));
}

/** A key whose fields say nothing of any column would select the whole table. */
function isBounded(key: PartitionKey): boolean {
  const kinds = key.map((value) => (value.source === '' ? 'unknown' : boundOf(value).kind));
  return !kinds.includes('unknown') && kinds.some((kind) => kind !== 'any');
}

/**
 * Trino joins the values of several partitions column by column: with one field that is exact.
 * Buckets and truncated values it cannot say.
 */
function isPlain(key: PartitionKey): boolean {
  const [value] = key;
  if (value === undefined || key.length > 1 || value.source === '') return false;
  return ['null', 'equal', 'range'].includes(boundOf(value).kind);
}

function shapeOf(key: PartitionKey): string {
  return key.map(({ source, transform }) => `${source} ${transform}`).join();
}
