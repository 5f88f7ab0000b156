import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { IcewrightError } from '../../src/domain/errors.ts';
import { verifyTable } from '../../src/verify/verify-table.ts';
import {
  bound,
  encodeManifest,
  encodeManifestList,
  type FileSpec,
  type ManifestSpec,
} from '../iceberg/manifest-fixture.ts';
import {
  inputOf,
  LOCATION,
  METADATA,
  metadataJson,
  OTHERS,
  tracesOf,
  VALUES,
  verifyOne,
} from './fixture.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';

const [KEY, MAIL, NAME] = [VALUES.customer_id[0], VALUES.email[0], VALUES.full_name[0]];

function storeWith(objects: Readonly<Record<string, Buffer | string>> = {}): MemoryStore {
  const store = createMemoryStore();
  store.put(METADATA, metadataJson());
  for (const [path, bytes] of Object.entries(objects)) store.put(`${LOCATION}/${path}`, bytes);
  return store;
}

describe('objects that are no part of a table', () => {
  test('nothing is found where nothing is', async () => {
    const store = storeWith({ 'data/readme.txt': `${OTHERS.email.join(' ')}`, 'data/empty': '' });
    const verified = await verifyOne(store);
    // The others stand in bytes that nobody knows to be text: there, in doubt, it is a trace.
    expect(tracesOf(verified)).toEqual(['unknown email text']);
    expect(tracesOf(await verifyOne(storeWith({ 'data/x': 'mary@example.org' })))).toEqual([]);
  });

  test.each([
    ['text', Buffer.from(`x,${MAIL},y`)],
    ['gzip', gzipSync(`x,${MAIL},y`)],
    ['zstandard', zstdCompressSync(`x,${MAIL},y`)],
    ['UTF-16', Buffer.from(MAIL, 'utf16le')],
    ['far behind', Buffer.concat([Buffer.alloc(9_000_001), Buffer.from(MAIL)])],
    [
      'across two pieces',
      Buffer.concat([Buffer.alloc(4 * 2 ** 20 - 7), Buffer.from(MAIL), Buffer.alloc(99)]),
    ],
  ])('are searched as bytes: %s', async (_, bytes) => {
    const verified = await verifyOne(storeWith({ 'tmp/thing': bytes }));
    expect(tracesOf(verified)).toEqual(['unknown email text']);
    expect(verified.limits).toContainEqual({
      kind: 'unknown_format',
      identifier: null,
      objects: 1,
    });
  });

  test('ORC cannot be certified', async () => {
    const verified = await verifyOne(storeWith({ 'data/a.orc': `ORC...${MAIL}` }));
    expect(tracesOf(verified)).toEqual(['unknown email text', 'unknown unknown_format unreadable']);
  });

  test.each([
    ['PAR1', 'PAR1 and then nothing like it PAR1', 'data damaged unreadable'],
    ['PARE', `PARE${'x'.repeat(20)}PARE`, 'data encrypted unreadable'],
    ['Avro', 'Obj\u0001 and so on', 'unknown damaged unreadable'],
    ['AGS1', 'AGS1....', 'unknown encrypted unreadable'],
    ['Puffin', 'PFA1 is not enough of a puffin file', 'statistics damaged unreadable'],
  ])('what cannot be read is a trace: %s', async (_, text, trace) => {
    expect(tracesOf(await verifyOne(storeWith({ 'data/x.parquet': text })))).toEqual([trace]);
  });
});

describe('paths', () => {
  test.each([
    [`data/email=${encodeURIComponent(MAIL)}/x`, 'unknown email path'],
    [`data/${MAIL}/x`, 'unknown email path'],
    [`data/customer_id=${KEY}/x`, 'unknown customer_id path'],
    [`data/session=${VALUES.session[0]}/x`, 'unknown session path'],
  ])('%s', async (path, trace) => {
    expect(tracesOf(await verifyOne(storeWith({ [path]: 'x' })))).toEqual([trace]);
  });

  test('of others are none', async () => {
    const paths = [
      ...OTHERS.customer_id.map((one) => `data/customer_id=${one}/x`),
      ...OTHERS.email.map((one) => `data/email=${encodeURIComponent(one)}/x`),
      `data/customer_id_bucket=${KEY}/x`,
      `data/id=${KEY}/x`,
    ];
    const store = storeWith(Object.fromEntries(paths.map((path) => [path, 'x'])));
    expect(tracesOf(await verifyOne(store))).toEqual([]);
  });
});

