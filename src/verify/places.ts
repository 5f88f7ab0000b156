/** Where in rows identifiers lie: column paths of the policy as field ids of the table. */

import type { ColumnPath, TableMapping } from '../domain/erasure/privacy.ts';
import { IcewrightError } from '../domain/errors.ts';
import type { WantedValues } from './hit.ts';
import type { LakeTable, PartitionColumn, TableField } from './table-metadata.ts';
import type { Wanted } from './wanted.ts';

/** What a column may hold: identifiers as its values, or in fields of the JSON that it holds. */
export interface Place {
  readonly direct: readonly WantedValues[];
  readonly json: readonly { readonly path: readonly string[]; readonly values: WantedValues }[];
  /** Names of the identifiers of `direct`. */
  readonly whole: ReadonlySet<string>;
  /** Names of the identifiers of `json`. */
  readonly inJson: ReadonlySet<string>;
}

export interface Places {
  /** @param names of the file's own schema, for files without field ids; `null`: not a place */
  find(fieldId: number | undefined, names: readonly string[]): Place | null;
  readonly isEmpty: boolean;
  /** Identifiers with a column whose values are not compared: times, and yes or no. */
  readonly uncompared: ReadonlySet<string>;
}

interface Entry {
  readonly identifier: string;
  readonly path: ColumnPath;
  /** Rows match by it; the others only tell more identifiers. */
  readonly matches: boolean;
}

/**
 * Every identifier that the mapping names is compared in its places, whether rows match by it or
 * not, and however short its values are.
 * @throws IcewrightError `PolicyInvalid` when no schema has a column that rows match by: a reader
 * that looks nowhere would find nothing
 */
export function compilePlaces(
  mapping: TableMapping | null,
  { fields, specs }: Pick<LakeTable, 'fields' | 'specs'>,
  wanted: Wanted,
): Places {
  const entries = [
    ...entriesOf(mapping?.match ?? {}, true),
    ...entriesOf(mapping?.holds ?? {}, false),
  ];
  const byId = new Map<number, Building>();
  const byName = new Map<string, Building>();
  const uncompared = new Set<string>();
  for (const { identifier, path, matches } of entries) {
    const values = wanted.values.get(identifier);
    if (values === undefined) continue;
    const columns = resolvePath(path, fields);
    if (matches && columns.length === 0) throw noSuchColumn(mapping?.table ?? '', path);
    for (const { id, rest } of columns) {
      add(byId, id, values, rest);
      if (fields.some((one) => one.id === id && UNCOMPARED.test(one.type)))
        uncompared.add(identifier);
      // Of files without ids, some are from before a column was renamed.
      const names = fields.filter((one) => one.id === id).map(({ name }) => name);
      for (const name of new Set(names)) add(byName, name, values, rest);
    }
    if (columns.length === 0) add(byName, path, values, []);
  }
  for (const { name, sourceIds } of identities(specs)) {
    for (const { direct } of sourceIds.flatMap((id) => byId.get(id) ?? [])) {
      // In paths, and in files of statistics about partitions.
      for (const one of [name, `partition.${name}`]) {
        for (const values of direct) add(byName, one, values, []);
      }
    }
  }
  const ids = mapEntries(byId, placeOf);
  const names = mapEntries(byName, placeOf);
  const columns = new Set(fields.map(({ id }) => id));
  return {
    find: (fieldId, path) => {
      // Another column may have a name that was the place's once.
      const byIdAlone = fieldId !== undefined && columns.has(fieldId) && path[0] !== 'partition';
      const own = fieldId === undefined ? undefined : ids.get(fieldId);
      return own ?? (byIdAlone ? null : (names.get(path.join('.')) ?? null));
    },
    isEmpty: names.size === 0,
    uncompared,
  };
}

const UNCOMPARED = /^(time|timestamp|boolean)/;

function identities(specs: LakeTable['specs']): readonly PartitionColumn[] {
  return [...specs.values()].flat().filter(({ transform }) => transform === 'identity');
}

function placeOf({ direct, json }: Building): Place {
  const whole = new Set(direct.map(({ identifier }) => identifier));
  return { direct, json, whole, inJson: new Set(json.map(({ values }) => values.identifier)) };
}

function mapEntries<K, V, W>(map: ReadonlyMap<K, V>, of: (value: V) => W): ReadonlyMap<K, W> {
  return new Map([...map].map(([key, value]) => [key, of(value)]));
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
  const isThere = place.json.some(
    (one) => one.values === values && one.path.join() === rest.join(),
  );
  if (rest.length > 0 && !isThere) place.json.push({ path: rest, values });
  if (rest.length > 0) return;
  if (!place.direct.includes(values)) place.direct.push(values);
}

/**
 * Columns that a path has led to in any version of the schema: one of its own name with all its
 * parts, and columns of text further up, which hold the rest of it in JSON.
 */
function resolvePath(
  path: ColumnPath,
  fields: readonly TableField[],
): readonly { readonly id: number; readonly rest: readonly string[] }[] {
  const parts = path.split('.');
  return parts.flatMap((_, at) => {
    const [name, rest] = [parts.slice(0, at + 1).join('.'), parts.slice(at + 1)];
    const isHere = (one: TableField) =>
      rest.length === 0
        ? one.name === name || one.name.startsWith(`${name}.`)
        : one.name === name && /^(string|binary)$/.test(one.type);
    const found = [...new Set(fields.filter(isHere).map(({ id }) => id))];
    return [...found.map((id) => ({ id, rest })), ...valuesOfMap(name, rest, fields)];
  });
}

/** A member of a map is known by its key, which stands in another column: all values are compared. */
function valuesOfMap(name: string, rest: readonly string[], fields: readonly TableField[]) {
  const isMap = fields.some((one) => one.name === name && one.type === 'map');
  if (rest.length === 0 || !isMap) return [];
  const isValue = (one: TableField) => `${one.name}.`.startsWith(`${name}.value.`);
  return fields.filter(isValue).map(({ id }) => ({ id, rest: [] }));
}
