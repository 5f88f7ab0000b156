import type { RefSchema, SnapshotInfo, SnapshotRef } from '../domain/health/health.ts';
import type { FieldJson, MetadataJson, SnapshotJson, TypeJson } from './metadata.schema.ts';

export interface PartitionField {
  readonly name: string;
  /** Dotted name of the source column; `null` when it is in no schema any more. */
  readonly source: string | null;
  /** Iceberg's name of the source's type, for example `timestamptz`; `null` as above. */
  readonly sourceType: string | null;
  readonly transform: string;
}

export interface PartitionSpec {
  readonly specId: number;
  readonly fields: readonly PartitionField[];
}

/** Where the file list of a snapshot is: a manifest list, or (old v1 tables) manifests. */
export interface SnapshotFiles {
  readonly manifestList: string | null;
  readonly manifests: readonly string[];
}

/** A column by which the table is to be clustered. */
export interface SortColumn {
  readonly fieldId: number;
  /** Dotted. */
  readonly name: string;
  readonly type: string;
}

/** Table metadata of any format version in one form. */
export interface TableMetadata {
  readonly formatVersion: number;
  readonly tableUuid: string;
  readonly location: string;
  readonly lastUpdatedMs: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly specs: ReadonlyMap<number, PartitionSpec>;
  readonly defaultSpecId: number;
  readonly schemaId: number;
  /** 0: the table has no sort order. */
  readonly sortOrderId: number;
  /** Of the default sort order; else those that {@link CLUSTER_PROPERTY} names. */
  readonly sortColumns: readonly SortColumn[];
  /** Every column of the current schema by its dotted name. */
  readonly columnsByName: ReadonlyMap<string, SortColumn>;
  readonly currentSnapshotId: string | null;
  readonly snapshots: readonly SnapshotInfo[];
  /** By snapshot id. */
  readonly files: ReadonlyMap<string, SnapshotFiles>;
  readonly refs: readonly SnapshotRef[];
  /** Earlier metadata files that the table still names, oldest first. */
  readonly metadataLog: readonly string[];
  /** Puffin files of column statistics, of any snapshot. */
  readonly statisticsFiles: readonly string[];
  readonly partitionStatisticsFiles: readonly string[];
  /** The table names keys: engines without them can read none of its manifests. */
  readonly encrypted: boolean;
}

/** Names the columns of a table that is kept in Z-order, `a,b`: Iceberg has no place for them. */
export const CLUSTER_PROPERTY = 'icewright.cluster-by';

/** Brings v1, v2 and v3 metadata into one form; the JSON has passed the schema. */
export function readMetadata(json: MetadataJson): TableMetadata {
  const schemas = json.schemas ?? (json.schema === undefined ? [] : [json.schema]);
  const current = schemas.find((one) => one['schema-id'] === json['current-schema-id']);
  const columns = (current ?? json.schema ?? schemas.at(-1))?.fields ?? [];
  const currentSnapshotId = realId(json['current-snapshot-id']);
  // A partition's source column may be gone from the current schema: older ones still know it.
  const sources = new Map<number, Source>();
  for (const one of [...schemas, { fields: columns }]) indexFields(one.fields, '', sources);
  const specs = readSpecs(json, sources);
  return {
    formatVersion: json['format-version'],
    tableUuid: json['table-uuid'],
    location: json.location,
    lastUpdatedMs: json['last-updated-ms'],
    properties: json.properties,
    columns: columns.map(columnOf),
    specs,
    defaultSpecId: json['default-spec-id'] ?? 0,
    schemaId: json['current-schema-id'] ?? 0,
    sortOrderId: json['default-sort-order-id'] ?? 0,
    sortColumns: readSortColumns(json, sources),
    columnsByName: namesOf(columns),
    currentSnapshotId,
    snapshots: json.snapshots.map(snapshotInfo),
    files: new Map(json.snapshots.map((one) => [one['snapshot-id'], snapshotFiles(one)])),
    refs: readRefs(json, currentSnapshotId, schemaReader(json, columns)),
    metadataLog: json['metadata-log'].map((entry) => entry['metadata-file']),
    statisticsFiles: json.statistics.map((one) => one['statistics-path']),
    partitionStatisticsFiles: json['partition-statistics'].map((one) => one['statistics-path']),
    encrypted: json['encryption-keys'].length > 0 || 'encryption.key-id' in json.properties,
  };
}

function snapshotInfo(json: SnapshotJson): SnapshotInfo {
  const { operation, ...summary } = json.summary;
  return {
    snapshotId: json['snapshot-id'],
    parentSnapshotId: realId(json['parent-snapshot-id']),
    sequenceNumber: json['sequence-number'],
    committedAtMs: json['timestamp-ms'],
    // Optional in v1, where a snapshot without it could only have added files.
    operation: operation ?? 'append',
    summary,
  };
}

function snapshotFiles(json: SnapshotJson): SnapshotFiles {
  return { manifestList: json['manifest-list'] ?? null, manifests: json.manifests ?? [] };
}

/** Some writers say -1 for "no snapshot". */
function realId(id: string | null | undefined): string | null {
  return id === null || id === undefined || id === '-1' ? null : id;
}

