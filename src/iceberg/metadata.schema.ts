/**
 * Checks table metadata where it enters the house. Tolerant of fields that are not used, strict on
 * those that are. Ids of snapshots come as exact decimal strings (see `parseExactJson`).
 */
import { z } from 'zod';

/** A 64-bit id: small ones are numbers in exact JSON, large ones strings. */
const id = z.union([z.int(), z.string().regex(/^-?\d+$/)]).transform(String);
const time = z.int();

export type TypeJson =
  | string
  | { readonly type: 'struct'; readonly fields: readonly FieldJson[] }
  | { readonly type: 'list'; readonly 'element-id': number; readonly element: TypeJson }
  | {
      readonly type: 'map';
      readonly 'key-id': number;
      readonly key: TypeJson;
      readonly 'value-id': number;
      readonly value: TypeJson;
    };
export interface FieldJson {
  readonly id: number;
  readonly name: string;
  readonly type: TypeJson;
}

const type: z.ZodType<TypeJson> = z.lazy(() =>
  z.union([
    z.string(),
    z.object({ type: z.literal('struct'), fields: z.array(field) }),
    z.object({ type: z.literal('list'), 'element-id': z.int(), element: type }),
    z.object({
      type: z.literal('map'),
      'key-id': z.int(),
      key: type,
      'value-id': z.int(),
      value: type,
    }),
  ]),
);
const field: z.ZodType<FieldJson> = z.object({ id: z.int(), name: z.string(), type });
const schema = z.object({ 'schema-id': z.int().default(0), fields: z.array(field) });

const partitionField = z
  .object({
    'source-id': z.int().optional(),
    'source-ids': z.array(z.int()).optional(),
    name: z.string(),
    transform: z.string(),
  })
  .transform((read) => ({
    sourceId: read['source-id'] ?? read['source-ids']?.[0] ?? -1,
    name: read.name,
    transform: read.transform,
  }));
const partitionSpec = z.object({ 'spec-id': z.int(), fields: z.array(partitionField) });

const sortField = z
  .object({
    'source-id': z.int().optional(),
    'source-ids': z.array(z.int()).optional(),
    transform: z.string(),
  })
  .transform((read) => ({
    sourceId: read['source-id'] ?? read['source-ids']?.[0] ?? -1,
    transform: read.transform,
  }));
const sortOrder = z.object({ 'order-id': z.int(), fields: z.array(sortField) });

export const SNAPSHOT = z.object({
  'snapshot-id': id,
  'parent-snapshot-id': id.nullish(),
  'sequence-number': z.int().default(0),
  'timestamp-ms': time,
  /** Absent where an old writer did not tell. */
  'schema-id': z.int().nullish(),
  'manifest-list': z.string().optional(),
  /** Only of tables written before manifest lists (v1). */
  manifests: z.array(z.string()).optional(),
  summary: z.record(z.string(), z.string()).default({}),
});

const retention = z.coerce.number().int().min(0).nullish();
const ref = z.object({
  'snapshot-id': id,
  type: z.enum(['branch', 'tag']),
  'max-ref-age-ms': retention,
  'max-snapshot-age-ms': retention,
  'min-snapshots-to-keep': retention,
});
/** Puffin files, and files of figures per partition: parts of a table that no manifest names. */
const statistics = z.array(z.object({ 'statistics-path': z.string() })).default([]);
const logEntry = z.object({ 'timestamp-ms': time, 'metadata-file': z.string() });

export const METADATA = z.object({
  'format-version': z.int().min(1).max(3),
  'table-uuid': z.string(),
  location: z.string(),
  'last-updated-ms': time,
  properties: z.record(z.string(), z.string()).default({}),
  'current-schema-id': z.int().optional(),
  schemas: z.array(schema).optional(),
  /** v1 without `schemas`. */
  schema: schema.optional(),
  'default-spec-id': z.int().optional(),
  'partition-specs': z.array(partitionSpec).optional(),
  /** v1 without `partition-specs`. */
  'partition-spec': z.array(partitionField).optional(),
  'sort-orders': z.array(sortOrder).default([]),
  'default-sort-order-id': z.int().optional(),
  'current-snapshot-id': id.nullish(),
  snapshots: z.array(SNAPSHOT).default([]),
  refs: z.record(z.string(), ref).optional(),
  'metadata-log': z.array(logEntry).default([]),
  statistics,
  'partition-statistics': statistics,
  /** Only of encrypted tables (v3). */
  'encryption-keys': z.array(z.unknown()).default([]),
});
export type MetadataJson = z.infer<typeof METADATA>;
export type SnapshotJson = z.infer<typeof SNAPSHOT>;

export const LOAD_TABLE = z.object({
  'metadata-location': z.string().nullish(),
  metadata: METADATA,
});
export const CATALOG_CONFIG = z.object({
  defaults: z.record(z.string(), z.string()).default({}),
  overrides: z.record(z.string(), z.string()).default({}),
  /** `POST /v1/{prefix}/namespaces/{namespace}/tables/{table}`, …; absent: the standard ones. */
  endpoints: z.array(z.string()).optional(),
});
export const NAMESPACES = z.object({
  namespaces: z.array(z.array(z.string())),
  'next-page-token': z.string().nullish(),
});
export const TABLES = z.object({
  identifiers: z.array(z.object({ namespace: z.array(z.string()), name: z.string() })),
  'next-page-token': z.string().nullish(),
});
export const OAUTH_TOKEN = z.object({
  access_token: z.string().min(1),
  /** Seconds; a server that leaves it out is asked again after an hour. */
  expires_in: z.number().positive().default(3600),
});

/** A shape that JSON is checked against. */
export type Shape<T> = z.ZodType<T>;

/** The data of the right shape, or what is wrong with it, for people. */
export type Checked<T> = { readonly data: T } | { readonly faults: string };

/** Enough to find the fault; a wrong document can have thousands. */
const MAX_FAULTS_TEXT = 500;

/** Checks parsed JSON against a shape. */
export function checkShape<T>(shape: Shape<T>, json: unknown): Checked<T> {
  const parsed = shape.safeParse(json);
  if (parsed.success) return { data: parsed.data };
  return { faults: z.prettifyError(parsed.error).slice(0, MAX_FAULTS_TEXT) };
}
