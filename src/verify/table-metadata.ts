/** What the second reader needs of a table's metadata file, of any format version. */
import { parseExactJson } from '../domain/exact-json.ts';
import { Unreadable } from './unreadable.ts';

/** A column or a part of one. */
export interface TableField {
  readonly id: number;
  /** Dotted; elements of lists and values of maps under both spellings, `a.element.b` and `a.b`. */
  readonly name: string;
  /** Iceberg's name of a simple type; `struct`, `list`, `map`. */
  readonly type: string;
}

export interface PartitionColumn {
  readonly fieldId: number;
  readonly name: string;
  readonly sourceIds: readonly number[];
  readonly transform: string;
}

export interface SnapshotEntry {
  readonly manifestList: string | null;
  /** Of tables of the first versions, which have no list. */
  readonly manifests: readonly string[];
}

export interface LakeTable {
  readonly location: string;
  /** Folders that the table's files may lie in, apart from its location. */
  readonly otherLocations: readonly string[];
  readonly currentSnapshotId: string | null;
  /** Of every version of the schema. */
  readonly fields: readonly TableField[];
  readonly specs: ReadonlyMap<number, readonly PartitionColumn[]>;
  readonly snapshots: readonly SnapshotEntry[];
  readonly statistics: readonly string[];
  readonly partitionStatistics: readonly string[];
  readonly metadataLog: readonly string[];
}

type Json = Readonly<Record<string, unknown>>;

/** @throws Unreadable for what is no table metadata */
export function parseTableMetadata(text: string): LakeTable {
  const json = asObject(parseExactJson(text));
  if (typeof json.location !== 'string') throw new Unreadable('damaged');
  const schemas = json.schemas === undefined ? [json.schema] : asList(json.schemas);
  const specs = asList(
    json['partition-specs'] ?? [{ 'spec-id': 0, fields: json['partition-spec'] }],
  );
  const properties = asObject(json.properties ?? {});
  const current = json['current-snapshot-id'];
  return {
    location: json.location,
    otherLocations: otherLocationsOf(properties),
    currentSnapshotId: current == null || String(current) === '-1' ? null : String(current),
    fields: schemas.flatMap((schema) => fieldsOf(asObject(schema).fields, [''])),
    specs: new Map(specs.map((spec) => specOf(asObject(spec)))),
    snapshots: asList(json.snapshots ?? []).map((one) => snapshotOf(asObject(one))),
    statistics: pathsOf(json.statistics, 'statistics-path'),
    partitionStatistics: pathsOf(json['partition-statistics'], 'statistics-path'),
    metadataLog: pathsOf(json['metadata-log'], 'metadata-file'),
  };
}

/** Folders that a table's properties name for its files. */
export function otherLocationsOf(properties: Json): readonly string[] {
  return PATH_PROPERTIES.flatMap((name) => properties[name] ?? []).map(String);
}

const PATH_PROPERTIES = [
  'write.data.path',
  'write.metadata.path',
  'write.folder-storage.path',
  'write.object-storage.path',
];

function asObject(value: unknown): Json {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Unreadable('damaged');
  }
  return value as Json;
}

function asList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Unreadable('damaged');
  return value;
}

function pathsOf(list: unknown, name: string): readonly string[] {
  return asList(list ?? []).map((one) => String(asObject(one)[name]));
}

function snapshotOf(json: Json): SnapshotEntry {
  const list = json['manifest-list'];
  return {
    manifestList: list == null ? null : String(list),
    manifests: asList(json.manifests ?? []).map(String),
  };
}

function specOf(json: Json): readonly [number, readonly PartitionColumn[]] {
  const fields = asList(json.fields ?? []).map((one, index): PartitionColumn => {
    const field = asObject(one);
    const sources = field['source-ids'] ?? [field['source-id']];
    return {
      fieldId: Number(field['field-id'] ?? 1000 + index),
      name: String(field.name),
      sourceIds: asList(sources).map(Number),
      transform: String(field.transform),
    };
  });
  return [Number(json['spec-id'] ?? 0), fields];
}

function fieldsOf(fields: unknown, prefixes: readonly string[]): readonly TableField[] {
  return asList(fields).flatMap((one) => {
    const field = asObject(one);
    const names = prefixes.map((prefix) => `${prefix}${String(field.name)}`);
    return partsOf(Number(field.id), names, field.type);
  });
}

function partsOf(id: number, names: readonly string[], type: unknown): readonly TableField[] {
  const own = (kind: string) => names.map((name) => ({ id, name, type: kind }));
  if (typeof type === 'string') return own(type);
  const json = asObject(type);
  const below = (part: string) => names.flatMap((name) => [`${name}.${part}`, name]);
  switch (json.type) {
    case 'struct':
      return [
        ...own('struct'),
        ...fieldsOf(
          json.fields,
          names.map((name) => `${name}.`),
        ),
      ];
    case 'list':
      return [
        ...own('list'),
        ...partsOf(Number(json['element-id']), below('element'), json.element),
      ];
    case 'map':
      return [
        ...own('map'),
        ...partsOf(
          Number(json['key-id']),
          names.map((name) => `${name}.key`),
          json.key,
        ),
        ...partsOf(Number(json['value-id']), below('value'), json.value),
      ];
    default:
      throw new Unreadable('damaged');
  }
}
