/** Places that hold values by themselves: keys of maps, paths in deletes, partitions, old columns. */
import { describe, expect, test } from 'vitest';
import type { VerifyInput } from '../../src/verify/ports.ts';
import {
  bound,
  encodeManifest,
  encodeManifestList,
  type FileSpec,
} from '../iceberg/manifest-fixture.ts';
import { type AvroRow, encodeAvro, encodeData } from './avro-file.ts';
import {
  FIELDS,
  field,
  LOCATION,
  MAPPING,
  METADATA,
  metadataJson,
  tracesOf,
  VALUES,
  verifyOne,
} from './fixture.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';

const [KEY, MAIL] = [VALUES.customer_id[0], VALUES.email[0]];
const ROW = 'data customer_id row';

const record = (fields: readonly object[]) => ({ type: 'record', name: 't', fields });
const matching = (...customer_id: readonly string[]): Partial<VerifyInput> => {
  return { mapping: { ...MAPPING, match: { ...MAPPING.match, customer_id } } };
};

/** A file of one row, of a schema of its own. */
async function storeOf(schema: object, row: object, metadata: object = {}): Promise<MemoryStore> {
  const store = createMemoryStore();
  store.put(METADATA, metadataJson(metadata as never));
  store.put(`${LOCATION}/data/x.avro`, await encodeAvro(schema, [row]));
  return store;
}

describe('maps', () => {
  const type = {
    ...{ type: 'map', 'key-id': 21, key: 'string', 'value-id': 22, value: 'string' },
    'value-required': false,
  };
  const fields = [...FIELDS, field(20, 'attrs', type)];
  const metadata = { schemas: [{ 'schema-id': 0, type: 'struct', fields }] };
  const schema = record([
    {
      name: 'attrs',
      'field-id': 20,
      type: { type: 'map', values: 'string', 'key-id': 21, 'value-id': 22 },
    },
  ]);
  test.each([
    ['a key', { [KEY]: 'x' }, 'attrs'],
    ['a value', { a: KEY }, 'attrs'],
    ['the value of a member', { customer_id: KEY }, 'attrs.customer_id'],
  ])('%s', async (_, attrs, path) => {
    const store = await storeOf(schema, { attrs }, metadata);
    expect(tracesOf(await verifyOne(store, matching('customer_id', path)))).toEqual([ROW]);
  });
});

describe('columns of another time', () => {
  test('a file without ids, of a column that was renamed since', async () => {
    const schema = record([{ name: 'cust_id', type: 'long' }]);
    const versions = ['cust_id', 'customer_id'].map((name, id) => {
      return { 'schema-id': id, type: 'struct', fields: [field(2, name, 'long')] };
    });
    const store = await storeOf(schema, { cust_id: Number(KEY) }, { schemas: versions });
    const mapping = { ...MAPPING, match: { customer_id: ['customer_id'] }, holds: {} };
    expect(tracesOf(await verifyOne(store, { mapping }))).toEqual([ROW]);
  });

  test('another column that has the name now is none', async () => {
    const versions = [
      [field(2, 'cust_id', 'long')],
      [field(2, 'customer_id', 'long'), field(99, 'cust_id', 'long')],
    ].map((fields, id) => ({ 'schema-id': id, type: 'struct', fields }));
    const schema = record([{ name: 'cust_id', 'field-id': 99, type: 'long' }]);
    const store = await storeOf(schema, { cust_id: Number(KEY) }, { schemas: versions });
    const mapping = { ...MAPPING, match: { customer_id: ['customer_id'] }, holds: {} };
    expect(tracesOf(await verifyOne(store, { mapping }))).toEqual([]);
  });

  test('a struct that is JSON now', async () => {
    const parts = [field(31, 'customer_id', 'long')];
    const versions = [
      field(30, 'doc', { type: 'struct', fields: parts }),
      field(40, 'doc', 'string'),
    ];
    const schemas = versions.map((one, id) => ({ 'schema-id': id, type: 'struct', fields: [one] }));
    const mapping = { ...MAPPING, match: { customer_id: ['doc.customer_id'] }, holds: {} };
    const now = record([{ name: 'doc', 'field-id': 40, type: 'string' }]);
    const json = await storeOf(now, { doc: `{"customer_id":${KEY}}` }, { schemas });
    expect(tracesOf(await verifyOne(json, { mapping }))).toEqual([ROW]);
    const inner = record([{ name: 'customer_id', 'field-id': 31, type: 'long' }]);
    const then = record([{ name: 'doc', 'field-id': 30, type: { ...inner, name: 'r' } }]);
    const struct = await storeOf(then, { doc: { customer_id: Number(KEY) } }, { schemas });
    expect(tracesOf(await verifyOne(struct, { mapping }))).toEqual([ROW]);
  });
});

test('columns of times are not compared, which is told', async () => {
  const fields = [...FIELDS, field(50, 'seen', 'timestamp')];
  const store = createMemoryStore();
  store.put(METADATA, metadataJson({ schemas: [{ 'schema-id': 0, type: 'struct', fields }] }));
  const mapping = { ...MAPPING, holds: { full_name: ['seen'] } };
  const { limits } = await verifyOne(store, { mapping });
  expect(limits).toEqual([{ kind: 'not_compared', identifier: 'full_name', objects: 0 }]);
});

