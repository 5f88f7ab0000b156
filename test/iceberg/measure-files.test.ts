import avro from 'avsc';
import { afterEach, describe, expect, it } from 'vitest';
import { IcewrightError } from '../../src/domain/errors.ts';
import { createRestCatalog, type RestCatalog } from '../../src/iceberg/rest-catalog.ts';
import { type CatalogStub, startCatalogStub } from './catalog-stub.ts';

const TABLE = { catalog: 'lake', namespace: 'a', name: 't' };
const OPTIONS = { nowMs: 100, depth: 'files' } as const;
const MB = 2 ** 20;

interface Entry {
  readonly status: number;
  readonly content: number;
  readonly mb: number;
}

/** A manifest as a v2 writer makes it, with fields that the reader is to skip. */
async function manifest(entries: readonly Entry[]): Promise<Buffer> {
  const schema = {
    type: 'record',
    name: 'manifest_entry',
    fields: [
      { name: 'status', type: 'int' },
      { name: 'snapshot_id', type: ['null', 'long'], default: null },
      {
        name: 'data_file',
        type: {
          type: 'record',
          name: 'r2',
          fields: [
            { name: 'content', type: 'int' },
            { name: 'file_path', type: 'string' },
            { name: 'partition', type: { type: 'record', name: 'r102', fields: [] } },
            { name: 'record_count', type: 'long' },
            { name: 'file_size_in_bytes', type: 'long' },
            { name: 'key_metadata', type: ['null', 'bytes'], default: null },
          ],
        },
      },
    ],
  };
  const records = entries.map(({ status, content, mb }) => ({
    status,
    snapshot_id: 1,
    data_file: {
      content,
      file_path: 's3://b/f',
      partition: {},
      record_count: 10,
      file_size_in_bytes: mb * MB,
      key_metadata: Buffer.from('k'),
    },
  }));
  return encode(schema, records);
}

function manifestList(uris: readonly string[], keyMetadata: Buffer | null = null): Promise<Buffer> {
  const schema = {
    type: 'record',
    name: 'manifest_file',
    fields: [
      { name: 'manifest_path', type: 'string' },
      { name: 'partition_spec_id', type: 'int' },
      { name: 'key_metadata', type: ['null', 'bytes'], default: null },
    ],
  };
  const records = uris.map((uri) => ({
    manifest_path: uri,
    partition_spec_id: 0,
    key_metadata: keyMetadata,
  }));
  return encode(schema, records);
}

async function encode(schema: unknown, records: readonly unknown[]): Promise<Buffer> {
  const encoder = new avro.streams.BlockEncoder(schema as never, { codec: 'deflate' });
  const chunks: Buffer[] = [];
  encoder.on('data', (chunk: Buffer) => chunks.push(chunk));
  const ended = new Promise((resolve) => encoder.on('end', resolve));
  for (const record of records) encoder.write(record);
  encoder.end();
  await ended;
  return Buffer.concat(chunks);
}

function metadata(snapshotId: number, files: object) {
  return {
    metadata: {
      'format-version': 2,
      'table-uuid': 'u',
      location: 's3://b/t',
      'last-updated-ms': 1,
      schemas: [{ 'schema-id': 0, fields: [] }],
      'partition-specs': [{ 'spec-id': 0, fields: [] }],
      'current-snapshot-id': snapshotId,
      snapshots: [{ 'snapshot-id': snapshotId, 'timestamp-ms': 5, ...files }],
    },
  };
}

let stub: CatalogStub;
let catalog: RestCatalog;
afterEach(() => stub.close());

/** Loads of the table answer in turn; objects are those given. */
async function given(loads: readonly unknown[], objects: Readonly<Record<string, Buffer>>) {
  let count = 0;
  stub = await startCatalogStub((asked) => {
    if (asked.url.startsWith('/v1/config')) return { body: {} };
    const body = loads[Math.min(count, loads.length - 1)];
    count += 1;
    return { body, headers: { ETag: `e${count}` } };
  });
  const readObject = async (uri: string) => {
    const found = objects[uri];
    if (found !== undefined) return found;
    throw new IcewrightError('InvariantBroken', `${uri} is not there`, { missing: true });
  };
  catalog = createRestCatalog({ name: 'lake', url: stub.url, readObject });
}

describe('counting files', () => {
  const entries: readonly Entry[] = [
    { status: 1, content: 0, mb: 600 },
    { status: 0, content: 0, mb: 10 },
    { status: 2, content: 0, mb: 20 },
    { status: 1, content: 1, mb: 1 },
    { status: 1, content: 2, mb: 1 },
  ];

  it('leaves out deleted entries and tells data from deletes', async () => {
    const objects = { l: await manifestList(['m1', 'm2']), m1: await manifest(entries) };
    const all = { ...objects, m2: await manifest([{ status: 1, content: 0, mb: 384 }]) };
    await given([metadata(1, { 'manifest-list': 'l' })], all);
    expect(await catalog.measureTable(TABLE, OPTIONS)).toMatchObject({
      manifests: 2,
      records: 30,
      dataFiles: 3,
      deleteFiles: 2,
      // 384 MB is 75 % of the default target of 512 MB: not small any more.
      smallFiles: 1,
      totalBytes: 996 * MB,
      partitionHealth: [
        { dataFiles: 3, totalBytes: 994 * MB, smallFiles: 1, smallBytes: 10 * MB, deleteFiles: 2 },
      ],
    });
  });

  it('reads the manifests that a v1 snapshot names itself', async () => {
    await given([metadata(1, { manifests: ['m1'] })], { m1: await manifest(entries) });
    expect(await catalog.measureTable(TABLE, OPTIONS)).toMatchObject({
      manifests: 1,
      dataFiles: 2,
    });
  });

  it('loads the table again when what it names was just removed', async () => {
    const objects = { l2: await manifestList(['m1']), m1: await manifest(entries) };
    const loads = [metadata(1, { 'manifest-list': 'l1' }), metadata(2, { 'manifest-list': 'l2' })];
    await given(loads, objects);
    expect((await catalog.measureTable(TABLE, OPTIONS)).snapshotId).toBe('2');
  });

  it('names a manifest that is missing for good', async () => {
    await given([metadata(1, { 'manifest-list': 'l' })], { l: await manifestList(['gone.avro']) });
    await expect(catalog.measureTable(TABLE, OPTIONS)).rejects.toThrow('gone.avro is not there');
  });

  it('refuses encrypted manifests', async () => {
    await given([metadata(1, { 'manifest-list': 'l' })], {
      l: await manifestList(['m1'], Buffer.from('key')),
    });
    await expect(catalog.measureTable(TABLE, OPTIONS)).rejects.toMatchObject({
      code: 'OperationUnsupported',
    });
  });

  it('refuses a kind of file it does not know', async () => {
    const objects = {
      l: await manifestList(['m1']),
      m1: await manifest([{ status: 1, content: 9, mb: 1 }]),
    };
    await given([metadata(1, { 'manifest-list': 'l' })], objects);
    await expect(catalog.measureTable(TABLE, OPTIONS)).rejects.toThrow('content 9');
  });
});
