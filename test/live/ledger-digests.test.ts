import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ClosableLedger, createLedger } from '../../src/ledger/ledger.ts';
import { migrate } from '../../src/ledger/migrate.ts';
import { startPostgres, type TestPostgres } from '../ledger/postgres.ts';

let server: TestPostgres;
let url: string;
let ledger: ClosableLedger;

beforeAll(async () => {
  server = await startPostgres();
  url = await server.createDatabase('digests');
  await migrate(url);
  ledger = createLedger({ url });
}, 60_000);

afterAll(async () => {
  await ledger?.close();
  await server?.stop();
}, 60_000);

async function sql(text: string): Promise<readonly Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(text)).rows;
  } finally {
    await client.end();
  }
}

const bytes = (text: string) => Buffer.from(text);

test('digests are kept by path, and replaced', async () => {
  const { manifests } = ledger;
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
  const { manifests } = ledger;
  await manifests.save(
    new Map([
      ['old', bytes('1')],
      ['used', bytes('2')],
    ]),
  );
  await sql(`update icewright.manifest_digest set last_used = now() - interval '40 days'
             where path in ('old', 'used')`);
  await manifests.load(['used']);
  await manifests.save(new Map([['another', bytes('3')]]));
  const left = await sql('select path from icewright.manifest_digest order by path');
  expect(left.map((row) => row.path)).toEqual(['a', 'another', 'b', 'used']);
});

test('processes that save the same at once do not hinder each other', async () => {
  const paths = Array.from({ length: 200 }, (_, at) => `m${at}`);
  const forward = new Map(paths.map((path) => [path, bytes(path)]));
  const backward = new Map([...forward].reverse());
  await Promise.all([forward, backward, forward, backward].map(ledger.manifests.save));
  expect((await ledger.manifests.load(paths)).size).toBe(200);
});
