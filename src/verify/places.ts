/** Where in rows identifiers lie: column paths of the policy as field ids of the table. */

import type { ColumnPath, Subject, TableMapping } from '../domain/erasure/privacy.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { WantedValues } from './hit.ts';
import type { TableField } from './table-metadata.ts';
import type { Wanted } from './wanted.ts';

/** What a column may hold: identifiers as its values, or in fields of the JSON that it holds. */
export interface Place {
  readonly direct: readonly WantedValues[];
  readonly json: readonly { readonly path: readonly string[]; readonly values: WantedValues }[];
}

export interface Places {
  /** @param names of the file's own schema, for files without field ids; `null`: not a place */
  find(fieldId: number | undefined, names: readonly string[]): Place | null;
  /** By field id, in any version of the schema. */
  readonly byId: ReadonlyMap<number, Place>;
}

interface Entry {
  readonly identifier: string;
  readonly path: ColumnPath;
  /** Rows match by it; the others only tell more identifiers. */
  readonly matches: boolean;
}

/**
 * Rows that hold a linking identifier are the subject's, whether in a column that they match by or
 * in one that tells more: both are places. Other identifiers are sought as texts.
 * @throws IcewrightError `PolicyInvalid` when no schema has a column that rows match by: a reader
 * that looks nowhere would find nothing
 */
export function compilePlaces(
  mapping: TableMapping | null,
  subject: Subject,
  fields: readonly TableField[],
  wanted: Wanted,
): Places {
  const links = new Set(subject.identifiers.filter((one) => one.links).map((one) => one.name));
  const entries = [
    ...entriesOf(mapping?.match ?? {}, true),
    ...entriesOf(mapping?.holds ?? {}, false),
  ].filter((one) => links.has(one.identifier));
  const byId = new Map<number, Building>();
  const byName = new Map<string, Building>();
  for (const { identifier, path, matches } of entries) {
    const values = wanted.values.get(identifier) as WantedValues;
    const { ids, rest } = resolvePath(path, fields);
    if (matches && ids.length === 0) throw noSuchColumn(mapping?.table ?? '', path);
    for (const id of ids) add(byId, id, values, rest);
    const parts = path.split('.');
    const depth = ids.length > 0 ? parts.length - rest.length : parts.length;
    add(byName, parts.slice(0, depth).join('.'), values, parts.slice(depth));
  }
  return {
    find: (fieldId, names) =>
      (fieldId === undefined ? undefined : byId.get(fieldId)) ??
      byName.get(names.join('.')) ??
      null,
    byId,
  };
}

function noSuchColumn(table: string, path: ColumnPath): IcewrightError {
  const what = `the privacy policy matches rows of ${table} by "${path}"`;
  const message = `${what}, which is no column of it`;
  return new IcewrightError('PolicyInvalid', message, { table, path });
}

interface Building {
  readonly direct: WantedValues[];
  readonly json: { readonly path: readonly string[]; readonly values: WantedValues }[];
}

function entriesOf(holds: TableMapping['holds'], matches: boolean): readonly Entry[] {
  return Object.entries(holds).flatMap(([identifier, paths]) =>
    paths.map((path) => ({ identifier, path, matches })),
  );
}

function add<K>(index: Map<K, Building>, key: K, values: WantedValues, rest: readonly string[]) {
  const place = index.get(key) ?? { direct: [], json: [] };
  index.set(key, place);
  if (rest.length > 0) place.json.push({ path: rest, values });
  else if (!place.direct.includes(values)) place.direct.push(values);
}

/** The longest beginning of a path that is a column in some version of the schema. */
function resolvePath(
  path: ColumnPath,
  fields: readonly TableField[],
): { readonly ids: readonly number[]; readonly rest: readonly string[] } {
  const parts = path.split('.');
  for (let depth = parts.length; depth > 0; depth -= 1) {
    const name = parts.slice(0, depth).join('.');
    const ids = fields
      .filter((one) => one.name === name || one.name.startsWith(`${name}.`))
      .map((one) => one.id);
    if (ids.length > 0) return { ids: [...new Set(ids)], rest: parts.slice(depth) };
  }
  return { ids: [], rest: [] };
}