describe('metadata files', () => {
  test.each([
    ['as they are', (text: string) => Buffer.from(text)],
    ['packed', (text: string) => gzipSync(text)],
  ])('are searched %s: properties and summaries', async (_, pack) => {
    const old = metadataJson({
      properties: { owner: MAIL },
      summaries: [{ [`partitions.customer_id=${KEY}`]: 'added=1', n: JSON.stringify(NAME) }],
    });
    const store = storeWith({ 'metadata/00001-x.metadata.json': pack(old) });
    expect(tracesOf(await verifyOne(store))).toEqual([
      'metadata customer_id text',
      'metadata email text',
      'metadata full_name text',
    ]);
  });

  test('one that cannot be read is the trace that is left', async () => {
    const store = createMemoryStore();
    store.put(METADATA, '{"location": ');
    expect(tracesOf(await verifyOne(store))).toEqual(['metadata damaged unreadable']);
  });
});

interface Crafted {
  readonly spec?: readonly object[];
  readonly manifest: Partial<ManifestSpec> & { readonly files: readonly FileSpec[] };
}

/** A table of one snapshot; its data files are missing, which is a trace of its own. */
async function craft({ spec = [], manifest }: Crafted): Promise<MemoryStore> {
  const store = createMemoryStore();
  const [list, uri] = [`${LOCATION}/metadata/snap-1.avro`, `${LOCATION}/metadata/m0.avro`];
  store.put(uri, await encodeManifest(manifest));
  store.put(list, await encodeManifestList([{ uri }]));
  const more = {
    'partition-specs': [{ 'spec-id': 0, fields: spec }],
    'current-snapshot-id': 1,
    snapshots: [{ 'snapshot-id': 1, 'timestamp-ms': 1, 'manifest-list': list, summary: {} }],
  };
  store.put(METADATA, metadataJson(more));
  return store;
}

const MISSING = 'data missing unreadable';

