import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createTrinoRunner, type TrinoRunner } from '../../src/engines/trino/run.ts';
import { createRestCatalog } from '../../src/iceberg/rest-catalog.ts';
import {
  createObjectStore,
  type ObjectInfo,
  type ObjectStore,
} from '../../src/storage/object-store.ts';

const config = readConfig();
const lake = config.catalog.name;
const schema = `storage_objects_${process.pid}`;
const MAX_BYTES = 2 ** 26;

let store: ObjectStore;
let trino: TrinoRunner;
let location: string;
let serial = 0;

vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 });

beforeAll(async () => {
  store = createObjectStore(config.storage);
  trino = createTrinoRunner({ ...config.trino, catalog: lake });
  await sql(`CREATE SCHEMA ${lake}.${schema}`);
  await sql(`CREATE TABLE ${lake}.${schema}.t AS SELECT * FROM tpch.tiny.nation`);
  const catalog = createRestCatalog({ ...config.catalog, readObject: store.get });
  const loaded = await catalog.loadTable({ catalog: lake, namespace: schema, name: 't' });
  location = `${loaded.metadata.location}/`;
});

afterAll(async () => {
  await sql(`DROP SCHEMA ${lake}.${schema} CASCADE`);
  await trino.close();
  store.close();
});

function sql(text: string) {
  serial += 1;
  return trino.run({ engine: 'trino', sql: text }, { key: `${schema} ${serial}`, session: schema });
}

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

async function listed(prefix: string): Promise<ObjectInfo[]> {
  return collect(store.list(prefix));
}

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'resolved',
    (cause: unknown) => cause,
  );
}

describe('the object store', () => {
  it('lists, heads, gets and streams the same object', async () => {
    const objects = await listed(location);
    const metadata = objects.find((one) => one.uri.endsWith('.metadata.json')) as ObjectInfo;
    expect(await store.head(metadata.uri)).toEqual({
      ...metadata,
      // The list tells milliseconds, the header whole seconds.
      modifiedAtMs: Math.floor((metadata.modifiedAtMs ?? 0) / 1000) * 1000,
    });
    const bytes = await store.get(metadata.uri, MAX_BYTES);
    expect(bytes.length).toBe(metadata.sizeBytes);
    expect(JSON.parse(bytes.toString('utf8'))['format-version']).toBe(2);
    const chunks = await collect(await store.stream(metadata.uri));
    expect(Buffer.concat(chunks).equals(bytes)).toBe(true);
  });

  it('finds the object by every spelling of its address', async () => {
    const [object] = await listed(location.replace('s3://', 's3a://'));
    const uri = object?.uri ?? '';
    expect(uri).toMatch(/^s3:\/\//);
    expect(await store.head(uri.replace('s3://', 's3n://'))).not.toBeNull();
  });

  it('lists versions', async () => {
    const objects = await listed(location);
    const versions = await collect(store.listVersions(location));
    expect(versions.filter((one) => one.isLatest).map((one) => one.uri)).toEqual(
      objects.map((one) => one.uri),
    );
  });

  it('deletes exactly what it is given, and takes what is gone for deleted', async () => {
    const before = await listed(location);
    const victim = before.find((one) => one.uri.endsWith('.stats')) ?? (before[0] as ObjectInfo);
    expect(await store.delete([{ uri: victim.uri }])).toEqual([]);
    expect(await store.delete([{ uri: victim.uri }])).toEqual([]);
    const after = await listed(location);
    expect(after.map((one) => one.uri)).toEqual(
      before.map((one) => one.uri).filter((uri) => uri !== victim.uri),
    );
    expect(await store.head(victim.uri)).toBeNull();
  });

  it('says what is wrong, and with which object', async () => {
    const missing = `${location}nothing`;
    expect(await rejection(store.get(missing, MAX_BYTES))).toMatchObject({
      code: 'InvariantBroken',
      message: expect.stringContaining(missing),
    });
    const [object] = await listed(location);
    expect(await rejection(store.get(object?.uri ?? '', 1))).toMatchObject({
      code: 'SafetyRefused',
    });
  });

  it('says CredentialsRejected for a wrong key', async () => {
    const other = createObjectStore({ ...config.storage, secretAccessKey: 'wrong-secret-key' });
    expect(await rejection(other.get(`${location}x`, 1))).toMatchObject({
      code: 'CredentialsRejected',
    });
    other.close();
  });

  it('says StorageUnavailable when nobody listens', async () => {
    const other = createObjectStore({ ...config.storage, endpoint: 'http://127.0.0.1:9' });
    expect(await rejection(other.get(`${location}x`, 1))).toMatchObject({
      code: 'StorageUnavailable',
    });
    other.close();
  });
});