/** Only what the ref sets itself: what it leaves out follows the table's properties. */
function retentionOf(ref: NonNullable<MetadataJson['refs']>[string]): Partial<SnapshotRef> {
  const {
    'max-ref-age-ms': maxRefAgeMs,
    'max-snapshot-age-ms': maxSnapshotAgeMs,
    'min-snapshots-to-keep': minSnapshotsToKeep,
  } = ref;
  return {
    ...(maxRefAgeMs == null ? {} : { maxRefAgeMs }),
    ...(maxSnapshotAgeMs == null ? {} : { maxSnapshotAgeMs }),
    ...(minSnapshotsToKeep == null ? {} : { minSnapshotsToKeep }),
  };
}

function readRefs(
  json: MetadataJson,
  current: string | null,
  schemaAt: (snapshotId: string) => RefSchema | null,
): readonly SnapshotRef[] {
  const refs = Object.entries(json.refs ?? {}).map(([name, ref]): SnapshotRef => {
    const snapshotId = ref['snapshot-id'];
    const schema = name === 'main' ? null : schemaAt(snapshotId);
    const own = { ...retentionOf(ref), ...(schema === null ? {} : { schema }) };
    return { name, type: ref.type, snapshotId, ...own };
  });
  // v1 writers know no refs: the current snapshot is the head of main all the same.
  const hasMain = refs.some((ref) => ref.name === 'main');
  if (current === null || hasMain) return refs;
  return [{ name: 'main', type: 'branch', snapshotId: current }, ...refs];
}

/** Answers `null` for a snapshot of today's schema. Refs of one schema share what is told of it. */
function schemaReader(
  json: MetadataJson,
  today: readonly FieldJson[],
): (snapshotId: string) => RefSchema | null {
  const told = new Map<number, RefSchema>();
  return (snapshotId) => {
    const id = json.snapshots.find((one) => one['snapshot-id'] === snapshotId)?.['schema-id'];
    const schema = json.schemas?.find((one) => one['schema-id'] === id);
    if (schema === undefined || schema.fields === today) return null;
    const found = told.get(schema['schema-id']) ?? refSchema(schema.fields, today);
    told.set(schema['schema-id'], found);
    return found;
  };
}

function refSchema(then: readonly FieldJson[], today: readonly FieldJson[]): RefSchema {
  const old = new Map<number, Source>();
  indexFields(then, '', old);
  const now = [...namesOf(today)].map(([name, { fieldId }]) => [name, old.get(fieldId)?.name]);
  return {
    columns: then.map(columnOf),
    names: Object.fromEntries(now.map(([name, was]) => [name, was ?? null])),
  };
}

function columnOf({ name, type }: FieldJson) {
  return { name, type: typeText(type) };
}

interface Source {
  readonly name: string;
  readonly type: string;
}

function readSpecs(
  json: MetadataJson,
  sources: ReadonlyMap<number, Source>,
): ReadonlyMap<number, PartitionSpec> {
  const specs = json['partition-specs'] ?? [{ 'spec-id': 0, fields: json['partition-spec'] ?? [] }];
  return new Map(
    specs.map((spec) => {
      const fields = spec.fields.map((field): PartitionField => {
        const source = sources.get(field.sourceId);
        return {
          name: field.name,
          transform: field.transform,
          source: source?.name ?? null,
          sourceType: source?.type ?? null,
        };
      });
      return [spec['spec-id'], { specId: spec['spec-id'], fields }];
    }),
  );
}

/** A bucket says nothing of the order of what is in it; the other transforms keep the order. */
function readSortColumns(
  json: MetadataJson,
  sources: ReadonlyMap<number, Source>,
): readonly SortColumn[] {
  const order = json['sort-orders'].find(
    (one) => one['order-id'] === json['default-sort-order-id'],
  );
  const sorted = (order?.fields ?? [])
    .filter(({ transform }) => !/^(bucket|void|unknown)/.test(transform))
    .map((field) => field.sourceId);
  const named = (json.properties[CLUSTER_PROPERTY] ?? '').split(',').map((one) => one.trim());
  const ids = order !== undefined && order.fields.length > 0 ? sorted : idsOf(named, sources);
  return [...new Set(ids)].flatMap((fieldId) => {
    const source = sources.get(fieldId);
    return source === undefined ? [] : [{ fieldId, ...source }];
  });
}

function namesOf(columns: readonly FieldJson[]): ReadonlyMap<string, SortColumn> {
  const found = new Map<number, Source>();
  indexFields(columns, '', found);
  return new Map([...found].map(([fieldId, source]) => [source.name, { fieldId, ...source }]));
}

/** The last of a name is of the current schema. */
function idsOf(names: readonly string[], sources: ReadonlyMap<number, Source>): readonly number[] {
  const byName = new Map([...sources].map(([fieldId, { name }]) => [name, fieldId]));
  return names.flatMap((name) => byName.get(name) ?? []);
}

function indexFields(
  fields: readonly FieldJson[],
  prefix: string,
  found: Map<number, Source>,
): void {
  for (const field of fields) {
    const name = `${prefix}${field.name}`;
    found.set(field.id, { name, type: typeText(field.type) });
    if (typeof field.type !== 'string' && field.type.type === 'struct') {
      indexFields(field.type.fields, `${name}.`, found);
    }
  }
}

/** `struct<a: long, b: list<string>>` */
function typeText(type: TypeJson): string {
  if (typeof type === 'string') return type;
  switch (type.type) {
    case 'struct':
      return `struct<${type.fields.map((one) => `${one.name}: ${typeText(one.type)}`).join(', ')}>`;
    case 'list':
      return `list<${typeText(type.element)}>`;
    case 'map':
      return `map<${typeText(type.key)}, ${typeText(type.value)}>`;
  }
}
