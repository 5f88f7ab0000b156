import { describe, expect, it } from 'vitest';
import { parseExactJson } from '../../src/domain/exact-json.ts';
import type { TableHealth } from '../../src/domain/health/health.ts';
import { createManifestStore } from '../../src/iceberg/manifest-store.ts';
import { measure } from '../../src/iceberg/measure.ts';
import { METADATA } from '../../src/iceberg/metadata.schema.ts';
import { readMetadata } from '../../src/iceberg/metadata.ts';

const read = (json: unknown) => readMetadata(METADATA.parse(json));
const FIELDS = [
  { id: 1, name: 'id', required: true, type: 'long' },
  {
    id: 2,
    name: 'who',
    required: false,
    type: { type: 'struct', fields: [{ id: 3, name: 'at', required: false, type: 'timestamptz' }] },
  },
];
const COMMON = {
  'table-uuid': 'u',
  location: 's3://b/t',
  'last-updated-ms': 9,
  'last-column-id': 3,
};
const SUMMARY = {
  operation: 'append',
  'total-records': '10',
  'total-data-files': '4',
  'total-delete-files': '1',
  'total-files-size': '400',
};
const V1 = {
  ...COMMON,
  'format-version': 1,
  schema: { type: 'struct', fields: FIELDS },
  'partition-spec': [{ 'source-id': 3, 'field-id': 1000, name: 'at_day', transform: 'day' }],
  'current-snapshot-id': 7,
  snapshots: [{ 'snapshot-id': 7, 'timestamp-ms': 5, manifests: ['s3://b/m1.avro'] }],
};
const V2 = {
  ...COMMON,
  'format-version': 2,
  'current-schema-id': 1,
  schemas: [
    { 'schema-id': 0, type: 'struct', fields: FIELDS },
    { 'schema-id': 1, type: 'struct', fields: FIELDS.slice(0, 1) },
  ],
  'default-spec-id': 1,
  'partition-specs': [
    { 'spec-id': 0, fields: [{ 'source-id': 3, name: 'at_day', transform: 'day' }] },
    { 'spec-id': 1, fields: [{ 'source-ids': [1], name: 'b', transform: 'bucket[4]' }] },
  ],
  'current-snapshot-id': 8,
  refs: { main: { 'snapshot-id': 8, type: 'branch' }, kept: { 'snapshot-id': 7, type: 'tag' } },
  snapshots: [
    { 'snapshot-id': 7, 'timestamp-ms': 5, 'manifest-list': 's3://b/l7', summary: SUMMARY },
    {
      'snapshot-id': 8,
      'parent-snapshot-id': 7,
      'timestamp-ms': 6,
      'manifest-list': 's3://b/l8',
      summary: SUMMARY,
    },
  ],
  'metadata-log': [{ 'timestamp-ms': 1, 'metadata-file': 's3://b/v1.json' }],
};

function health(json: unknown): Promise<TableHealth> {
  const table = { catalog: 'lake', namespace: 'a', name: 't' };
  const readObject = () => Promise.reject(new Error('must not read objects'));
  const store = createManifestStore({ readObject });
  const metadata = read(json);
  const input = { table, metadata, metadataBytes: 7, readObject, store };
  return measure(input, { nowMs: 100, depth: 'metadata' });
}

describe('table metadata', () => {
  it('of version 1 names its manifests, its only spec and main', () => {
    const metadata = read(V1);
    expect(metadata.files.get('7')).toEqual({ manifestList: null, manifests: ['s3://b/m1.avro'] });
    expect(metadata.refs).toEqual([{ name: 'main', type: 'branch', snapshotId: '7' }]);
    expect(metadata.specs.get(0)?.fields).toEqual([
      { name: 'at_day', transform: 'day', source: 'who.at', sourceType: 'timestamptz' },
    ]);
    expect(metadata.columns).toEqual([
      { name: 'id', type: 'long' },
      { name: 'who', type: 'struct<at: timestamptz>' },
    ]);
  });

  it('finds the source of an old spec in an old schema', () => {
    const metadata = read(V2);
    expect(metadata.columns).toEqual([{ name: 'id', type: 'long' }]);
    expect(metadata.specs.get(0)?.fields[0]?.source).toBe('who.at');
    expect(metadata.specs.get(1)?.fields[0]).toMatchObject({
      source: 'id',
      transform: 'bucket[4]',
    });
    expect(metadata.metadataLog).toEqual(['s3://b/v1.json']);
  });

  it('keeps the retention that a ref sets itself, for expiry to look at', () => {
    const branch = { 'snapshot-id': 8, type: 'branch', 'min-snapshots-to-keep': 1 };
    const refs = { ...V2.refs, audit: { ...branch, 'max-snapshot-age-ms': 60000 } };
    const audit = read({ ...V2, refs }).refs.find((ref) => ref.name === 'audit');
    expect(audit).toEqual({
      name: 'audit',
      type: 'branch',
      snapshotId: '8',
      maxSnapshotAgeMs: 60000,
      minSnapshotsToKeep: 1,
    });
  });

  it('tells the schema of a ref that is older than the table’s of today', () => {
    const [seven, eight] = V2.snapshots;
    const renamed = { 'schema-id': 2, fields: [{ id: 1, name: 'key', type: 'long' }, FIELDS[1]] };
    const metadata = read({
      ...V2,
      schemas: [...V2.schemas, renamed],
      'current-schema-id': 2,
      snapshots: [
        { ...seven, 'schema-id': 1 },
        { ...eight, 'schema-id': 2 },
      ],
    });
    expect(metadata.refs.map(({ schema }) => schema)).toEqual([
      undefined,
      { columns: [{ name: 'id', type: 'long' }], names: { key: 'id', who: null, 'who.at': null } },
    ]);
  });

  it('takes -1 for "no snapshot"', () => {
    expect(read({ ...V2, 'current-snapshot-id': -1 }).currentSnapshotId).toBeNull();
  });

  it('of version 3 is read as well, whatever else it holds', () => {
    expect(read({ ...V2, 'format-version': 3, 'next-row-id': 5 }).formatVersion).toBe(3);
  });
});

describe('health from metadata alone', () => {
  it('has the totals of the head', async () => {
    expect(await health(V2)).toMatchObject({
      table: 'lake.a.t',
      snapshotId: '8',
      records: 10,
      dataFiles: 4,
      totalBytes: 400,
      deleteFiles: 1,
      deleteRatio: 0.25,
      smallFiles: null,
      manifests: null,
      targetFileSizeBytes: 536870912,
      oldestSnapshotAgeMs: 95,
      lastCommitAgeMs: 94,
      partitionFields: [{ name: 'b', source: 'id', transform: 'bucket[4]' }],
    });
  });

  it('takes the target from the table', async () => {
    const properties = { 'write.target-file-size-bytes': '134217728' };
    expect((await health({ ...V2, properties })).targetFileSizeBytes).toBe(134217728);
  });

  it('reads the manifests where a writer left the totals out', async () => {
    await expect(health(V1)).rejects.toThrow('must not read objects');
  });
});

describe('exact JSON', () => {
  it('keeps integers beyond 2^53 as text and all else as it is', () => {
    const text = '{"a":9007199254740993,"b":-9223372036854775808,"c":9007199254740991,"d":1e300,';
    expect(parseExactJson(`${text}"e":"9007199254740993","f":[12345678901234567.5]}`)).toEqual({
      a: '9007199254740993',
      b: '-9223372036854775808',
      c: 9007199254740991,
      d: 1e300,
      e: '9007199254740993',
      f: [12345678901234568],
    });
  });
});
