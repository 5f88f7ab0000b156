/** Values that are known by hash only are found in every mapped place, and others are not. */
import { createHmac } from 'node:crypto';
import { expect, test } from 'vitest';
import type { HashedValues } from '../../src/verify/ports.ts';
import { type AvroRow, encodeData } from './avro-file.ts';
import { LOCATION, METADATA, metadataJson, tracesOf, VALUES, verifyOne } from './fixture.ts';
import { createMemoryStore } from './memory-store.ts';

const hashOf = (identifier: string, value: string) =>
  createHmac('sha256', identifier).update(value).digest('hex');
const [key] = VALUES.customer_id;
const hashed: HashedValues = {
  hashes: new Map([
    ['customer_id', new Set([hashOf('customer_id', key)])],
    ['session', new Set([hashOf('session', VALUES.session[0])])],
  ]),
  hashOf,
};

async function tracesIn(row: AvroRow): Promise<readonly string[]> {
  const store = createMemoryStore();
  store.put(METADATA, metadataJson());
  store.put(`${LOCATION}/data/x.avro`, await encodeData([{ customer_id: 5 }, row], 'deflate'));
  const subjects = [{ requestId: 'r1', values: {} }];
  return tracesOf(await verifyOne(store, { subjects, hashed }));
}

test.each<readonly [string, AvroRow, readonly string[]]>([
  ['the key', { customer_id: Number(key) }, ['data customer_id row']],
  ['in a struct', { before: { customer_id: Number(key) } }, ['data customer_id row']],
  ['in a list', { ids: [1, Number(key)] }, ['data customer_id row']],
  ['in JSON', { after: `{"customer_id": "${key}"}` }, ['data customer_id row']],
  [
    'in JSON inside JSON',
    { after: JSON.stringify(`{"customer_id": ${key}}`) },
    ['data customer_id row'],
  ],
  ['as text', { key_text: key }, ['data customer_id row']],
  ['in a column that is not mapped', { note: key }, []],
  ['as another identifier', { key_text: VALUES.session[0] }, []],
  ['no JSON', { after: `customer_id ${key}` }, ['data no_json unreadable']],
  ['somebody else', { customer_id: Number(key) * 10 }, []],
])('%s', async (_, row, traces) => {
  expect(await tracesIn(row)).toEqual(traces);
});
