/** The object store answers 503 for a while, or for longer than an engine waits. */
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Rule } from './fault-proxy.ts';
import { compactOn, type Faults, makeSmall, openFaults } from './faults-support.ts';
import { checksum, replaces } from './lake.ts';

let faults: Faults;
/** Rows that each table must have in the end. */
const rows = new Map<string, number>();

beforeAll(async () => {
  faults = await openFaults('faults-store', [], {
    // Iceberg waits for a minute by default, five times longer each; the test need not.
    'spark.sql.catalog.lake.s3.retry.num-retries': '2',
    'spark.sql.catalog.lake.s3.retry.min-wait-ms': '500',
    'spark.sql.catalog.lake.s3.retry.max-wait-ms': '2000',
  });
});
beforeEach(() => faults.store.use(() => null));
afterAll(() => faults?.close());

/** Refuses what a compaction writes under `folder` of the table; what it reads is there. */
function refuseWrites(table: string, folder: 'data' | 'metadata', times: number): Rule {
  const place = `/${table.split('.').slice(1).join('/')}/${folder}/`;
  let refused = 0;
  return (seen) => {
    if (!['PUT', 'POST'].includes(seen.method) || !seen.path.includes(place)) return null;
    refused += 1;
    return refused <= times ? { kind: 'refuse', status: 503 } : null;
  };
}

it('for a while: the engine waits, and the compaction is done', async () => {
  const table = 'lake.faults_store.short';
  await makeSmall(faults.lake, table);
  const before = await checksum(faults.lake, table);
  faults.store.use(refuseWrites(table, 'data', 1));
  const receipt = await faults.perform(table, compactOn('spark'));
  expect(faults.store.met.length).toBeGreaterThan(0);
  expect(receipt).toMatchObject({ status: 'done', error: null });
  expect(replaces(await faults.lake.measure(table))).toEqual([receipt.snapshotAfter]);
  expect(await checksum(faults.lake, table)).toEqual(before);
  rows.set(table, Number(before?.n));
});

it.each(['data', 'metadata'] as const)(
  'for long, while %s files are written: it fails, nothing has changed, and the next one is done',
  async (folder) => {
    const table = `lake.faults_store.long_${folder}`;
    await makeSmall(faults.lake, table);
    const before = await checksum(faults.lake, table);
    const { snapshotId } = await faults.lake.measure(table);
    faults.store.use(refuseWrites(table, folder, Number.POSITIVE_INFINITY));
    const receipt = await faults.perform(table, compactOn('spark'));
    expect(receipt).toMatchObject({ status: 'failed', error: { code: 'EngineRejected' } });
    expect(receipt.snapshotAfter).toBe(snapshotId);
    expect((await faults.lake.measure(table)).snapshotId).toBe(snapshotId);
    expect(await checksum(faults.lake, table)).toEqual(before);
    faults.store.use(() => null);
    const again = await faults.perform(table, compactOn('spark'));
    expect(again).toMatchObject({ status: 'done', error: null });
    expect(await checksum(faults.lake, table)).toEqual(before);
    rows.set(table, Number(before?.n));
  },
);

it('and a reader that is not ours finds every file and every row', async () => {
  const found = await faults.verify([...rows.keys()]);
  for (const [table, count] of rows) {
    expect(found.get(table), table).toMatchObject({ rows: count, missing: [] });
  }
});