describe('partitions', () => {
  const spec = (name: string, id: number, transform: string) => {
    const column = { 'source-id': id, 'field-id': 1000, name, transform };
    return { 'partition-specs': [{ 'spec-id': 0, fields: [column] }] };
  };

  test('of files of statistics', async () => {
    const partition = { ...record([{ name: 'cust', 'field-id': 1000, type: 'long' }]), name: 'p' };
    const schema = record([{ name: 'partition', 'field-id': 1, type: partition }]);
    const row = { partition: { cust: Number(KEY) } };
    const store = await storeOf(schema, row, spec('cust', 2, 'identity'));
    expect(tracesOf(await verifyOne(store))).toEqual([ROW]);
  });

  test('in paths, under the partition’s own name', async () => {
    const store = createMemoryStore();
    store.put(METADATA, metadataJson(spec('cust', 2, 'identity')));
    store.put(`${LOCATION}/data/cust=${KEY}/x`, 'x');
    expect(tracesOf(await verifyOne(store))).toEqual(['unknown customer_id path']);
  });

  test('in position deletes', async () => {
    const path = `s3://lake/a/t/data/customer_id=${KEY}/f.parquet`;
    const schema = record([
      { name: 'file_path', 'field-id': 2147483546, type: 'string' },
      { name: 'pos', 'field-id': 2147483545, type: 'long' },
    ]);
    const store = await storeOf(schema, { file_path: path, pos: 1 });
    expect(tracesOf(await verifyOne(store))).toEqual([ROW]);
    const lower = { 2147483546: Buffer.from(path) };
    const bounds = await tableOf({ lower, status: 2 });
    expect(tracesOf(await verifyOne(bounds))).toEqual(['manifest customer_id bounds']);
  });

  test('that are cut', async () => {
    const file = { partition: { e: { string: MAIL.slice(0, 15) } } };
    const types = { e: 'string' };
    const metadata = spec('e', 3, 'truncate[15]');
    const gone = await verifyOne(await tableOf({ ...file, status: 2 }, { types, metadata }));
    expect(tracesOf(gone)).toEqual(['manifest email bounds']);
    expect(gone.limits).toMatchObject([{ kind: 'hashed_partition' }]);
    const rows = [{ email: 'ann.lee@example.com' }];
    const live = await verifyOne(await tableOf(file, { types, metadata, rows }));
    expect(tracesOf(live)).toEqual([]);
  });

  test('of decimals and days', async () => {
    const schemas = [
      { 'schema-id': 0, type: 'struct', fields: [...FIELDS, field(50, 'born', 'date')] },
    ];
    const metadata = { ...spec('d', 50, 'identity'), schemas };
    const born = await tableOf(
      { partition: { d: { int: 3789 } }, status: 2 },
      { types: { d: 'int' }, metadata },
    );
    const mapping = { ...MAPPING, holds: { ...MAPPING.holds, full_name: ['born'] } };
    const subjects = [{ requestId: 'r1', values: { full_name: ['1980-05-17'] } }];
    expect(tracesOf(await verifyOne(born, { mapping, subjects }))).toEqual([
      'manifest full_name partition',
    ]);
    const bounds = await tableOf({ lower: { 50: bound.int(3789) }, status: 2 }, { metadata });
    expect(tracesOf(await verifyOne(bounds, { mapping, subjects }))).toEqual([
      'manifest full_name bounds',
    ]);
  });
});

interface More {
  readonly types?: Readonly<Record<string, unknown>>;
  readonly metadata?: object;
  /** Of the file that the entry names. */
  readonly rows?: readonly AvroRow[];
  readonly data?: Buffer;
}

/** A table of one snapshot with one file. */
async function tableOf(file: FileSpec, more: More = {}): Promise<MemoryStore> {
  const { types = {}, metadata = {}, rows, data } = more;
  const store = createMemoryStore();
  const [list, uri] = [`${LOCATION}/metadata/snap-1.avro`, `${LOCATION}/metadata/m0.avro`];
  const path = `${LOCATION}/data/x.avro`;
  const bytes = data ?? (rows === undefined ? null : await encodeData(rows));
  if (bytes !== null) store.put(path, bytes);
  store.put(uri, await encodeManifest({ files: [{ ...file, path }], partition: types }));
  store.put(list, await encodeManifestList([{ uri }]));
  const snapshots = [{ 'snapshot-id': 1, 'timestamp-ms': 1, 'manifest-list': list }];
  store.put(METADATA, metadataJson({ 'current-snapshot-id': 1, snapshots, ...metadata }));
  return store;
}

describe('a bound that another’s value explains', () => {
  const verifyWith = async (mail: string, lower: string, more: More) => {
    const store = await tableOf({ lower: { 3: bound.text(lower) } }, more);
    const subjects = [{ requestId: 'r1', values: { email: [mail] } }];
    return tracesOf(await verifyOne(store, { subjects }));
  };

  test('is none, also where it is as long as the subject’s own', async () => {
    const rows = [{ email: 'ann.lee@test.com.au' }];
    expect(await verifyWith('ann.lee@test.com', 'ann.lee@test.com', { rows })).toEqual([]);
    const others = [{ email: 'bob@test.example' }];
    expect(await verifyWith('ann.lee@test.com', 'ann.lee@test.com', { rows: others })).toEqual([
      'manifest email bounds',
    ]);
  });

  test('is none in a file of Avro, with field ids or without', async () => {
    const rows = [{ email: 'ann.lee@example.com' }];
    expect(await verifyWith(MAIL, 'ann.lee@example.', { rows })).toEqual([]);
    const schema = record([{ name: 'email', type: 'string' }]);
    const data = await encodeAvro(schema, rows);
    expect(await verifyWith(MAIL, 'ann.lee@example.', { data })).toEqual([]);
  });
});
