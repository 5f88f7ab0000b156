/** A value planted anywhere is found, and nothing is found where another one was planted. */
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { SubjectValues } from '../../src/domain/erasure/privacy.ts';
import { bound, encodeManifest, encodeManifestList } from '../iceberg/manifest-fixture.ts';
import { type AvroRow, encodeData } from './avro-file.ts';
import { LOCATION, METADATA, metadataJson, tracesOf, VALUES, verifyOne } from './fixture.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';

const OTHER_ROWS: readonly AvroRow[] = Array.from({ length: 300 }, (_, index) => ({
  customer_id: 9_000_000 + index,
  email: `user${index}@example.org`,
  after: JSON.stringify({ customer_id: 9_000_000 + index, z: 'n' }),
  ids: [index],
}));

async function storeWith(path: string, bytes: Buffer | string): Promise<MemoryStore> {
  const store = createMemoryStore();
  store.put(METADATA, metadataJson());
  store.put(`${LOCATION}/${path}`, bytes);
  return store;
}

const among = (row: AvroRow) => [...OTHER_ROWS.slice(0, 250), row, ...OTHER_ROWS.slice(250)];

describe('Avro data', () => {
  const key = Number(VALUES.customer_id[0]);
  const [mail] = VALUES.email;
  test.each<readonly [string, AvroRow, string]>([
    ['the key', { customer_id: key }, 'customer_id'],
    ['in a struct', { before: { customer_id: key } }, 'customer_id'],
    ['in a list', { ids: [1, key] }, 'customer_id'],
    ['in JSON', { after: `{"customer_id": "${key}"}` }, 'customer_id'],
    ['as text', { key_text: String(key) }, 'customer_id'],
    ['the e-mail', { email: mail }, 'email'],
    // The length before it looks like a letter.
    ['an e-mail after a length', { note: `${mail} is hers, and here is more` }, 'email'],
    ['in bytes', { payload: Buffer.from(`\u0001${mail}\u0002`) }, 'email'],
  ])('%s', async (_, row, identifier) => {
    for (const codec of ['null', 'deflate'] as const) {
      const store = await storeWith('data/x.avro', await encodeData(among(row), codec));
      const verified = await verifyOne(store);
      expect(tracesOf(verified)).toEqual([`data ${identifier} row`]);
      expect(verified.rowsRead).toBe(301);
    }
  });

  test('others are none, and a damaged file is never an empty one', async () => {
    const clean = await encodeData(
      among({ customer_id: key * 10, email: `jo${mail}`, note: `${mail}.uk` }),
    );
    expect(tracesOf(await verifyOne(await storeWith('data/x.avro', clean)))).toEqual([]);
    const cut = clean.subarray(0, -5);
    expect(tracesOf(await verifyOne(await storeWith('data/x.avro', cut)))).toEqual([
      'data damaged unreadable',
    ]);
  });
});

type Plant = (one: { readonly key: number; readonly mail: string }) => Promise<MemoryStore>;

/** With the identifier that is planted there. */
const PLACES: readonly (readonly [string, 'customer_id' | 'email', Plant])[] = [
  [
    'avro key',
    'customer_id',
    async ({ key }) => storeWith('data/a', await encodeData(among({ customer_id: key }))),
  ],
  [
    'avro json',
    'customer_id',
    async ({ key }) =>
      storeWith('data/a', await encodeData(among({ after: `[{"customer_id":${key}}]` }))),
  ],
  [
    'avro mail',
    'email',
    async ({ mail }) => storeWith('data/a', await encodeData(among({ note: `(${mail})` }))),
  ],
  [
    'bytes',
    'email',
    ({ mail }) => storeWith('tmp/x', Buffer.concat([Buffer.alloc(777, 0xe9), Buffer.from(mail)])),
  ],
  ['UTF-16', 'email', ({ mail }) => storeWith('tmp/x', Buffer.from(`x${mail}`, 'utf16le'))],
  [
    'base64',
    'email',
    ({ mail }) => storeWith('tmp/x', Buffer.from(`u:${mail};`).toString('base64')),
  ],
  ['packed', 'email', ({ mail }) => storeWith('tmp/x', gzipSync(`u:${mail};`))],
  ['path', 'email', ({ mail }) => storeWith(`data/m=${encodeURIComponent(mail)}/x`, 'x')],
  ['path key', 'customer_id', ({ key }) => storeWith(`data/customer_id=${key}/x`, 'x')],
  [
    'property',
    'email',
    ({ mail }) => storeWith('metadata/1.metadata.json', JSON.stringify({ p: { o: mail } })),
  ],
  ['bound', 'customer_id', ({ key }) => withBound({ 2: bound.long(key) })],
  ['cut bound', 'email', ({ mail }) => withBound({ 3: bound.text(mail.slice(0, 16)) })],
];

async function withBound(lower: Readonly<Record<number, Buffer>>): Promise<MemoryStore> {
  const store = createMemoryStore();
  const [list, uri] = [`${LOCATION}/metadata/snap-1.avro`, `${LOCATION}/metadata/m0.avro`];
  store.put(uri, await encodeManifest({ files: [{ status: 2 }, { lower, status: 2 }] }));
  store.put(list, await encodeManifestList([{ uri }]));
  const snapshots = [{ 'snapshot-id': 1, 'timestamp-ms': 1, 'manifest-list': list }];
  store.put(METADATA, metadataJson({ snapshots }));
  return store;
}

const person = fc.record({
  key: fc.integer({ min: -(2 ** 40), max: 2 ** 52 }).filter((one) => Math.abs(one) > 400_000),
  mail: fc
    .tuple(
      fc.stringMatching(/^[A-Za-z0-9]{2}[A-Za-z0-9._+-]{6,20}[A-Za-z0-9]$/),
      fc.stringMatching(/^[a-z]{3,9}$/),
    )
    .map(([name, host]) => `${name}@${host}.example`),
});

const valuesOf = ({
  key,
  mail,
}: {
  readonly key: number;
  readonly mail: string;
}): SubjectValues => {
  return { customer_id: [String(key)], email: [mail] };
};

describe('a random value in a random place', () => {
  test.each(PLACES)('%s', async (_, identifier, plant) => {
    await fc.assert(
      fc.asyncProperty(person, person, async (one, other) => {
        fc.pre(one.key !== other.key && one.mail.slice(0, 16) !== other.mail.slice(0, 16));
        const store = await plant(one);
        const seek = async (sought: typeof one) => {
          const subjects = [{ requestId: 'r1', values: valuesOf(sought) }];
          return (await verifyOne(store, { subjects })).traces.map((trace) => trace.identifier);
        };
        expect(new Set(await seek(one))).toEqual(new Set([identifier]));
        expect(await seek(other)).toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});