describe('manifests', () => {
  const files = (lower: Record<number, Buffer>, status = 1): Crafted => ({
    manifest: { files: [{ lower, upper: {}, status }] },
  });

  test.each([
    ['the key', { 2: bound.long(4217001) }, 'customer_id'],
    ['the key, written as an int', { 2: bound.int(4217001) }, 'customer_id'],
    ['the key in a struct', { 5: bound.long(4217001) }, 'customer_id'],
    ['the key in a list', { 10: bound.long(4217001) }, 'customer_id'],
    ['the key as a decimal', { 11: Buffer.from('4058a9', 'hex') }, 'customer_id'],
    ['the key as text', { 12: bound.text(KEY) }, 'customer_id'],
    ['an e-mail', { 3: bound.text(MAIL) }, 'email'],
    ['an e-mail in another column', { 8: bound.text(MAIL) }, 'email'],
    ['an e-mail, cut', { 3: bound.text(MAIL.slice(0, 16)) }, 'email'],
    ['an e-mail, cut and raised', { 3: bound.text('ann.lee@example/') }, 'email'],
    ['an e-mail in capitals, cut', { 3: bound.text(MAIL.slice(0, 16).toUpperCase()) }, 'email'],
    ['a session, cut', { 13: bound.text('sess-7f31-abcdef') }, 'session'],
  ])('a bound tells: %s', async (_, lower, identifier) => {
    const expected = [MISSING, `manifest ${identifier} bounds`];
    expect(tracesOf(await verifyOne(await craft(files(lower))))).toEqual(expected);
  });

  test('also of an entry that says "deleted", whose file is nobody’s concern', async () => {
    const store = await craft(files({ 2: bound.long(4217001) }, 2));
    expect(tracesOf(await verifyOne(store))).toEqual(['manifest customer_id bounds']);
  });

  test.each([
    ['the key in a column that is not mapped', { 1: bound.long(4217001) }],
    ['another key', { 2: bound.long(42170010) }],
    ['the negative', { 2: bound.long(-4217001) }],
    ['another e-mail', { 3: bound.text('joann.lee@example.org'.slice(0, 16)) }],
    ['a session in another column', { 8: bound.text('sess-7f31-abcdef') }],
    ['too short a beginning', { 3: bound.text('ann.l') }],
  ])('a bound of others is none: %s', async (_, lower) => {
    expect(tracesOf(await verifyOne(await craft(files(lower))))).toEqual([MISSING]);
  });

  test('partition values', async () => {
    const source = (id: number, name: string, transform = 'identity') => {
      return { 'source-id': id, 'field-id': 1000 + id, name, transform };
    };
    const long = { long: 4217001 };
    const partitioned = (fields: readonly object[], partition: object, types: object) =>
      craft({
        spec: fields,
        manifest: {
          files: [{ partition: partition as never, status: 2 }],
          partition: types as never,
        },
      });
    const byKey = await partitioned(
      [source(2, 'customer_id')],
      { customer_id: long },
      { customer_id: 'long' },
    );
    expect(tracesOf(await verifyOne(byKey))).toEqual(['manifest customer_id partition']);
    const byMail = await partitioned(
      [source(3, 'email')],
      { email: { string: MAIL } },
      { email: 'string' },
    );
    expect(tracesOf(await verifyOne(byMail))).toEqual(['manifest email partition']);
    const byBucket = await partitioned(
      [source(2, 'b', 'bucket[16]')],
      { b: { int: 4 } },
      { b: 'int' },
    );
    const verified = await verifyOne(byBucket);
    expect(tracesOf(verified)).toEqual([]);
    expect(verified.limits.map((one) => one.kind)).toEqual(['hashed_partition']);
  });

  test('one that is missing, or cut off, is a trace', async () => {
    const store = await craft(files({}, 2));
    store.put(
      `${LOCATION}/metadata/m0.avro`,
      (await encodeManifest(files({}).manifest)).subarray(0, -9),
    );
    expect(tracesOf(await verifyOne(store))).toEqual(['manifest damaged unreadable']);
    store.purge(`${LOCATION}/metadata/m0.avro`, 'null');
    expect(tracesOf(await verifyOne(store))).toEqual(['manifest missing unreadable']);
  });

  test('files that bounds exclude are not read when the scope says so', async () => {
    const store = await craft({
      manifest: {
        files: [{ lower: { 2: bound.long(5_000_000) }, upper: { 2: bound.long(6_000_000) } }],
      },
    });
    const mapping = {
      table: 't',
      action: 'delete' as const,
      because: null,
      match: { customer_id: ['customer_id'] },
      holds: {},
    };
    const scope = { read: 'could_hold' as const };
    const left = await verifyOne(store, { mapping, scope });
    expect(tracesOf(left)).toEqual([]);
    expect(left.limits).toEqual([{ kind: 'not_read', identifier: null, objects: 1 }]);
    // With a place that the bounds say nothing of, it is read.
    const read = await verifyOne(store, { scope });
    expect(tracesOf(read)).toEqual([MISSING]);
  });
});

