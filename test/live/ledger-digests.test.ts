import { expect, test } from 'vitest';
import { useOwnLedger } from '../ledger/own-ledger.ts';

const own = useOwnLedger('digests');

const bytes = (text: string) => Buffer.from(text);

test('digests are kept by path, and replaced', async () => {
  const { manifests } = own.ledger;
  await manifests.save(
    new Map([
      ['b', bytes('two')],
      ['a', bytes('one')],
    ]),
  );
  await manifests.save(new Map([['a', bytes('new')]]));
  const found = await manifests.load(['a', 'b', 'c']);
  expect(Object.fromEntries(found)).toEqual({ a: bytes('new'), b: bytes('two') });
  expect((await manifests.load([])).size).toBe(0);
});

test('those that nobody used for a month go; what is used stays', async () => {
  const { manifests } = own.ledger;
  await manifests.save(
    new Map([
      ['old', bytes('1')],
      ['used', bytes('2')],
    ]),
  );
  await own.sql(`update icewright.manifest_digest set last_used = now() - interval '40 days'
             where path in ('old', 'used')`);
  await manifests.load(['used']);
  await manifests.save(new Map([['another', bytes('3')]]));
  const left = await own.sql('select path from icewright.manifest_digest order by path');
  expect(left.map((row) => row.path)).toEqual(['a', 'another', 'b', 'used']);
});

test('processes that save the same at once do not hinder each other', async () => {
  const paths = Array.from({ length: 200 }, (_, at) => `m${at}`);
  const forward = new Map(paths.map((path) => [path, bytes(path)]));
  const backward = new Map([...forward].reverse());
  await Promise.all([forward, backward, forward, backward].map(own.ledger.manifests.save));
  expect((await own.ledger.manifests.load(paths)).size).toBe(200);
});
