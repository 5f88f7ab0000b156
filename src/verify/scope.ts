/** Which live files need not be read, and why that may be said. */

import { type ManifestEntry, numberOf } from './manifest-look.ts';
import type { Place, Places } from './places.ts';
import type { Scope } from './ports.ts';
import type { LakeTable } from './table-metadata.ts';

/**
 * Names a partition: spec, then values in order; whole numbers in decimal, text as it is, other
 * bytes in hex, dates and times as Iceberg counts them, `null` for none.
 */
export function partitionKey(specId: number, values: readonly unknown[]): string {
  const texts = values.map((value) => {
    if (!Buffer.isBuffer(value)) return value == null ? null : String(value);
    const text = value.toString('utf8');
    return Buffer.from(text).equals(value) ? text : value.toString('hex');
  });
  return JSON.stringify([specId, ...texts]);
}

/** Whether a live file must be read to know that no subject is in it. */
export function mustRead(
  entry: ManifestEntry,
  scope: Scope,
  places: Places,
  table: LakeTable,
): boolean {
  switch (scope.read) {
    case 'all':
      return true;
    case 'touched':
      return scope.partitions.has(partitionKey(entry.specId, entry.partition));
    case 'could_hold':
      return couldHold(entry, places, table);
  }
}

function couldHold(entry: ManifestEntry, { byId }: Places, table: LakeTable): boolean {
  if (byId.size === 0) return true;
  return [...byId].some(([fieldId, place]) => !isExcluded(entry, fieldId, place, table));
}

/** Bounds of whole numbers are exact; those of text are cut, and of JSON say nothing. */
function isExcluded(
  entry: ManifestEntry,
  fieldId: number,
  place: Place,
  table: LakeTable,
): boolean {
  const type = table.fields.findLast((one) => one.id === fieldId)?.type ?? '';
  // A struct or list has no values of its own; its parts are places of their own.
  if (/^(struct|list|map)$/.test(type)) return place.json.length === 0;
  const [lower, upper] = [entry.lower.get(fieldId), entry.upper.get(fieldId)];
  if (place.json.length > 0 || lower === undefined || upper === undefined) return false;
  if (type !== 'int' && type !== 'long') return false;
  const [least, most] = [numberOf(lower, type), numberOf(upper, type)];
  if (least === null || most === null) return false;
  // A value that is no number cannot be in a column of numbers.
  const sought = place.direct.flatMap((one) => [...one.numbers.keys()]);
  return sought.every((one) => one < least || one > most);
}
