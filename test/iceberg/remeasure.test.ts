/** What is asked and read when a table is measured again, and with another target. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ManifestCache } from '../../src/activities/ports.ts';
import { IcewrightError } from '../../src/domain/errors.ts';
import { createRestCatalog, type RestCatalog } from '../../src/iceberg/rest-catalog.ts';
import { type CatalogStub, startCatalogStub } from './catalog-stub.ts';
import { bound, encodeManifest, encodeManifestList, type FileSpec } from './manifest-fixture.ts';

const TABLE = { catalog: 'lake', namespace: 'a', name: 't' };
const OPTIONS = { nowMs: 100, depth: 'files' } as const;
const MB = 2 ** 20;

let stub: CatalogStub;
let catalog: RestCatalog;
let version: number;
let change: object;
let reads: string[];
const objects = new Map<string, Buffer>();

beforeEach(async () => {
  version = 1;
  change = {};
  reads = [];
  objects.clear();
  stub = await startCatalogStub((asked) => {
    if (asked.url.startsWith('/v1/config')) return { body: {} };
    const etag = `W/"${version}"`;
    if (asked.headers['if-none-match'] === etag) return { status: 304, body: '' };
    return { body: { metadata: metadata() }, headers: { ETag: etag } };
  });
  catalog = open();
});
afterEach(() => stub.close());

function open(manifests?: ManifestCache): RestCatalog {
  const readObject = async (uri: string) => {
    reads.push(uri);
    const found = objects.get(uri);
    if (found !== undefined) return found;
    throw new IcewrightError('InvariantBroken', `${uri} is not there`, { missing: true });
  };
  return createRestCatalog({ name: 'lake', url: stub.url, readObject, manifests });
}

function metadata() {
  return {
    'format-version': 2,
    'table-uuid': 'u',
    location: 's3://b/t',
    'last-updated-ms': 1,
    'current-schema-id': 0,
    schemas: [{ 'schema-id': 0, fields: [{ id: 1, name: 'id', type: 'long' }] }],
    'partition-specs': [{ 'spec-id': 0, fields: [] }],
    'current-snapshot-id': version,
    snapshots: [{ 'snapshot-id': version, 'timestamp-ms': 5, 'manifest-list': `l${version}` }],
    ...change,
  };
}

/** Each manifest's files by size in MB; those of the version that is current. */
async function given(manifests: Readonly<Record<string, readonly FileSpec[]>>): Promise<void> {
  const listed: { uri: string; length: number }[] = [];
  for (const [uri, files] of Object.entries(manifests)) {
    const bytes = await encodeManifest({ files });
    objects.set(uri, bytes);
    listed.push({ uri, length: bytes.length });
  }
  objects.set(`l${version}`, await encodeManifestList(listed));
}

const files = (...sizes: number[]) => sizes.map((mb) => ({ bytes: mb * MB }));
const keysOf = (map: ReadonlyMap<string, Buffer>) => [...map.keys()];

describe('measuring again', () => {
  it('asks once, and needs no memory of its own to hear that nothing changed', async () => {
    await given({ m1: files(1, 2) });
    const first = await catalog.remeasureTable(TABLE, { ...OPTIONS, etag: null });
    if (!first.changed) throw new Error('expected a measurement');
    expect(first).toMatchObject({ etag: 'W/"1"', health: { dataFiles: 2 } });
    const asked = stub.asked.length;
    const other = open();
    expect(await other.remeasureTable(TABLE, { ...OPTIONS, etag: first.etag })).toEqual({
      changed: false,
    });
    // One for the configuration of the other client.
    expect(stub.asked.length).toBe(asked + 2);
    expect(reads).toEqual(['l1', 'm1']);
  });

  it('reads only the manifests that are new', async () => {
    await given({ m1: files(1), m2: files(2) });
    await catalog.measureTable(TABLE, OPTIONS);
    version = 2;
    await given({ m1: files(1), m2: files(2), m3: files(3) });
    reads = [];
    const again = await catalog.remeasureTable(TABLE, { ...OPTIONS, etag: 'W/"1"' });
    expect(again).toMatchObject({ changed: true, etag: 'W/"2"', health: { dataFiles: 3 } });
    expect(reads).toEqual(['l2', 'm3']);
  });

  it('reads a path again that has another length', async () => {
    await given({ m1: files(1) });
    await catalog.measureTable(TABLE, OPTIONS);
    version = 2;
    await given({ m1: files(1, 2, 3) });
    expect((await catalog.measureTable(TABLE, OPTIONS)).dataFiles).toBe(3);
  });
});

