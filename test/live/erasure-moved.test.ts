/**
 * Tables with a past: their location was moved within a bucket with versions, their partitioning
 * changed, and a delete of the subject by value applies to nothing. Nothing of it may stay.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deleteByValue } from './equality-delete.ts';
import { othersOf, peoplePolicy, SOUGHT, SUBJECT } from './erasure-people.ts';
import { forget, type Office, openOffice } from './erasure-support.ts';
import { scanBucket } from './independent-scan.ts';

const SPACE = 'lake.er_moved';
const [VISITS, UPSERTS] = [`${SPACE}.visits`, `${SPACE}.upserts`];
const TABLES = [VISITS, UPSERTS];

let office: Office;
const before = new Map<string, unknown>();

beforeAll(async () => {
  office = await openOffice('moved', { policy: peoplePolicy(TABLES) });
  await office.lake.spark(`CREATE NAMESPACE IF NOT EXISTS ${SPACE}`);
  for (const table of TABLES) await makeTable(table);
  await office.lake.spark(`ALTER TABLE ${VISITS} ADD PARTITION FIELD day`);
  await office.lake.spark(`INSERT INTO ${VISITS} ${rows(2_000, 3)}`);
  await office.lake.spark(`ALTER TABLE ${VISITS} SET LOCATION '${office.base}/er_moved/now'`);
  await office.lake.spark(`INSERT INTO ${VISITS} ${rows(3_000, 1)}`);
  for (const table of TABLES) before.set(table, await othersOf(office.lake, table));
  await office.startWorker();
});
afterAll(async () => {
  for (const table of TABLES) await office.lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await office?.close();
});

/** Others in files of their own, then the subject, if `own` is more than nothing, in another. */
function rows(from: number, own: number): string {
  const day = `date_add(DATE '2026-01-01', CAST(id % 2 AS INT))`;
  const others = `SELECT ${from} + id, 1000000 + id % 40, concat('user', id % 40, '@example.org'),
    concat('Name ', id % 40), ${day} FROM range(0, 80, 1, 2)`;
  const subject = `SELECT ${from} + 500 + id, ${SUBJECT.key}L, '${SUBJECT.email}',
    '${SUBJECT.name}', ${day} FROM range(0, ${own}, 1, 1)`;
  return own === 0 ? others : `${others} UNION ALL ${subject}`;
}

/** Older files of others, then a delete of a key that was never there, then the key. */
async function makeTable(table: string): Promise<void> {
  const { spark } = office.lake;
  await spark(`DROP TABLE IF EXISTS ${table}`);
  await spark(
    `CREATE TABLE ${table} (visit BIGINT, customer_id BIGINT, email STRING, full_name STRING,
       day DATE) USING iceberg LOCATION '${office.base}/${table.replace('lake.', '').replace('.', '/')}'
     TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'merge-on-read',
       'write.distribution-mode' = 'none')`,
  );
  await spark(`INSERT INTO ${table} ${rows(0, 0)}`);
  await deleteByValue(table, 'customer_id', SUBJECT.key);
  await spark(`INSERT INTO ${table} ${rows(1_000, 2)}`);
}

it('nothing is left of the subject in any version, and everybody else is as before', async () => {
  const found = await scanBucket(office.bucket, SOUGHT);
  const folders = new Set(found.where.map((one) => one.split('/').slice(0, 2).join('/')));
  expect([...folders].sort()).toEqual(['er_moved/now', 'er_moved/upserts', 'er_moved/visits']);
  const { certificate } = await forget(office, SUBJECT.key);
  expect((await scanBucket(office.bucket, SOUGHT)).where).toEqual([]);
  for (const table of TABLES) {
    expect([table, await othersOf(office.lake, table)]).toEqual([table, before.get(table)]);
  }
  const told = certificate.tables.map(({ oracle }) => [oracle.matched, oracle.matchedAfter]);
  expect(told).toEqual([
    [6, 0],
    [2, 0],
  ]);
  const properties = await office.lake.spark(`SHOW TBLPROPERTIES ${VISITS}`);
  expect(properties.map(({ key }) => key)).not.toContain('commit.manifest.target-size-bytes');
});
