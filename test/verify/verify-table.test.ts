import { randomBytes } from 'node:crypto';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { IcewrightError } from '../../src/domain/errors.ts';
import { pathHash } from '../../src/verify/paths.ts';
import { verifyTable } from '../../src/verify/verify-table.ts';
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

const zstdFrames = (...parts: readonly string[]) =>
  Buffer.concat(parts.map((one) => zstdCompressSync(one)));
/** Does not pack well. */
const noise = (bytes: number) => randomBytes(bytes / 2).toString('hex');

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
    ['zstandard, in two frames', zstdFrames('head\n', `x,${MAIL},y`)],
    ['zstandard, in a later frame far behind', zstdFrames(noise(5_000_000), `x,${MAIL},y`)],
    ['zstandard, in a large frame behind', zstdFrames('head\n', `${noise(9_000_000)},${MAIL},y`)],
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
    [
      'zstandard',
      Buffer.concat([zstdCompressSync('x'), Buffer.from('junk')]),
      'unknown damaged unreadable',
    ],
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

  test('their own counts are nobody’s number, texts with digits are', async () => {
    const subjects = [{ requestId: 'r1', values: { full_name: ['5550100'] } }];
    const counts = [{ 'total-files-size': '5550100', 'added-records': '1' }];
    const store = createMemoryStore();
    store.put(METADATA, metadataJson({ 'last-updated-ms': 5550100, snapshots: [], counts }));
    expect(tracesOf(await verifyOne(store, { subjects }))).toEqual([]);
    for (const properties of [{ phones: '1,5550100,2' }, { 'total-x': 'call 5550100' }]) {
      store.put(METADATA, metadataJson({ properties }));
      expect(tracesOf(await verifyOne(store, { subjects }))).toEqual(['metadata full_name text']);
    }
  });

  test('one that cannot be read is the trace that is left', async () => {
    const store = createMemoryStore();
    store.put(METADATA, '{"location": ');
    expect(tracesOf(await verifyOne(store))).toEqual(['metadata damaged unreadable']);
    const nothing = await verifyOne(createMemoryStore());
    expect(tracesOf(nothing)).toEqual(['metadata missing unreadable']);
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

describe('objects outside of the table’s folders', () => {
  const uri = 's3://lake/before/t/data/1.txt';

  test('must be gone in every version, also those that nobody had known', async () => {
    const store = createMemoryStore(true);
    store.put(METADATA, metadataJson());
    store.put(`${uri}x`, MAIL);
    const version = store.put(uri, `x ${MAIL} y`);
    const marker = store.remove(uri);
    const oldObjects = [{ uri, kind: 'data' as const, versionIds: [] }];
    const left = await verifyOne(store, { oldObjects });
    expect(left.traces.map((one) => [one.versionId, one.how])).toEqual([
      [version, 'still_there'],
      [marker, 'still_there'],
    ]);
    for (const one of [version, marker]) store.purge(uri, one);
    expect(await verifyOne(store, { oldObjects })).toMatchObject({ traces: [], gone: 1 });
  });

  test('are read in every version while the table reaches them', async () => {
    const store = createMemoryStore(true);
    const log = [{ 'metadata-file': uri, 'timestamp-ms': 1 }];
    store.put(METADATA, metadataJson({ 'metadata-log': log }));
    const version = store.put(uri, `x ${MAIL} y`);
    store.put(uri, 'clean');
    const { traces } = await verifyOne(store);
    expect(traces).toMatchObject([{ versionId: version, identifier: 'email' }]);
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

test('traces in excepted files are none, however many there are', async () => {
  const paths = Array.from({ length: 1_500 }, (_, index) => `kept/${index}`);
  const store = storeWith(Object.fromEntries(paths.map((path) => [path, MAIL])));
  const kept = new Set(paths.map((path) => pathHash(`${LOCATION}/${path}`)));
  const isExcepted = (hash: string) => kept.has(hash);
  const subjects = [{ requestId: 'r1', values: VALUES, isExcepted }];
  expect((await verifyOne(store)).tracesFound).toBe(1_500);
  expect(await verifyOne(store, { subjects })).toMatchObject({ traces: [], tracesFound: 0 });
  store.put(`${LOCATION}/data/x`, MAIL);
  expect((await verifyOne(store, { subjects })).tracesFound).toBe(1);
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
