/** Manifests and manifest lists as Iceberg's writers make them, encoded by another Avro library. */
import avro from 'avsc';

export interface FileSpec {
  /** 0 existing, 1 added, 2 deleted. Default 1. */
  readonly status?: number;
  /** 0 data, 1 position deletes, 2 equality deletes. Default 0. */
  readonly content?: number;
  readonly format?: string;
  /** Default: made from its place in the manifest. */
  readonly path?: string;
  readonly records?: number;
  readonly bytes?: number;
  readonly contentBytes?: number;
  /** Values by name, in the order of the manifest's partition fields. */
  readonly partition?: Readonly<Record<string, unknown>>;
  readonly lower?: Readonly<Record<number, Buffer>>;
  readonly upper?: Readonly<Record<number, Buffer>>;
}

export interface ManifestSpec {
  readonly files: readonly FileSpec[];
  /** Avro types of the partition's fields by name. */
  readonly partition?: Readonly<Record<string, unknown>>;
  readonly version?: 1 | 2 | 3;
  readonly specId?: number;
  readonly codec?: 'null' | 'deflate';
}

const optional = (type: unknown) => ['null', type];

function pairs(name: string, keyId: number, value: string) {
  const item = {
    type: 'record',
    name: `${name}${keyId}`,
    fields: [
      { name: 'key', type: 'int', 'field-id': keyId },
      { name: 'value', type: value, 'field-id': keyId + 1 },
    ],
  };
  return optional({ type: 'array', items: item, logicalType: 'map' });
}

function entrySchema({ partition = {}, version = 2 }: ManifestSpec) {
  const field = (name: string, type: unknown, id: number) => ({ name, type, 'field-id': id });
  const partitionFields = Object.entries(partition).map(([name, type], index) => {
    return { ...field(name, optional(type), 1000 + index), default: null };
  });
  const file = [
    ...(version === 1 ? [] : [field('content', 'int', 134)]),
    field('file_path', 'string', 100),
    field('file_format', 'string', 101),
    field('partition', { type: 'record', name: 'r102', fields: partitionFields }, 102),
    field('record_count', 'long', 103),
    field('file_size_in_bytes', 'long', 104),
    ...(version === 1 ? [field('block_size_in_bytes', 'long', 105)] : []),
    field('column_sizes', pairs('k', 117, 'long'), 108),
    field('value_counts', pairs('k', 119, 'long'), 109),
    field('null_value_counts', pairs('k', 121, 'long'), 110),
    field('lower_bounds', pairs('k', 126, 'bytes'), 125),
    field('upper_bounds', pairs('k', 129, 'bytes'), 128),
    field('key_metadata', optional('bytes'), 131),
    field('split_offsets', optional({ type: 'array', items: 'long' }), 132),
    ...(version === 3
      ? [
          field('first_row_id', optional('long'), 142),
          field('content_offset', optional('long'), 144),
          field('content_size_in_bytes', optional('long'), 145),
        ]
      : []),
  ];
  return {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      field('status', 'int', 0),
      field('snapshot_id', optional('long'), 1),
      ...(version === 1 ? [] : [field('sequence_number', optional('long'), 3)]),
      field('data_file', { type: 'record', name: 'r2', fields: file }, 2),
    ],
  };
}

function pairsOf<T>(values: Readonly<Record<number, T>> | undefined) {
  if (values === undefined) return null;
  const list = Object.entries(values).map(([key, value]) => ({ key: Number(key), value }));
  return { array: list };
}

const COLUMNS = [1, 2, 3, 4, 5, 6];
const counts = (value: number) =>
  pairsOf(Object.fromEntries(COLUMNS.map((column) => [column, value * column])));

function entryOf(file: FileSpec, index: number) {
  const long = (value: number | undefined) => (value === undefined ? null : { long: value });
  const partition = Object.fromEntries(
    Object.entries(file.partition ?? {}).map(([name, value]) => [name, value]),
  );
  return {
    status: file.status ?? 1,
    snapshot_id: { long: 5_000_000_000 },
    sequence_number: null,
    data_file: {
      content: file.content ?? 0,
      file_path: file.path ?? `s3://lake/a/t/data/${index}-8d7c0f0e-0000-4c1e-9fb9-00001.parquet`,
      file_format: file.format ?? 'PARQUET',
      partition,
      record_count: file.records ?? 10,
      file_size_in_bytes: file.bytes ?? 1_000,
      block_size_in_bytes: 67_108_864,
      column_sizes: counts(100 + index),
      value_counts: counts(10),
      null_value_counts: counts(0),
      lower_bounds: pairsOf(file.lower),
      upper_bounds: pairsOf(file.upper),
      key_metadata: null,
      split_offsets: { array: [4, 70_000_000_000] },
      first_row_id: null,
      content_offset: long(file.contentBytes === undefined ? undefined : 4),
      content_size_in_bytes: long(file.contentBytes),
    },
  };
}

/** A manifest; partition values that are no null are given as avsc wants a union's branch. */
export function encodeManifest(spec: ManifestSpec): Promise<Buffer> {
  const meta = { 'partition-spec-id': Buffer.from(String(spec.specId ?? 0)) };
  return encode(entrySchema(spec), spec.files.map(entryOf), { ...spec, meta });
}

export interface Listed {
  readonly uri: string;
  readonly length?: number;
  readonly specId?: number;
  readonly keyMetadata?: Buffer;
}

export function encodeManifestList(manifests: readonly Listed[]): Promise<Buffer> {
  const schema = {
    type: 'record',
    name: 'manifest_file',
    fields: [
      { name: 'manifest_path', type: 'string', 'field-id': 500 },
      { name: 'manifest_length', type: 'long', 'field-id': 501 },
      { name: 'partition_spec_id', type: 'int', 'field-id': 502 },
      { name: 'key_metadata', type: ['null', 'bytes'], 'field-id': 519 },
    ],
  };
  const records = manifests.map(({ uri, length, specId, keyMetadata }) => ({
    manifest_path: uri,
    manifest_length: length ?? 0,
    partition_spec_id: specId ?? 0,
    key_metadata: keyMetadata === undefined ? null : { bytes: keyMetadata },
  }));
  return encode(schema, records, {});
}

async function encode(
  schema: object,
  records: readonly unknown[],
  options: { readonly codec?: string; readonly meta?: Readonly<Record<string, Buffer>> },
): Promise<Buffer> {
  // Unions are wrapped, so that no value can be taken for another branch's.
  const type = avro.Type.forSchema(schema as never, { wrapUnions: true });
  const encoder = new avro.streams.BlockEncoder(type, {
    codec: (options.codec ?? 'deflate') as never,
    metadata: options.meta,
  } as never);
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  for (const record of records) encoder.write(record);
  encoder.end();
  await ended;
  return Buffer.concat(chunks);
}

/** Iceberg's single-value encoding. */
export const bound = {
  int: (value: number) => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32LE(value);
    return bytes;
  },
  long: (value: bigint | number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(value));
    return bytes;
  },
  double: (value: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    return bytes;
  },
  text: (value: string) => Buffer.from(value),
};
