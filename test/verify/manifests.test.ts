/** What manifests tell of a subject: bounds, also cut ones, and partition values. */
import { describe, expect, test } from 'vitest';
import {
  bound,
  encodeManifest,
  encodeManifestList,
  type FileSpec,
  type ManifestSpec,
} from '../iceberg/manifest-fixture.ts';
import { LOCATION, METADATA, metadataJson, tracesOf, VALUES, verifyOne } from './fixture.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';

const [KEY, MAIL] = [VALUES.customer_id[0], VALUES.email[0]];

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
});