describe('versions', () => {
  test('old ones are read, delete markers told, and what must be gone is asked for', async () => {
    const store = createMemoryStore(true);
    store.put(METADATA, metadataJson());
    const uri = `${LOCATION}/data/old.txt`;
    const version = store.put(uri, `x ${MAIL} y`);
    const marker = store.remove(uri);
    const oldObjects = [{ uri, kind: 'data' as const, versionIds: [version, marker] }];
    const hidden = await verifyOne(store);
    expect(hidden.traces).toMatchObject([{ versionId: version, identifier: 'email', how: 'text' }]);
    const asked = await verifyOne(store, { oldObjects });
    expect(asked.gone).toBe(1);
    expect(
      asked.traces.filter((one) => one.how === 'still_there').map((one) => one.versionId),
    ).toEqual([version, marker]);
    store.purge(uri, version);
    const left = await verifyOne(store, { oldObjects });
    expect(left.traces).toMatchObject([{ versionId: marker, kind: 'data', how: 'still_there' }]);
    store.purge(uri, marker);
    expect(await verifyOne(store, { oldObjects })).toMatchObject({
      gone: 3,
      traces: [],
      tracesFound: 0,
    });
  });
});

describe('a batch', () => {
  test('is told one by one', async () => {
    const store = storeWith({ 'data/x': `${MAIL}\n`, 'data/y': 'bob.ray@example.org' });
    const subjects = [
      { requestId: 'r1', values: VALUES },
      { requestId: 'r2', values: { email: ['Bob.Ray@example.org'] } },
      { requestId: 'r3', values: { email: ['eve@example.org'], full_name: ['Eve'] } },
    ];
    const verified = await verifyTable(inputOf({ subjects }), store);
    expect([...verified].map(([id, one]) => [id, one.tracesFound])).toEqual([
      ['r1', 1],
      ['r2', 1],
      ['r3', 0],
    ]);
    expect(verified.get('r3')?.limits).toContainEqual({
      kind: 'short_value',
      identifier: 'full_name',
      objects: 0,
    });
  });
});

describe('what goes wrong', () => {
  const failing = (error: Error): MemoryStore => ({
    ...storeWith({ [`data/${MAIL}`]: 'x' }),
    readRange: async (uri, versionId, range) => {
      if (uri.endsWith('.json')) return storeWith().readRange(uri, versionId, range);
      throw error;
    },
  });

  test('a store that is away is no verification, and its error names no path', async () => {
    const uri = `${LOCATION}/data/${MAIL}`;
    const error = new IcewrightError(
      'StorageUnavailable',
      `cannot use ${uri}`,
      { uri },
      new Error(uri),
    );
    const thrown = await verifyOne(failing(error)).catch((cause: unknown) => cause);
    expect(thrown).toMatchObject({ code: 'StorageUnavailable' });
    expect(JSON.stringify(thrown) + String((thrown as Error).stack)).not.toContain(MAIL);
    expect((thrown as Error).cause).toBeUndefined();
  });

  test('results hold no value and no path', async () => {
    const store = storeWith({ [`data/email=${MAIL}/customer_id=${KEY}/x`]: `${NAME} ${MAIL}` });
    const told = JSON.stringify([...(await verifyTable(inputOf(), store))]);
    for (const one of [KEY, MAIL, NAME, 's3://']) expect(told).not.toContain(one);
    expect(JSON.parse(told)[0][1].tracesFound).toBeGreaterThan(2);
  });

  test('a mapping without its column would look nowhere: it is refused', async () => {
    const mapping = {
      table: 't',
      action: 'delete' as const,
      because: null,
      match: { customer_id: ['client'] },
      holds: {},
    };
    await expect(verifyOne(storeWith(), { mapping })).rejects.toMatchObject({
      code: 'PolicyInvalid',
    });
  });

  test('it can be cancelled, and tells how far it is', async () => {
    const controller = new AbortController();
    const store = storeWith({ a: 'x', b: 'y', c: 'z' });
    const seen: number[] = [];
    const more = {
      signal: controller.signal,
      concurrency: 1,
      onProgress: ({ objectsRead }: { readonly objectsRead: number }) => {
        seen.push(objectsRead);
        if (objectsRead === 1) controller.abort();
      },
    };
    await expect(verifyOne(store, more)).rejects.toMatchObject({ name: 'AbortError' });
    expect(Math.max(...seen)).toBeLessThan(4);
  });
});
