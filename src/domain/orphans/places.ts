/** Where tables keep their files, and whose place overlaps with whose. */
import { normalizeLocation } from '../health/location.ts';

/** The places of one table: its location and, where set, what its `write.*.path` name. */
export interface TablePlaces {
  readonly table: string;
  readonly places: readonly string[];
}

/** Properties that send files elsewhere; the last two are older names. */
export const PATH_PROPERTIES = [
  'write.data.path',
  'write.metadata.path',
  'write.object-storage.path',
  'write.folder-storage.path',
] as const;

/** `s3`, and the older names of the same that Hadoop's clients write. */
const S3_DIRECTORY = /^s3:\/\/[^/]+\/[^/]/;

export function placesOf(
  location: string,
  properties: Readonly<Record<string, string>>,
): readonly string[] {
  const named = PATH_PROPERTIES.flatMap((name) => properties[name] ?? []);
  return [location, ...named];
}

/** A place that can be listed and compared: a folder in a bucket, `s3://bucket/folder/`. */
export function isKnownPlace(place: string): boolean {
  return S3_DIRECTORY.test(comparable(place));
}

/** Equal, around or within each other; `/t` and `/t_2` are neither. */
export function overlap(one: string, other: string): boolean {
  const [left, right] = [comparable(one), comparable(other)];
  return left.startsWith(right) || right.startsWith(left);
}

function comparable(place: string): string {
  return normalizeLocation(place).replace(/([^:/])\/{2,}/g, '$1/');
}

/** Another table whose files may lie among those of this place, or around it. */
export function findOverlap(
  own: TablePlaces,
  others: readonly TablePlaces[],
): { readonly table: string; readonly place: string } | null {
  for (const other of others) {
    if (other.table === own.table) continue;
    const place = other.places.find((one) => own.places.some((mine) => overlap(mine, one)));
    if (place !== undefined) return { table: other.table, place };
  }
  return null;
}

/** A sentence for the first rule that a table's own places break; `null`: none. */
export function refusePlaces(table: string, places: readonly string[]): string | null {
  const [location = ''] = places;
  if (!isKnownPlace(location)) {
    return (
      `the location of ${table} is ${location || 'not known'}: only folders of an S3 bucket ` +
      '(s3://bucket/folder) can be searched; move the table into one'
    );
  }
  const outside = places
    .slice(1)
    .find((place) => !comparable(place).startsWith(comparable(location)));
  if (outside === undefined) return null;
  return (
    `${table} also writes to ${outside}, outside of its location: whose files lie there cannot be ` +
    `told; unset ${PATH_PROPERTIES.slice(0, 2).join(' or ')}, or name a folder below the location`
  );
}