describe('digests kept elsewhere', () => {
  it('save another process the reading', async () => {
    await given({ m1: files(1), m2: files(2) });
    const kept = new Map<string, Buffer>();
    const cache: ManifestCache = {
      load: async (paths) => new Map([...kept].filter(([path]) => paths.includes(path))),
      save: async (entries) => {
        for (const [path, digest] of entries) kept.set(path, digest);
      },
    };
    const first = await open(cache).measureTable(TABLE, OPTIONS);
    expect(kept.size).toBe(2);
    reads = [];
    expect(await open(cache).measureTable(TABLE, OPTIONS)).toEqual(first);
    expect(reads).toEqual(['l1']);

    const [path] = keysOf(kept);
    kept.set(path as string, Buffer.from('nonsense'));
    reads = [];
    expect(await open(cache).measureTable(TABLE, OPTIONS)).toEqual(first);
    expect(reads).toEqual(['l1', 'm1']);
  });

  it('are not missed when they cannot be reached', async () => {
    await given({ m1: files(1) });
    const away = () => Promise.reject(new Error('away'));
    const health = await open({ load: away, save: away }).measureTable(TABLE, OPTIONS);
    expect(health.dataFiles).toBe(1);
  });

  it('are made anew for a column that they do not have', async () => {
    const [lower, upper] = [{ 1: bound.long(0) }, { 1: bound.long(9) }];
    await given({
      m1: [
        { lower, upper },
        { lower, upper },
      ],
    });
    expect((await catalog.measureTable(TABLE, OPTIONS)).clusteringDepth).toBeNull();
    version = 2;
    objects.set('l2', objects.get('l1') as Buffer);
    change = { properties: { 'icewright.cluster-by': 'nothing, id' } };
    const health = await catalog.measureTable(TABLE, OPTIONS);
    expect(health.detail?.clustering).toEqual([{ column: 'id', depth: 2 }]);
    expect(health.clusteringDepth).toBe(2);
  });
});

describe('what is measured', () => {
  it('follows the target that is asked for, without reading again', async () => {
    await given({ m1: files(10, 10, 10, 40) });
    const at = async (mb: number) => {
      const targetFileSizeBytes = mb * MB;
      const health = await catalog.measureTable(TABLE, { ...OPTIONS, targetFileSizeBytes });
      return [health.targetFileSizeBytes / MB, health.smallFiles, health.detail?.backlogFiles];
    };
    expect(await at(512)).toEqual([512, 4, 3]);
    expect(await at(40)).toEqual([40, 3, 2]);
    expect(await at(10)).toEqual([10, 0, 0]);
    expect(reads.filter((uri) => uri === 'm1').length).toBe(1);
  });

  it('sorts files by size', async () => {
    await given({ m1: [{ bytes: MB - 1 }, ...files(1, 1.5, 2, 1023, 1024, 5000)] });
    const { detail } = await catalog.measureTable(TABLE, OPTIONS);
    const found = (detail?.sizes ?? []).filter((one) => one.files > 0);
    const megabytes = (bytes: number | null) => (bytes === null ? null : bytes / MB);
    expect(found.map((one) => [megabytes(one.belowBytes), one.files])).toEqual([
      [1, 1],
      [2, 2],
      [4, 1],
      [1024, 1],
      [null, 2],
    ]);
    expect(detail?.sizes.map((one) => one.belowBytes)).toEqual([
      ...Array.from({ length: 11 }, (_, power) => MB * 2 ** power),
      null,
    ]);
  });

  it('tells deletes by kind', async () => {
    await given({
      m1: [{ bytes: MB }],
      m2: [
        { content: 1, records: 3 },
        { content: 1, records: 5, format: 'PUFFIN' },
      ],
      m3: [{ content: 2, records: 7 }],
    });
    const health = await catalog.measureTable(TABLE, OPTIONS);
    expect(health).toMatchObject({ deleteFiles: 3, deleteRatio: 3, records: 10 });
    expect(health.detail?.deletes).toEqual({
      positionFiles: 1,
      positionRecords: 3,
      equalityFiles: 1,
      equalityRecords: 7,
      vectors: 1,
      vectorRecords: 5,
    });
  });

  it('of a table without a snapshot is nothing, at length', async () => {
    change = { 'current-snapshot-id': null, snapshots: [] };
    const health = await catalog.measureTable(TABLE, OPTIONS);
    expect(health).toMatchObject({ manifests: 0, smallFiles: 0, partitions: 0 });
    expect(health.detail).toMatchObject({ backlogFiles: 0, partitionSkew: 1, clustering: [] });
    expect(health.metadataBytes).toBeGreaterThan(100);
  });

  it('is refused where a manifest is shorter than its list says', async () => {
    await given({ m1: files(1, 2, 3) });
    const whole = objects.get('m1') as Buffer;
    objects.set('m1', whole.subarray(0, whole.length - 1));
    await expect(catalog.measureTable(TABLE, OPTIONS)).rejects.toMatchObject({
      code: 'InvariantBroken',
      message: `m1 is damaged: it has ${whole.length - 1} bytes of ${whole.length}`,
    });
  });
});
