/**
 * What engines do of themselves is not enough: after each of their steps the scan from outside still
 * finds the subject. The table of docs/erasure.md comes from here.
 */
import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makePeople, SOUGHT, SUBJECT } from './erasure-people.ts';
import { openS3, scanBucket } from './independent-scan.ts';
import { type Lake, openLake } from './lake.ts';

const KINDS = [
  { name: 'v2_cow', version: 2, deletes: 'copy-on-write' },
  { name: 'v2_mor', version: 2, deletes: 'merge-on-read' },
  { name: 'v3', version: 3, deletes: 'merge-on-read' },
] as const;
const BUCKETS = ['plain', 'versions'] as const;

let lake: Lake;
const bucketOf = (kind: string) => `engines-${kind}-${process.pid}`;
const tableOf = (bucket: string, kind: string) => `lake.er_engines.${bucket}_${kind}`;

beforeAll(async () => {
  lake = openLake('engines');
  const s3 = openS3();
  for (const kind of BUCKETS) {
    const Bucket = bucketOf(kind);
    await s3.send(new CreateBucketCommand({ Bucket }));
    const VersioningConfiguration = { Status: 'Enabled' } as const;
    if (kind === 'versions') {
      await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
    }
    for (const { name, version, deletes } of KINDS) {
      const people = { table: tableOf(kind, name), version, deletes };
      await makePeople({ lake, base: `s3://${Bucket}` }, people);
    }
  }
  s3.destroy();
});
afterAll(async () => {
  for (const table of allTables()) await lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await lake.close();
});

function allTables(): readonly string[] {
  return BUCKETS.flatMap((bucket) => KINDS.map(({ name }) => tableOf(bucket, name)));
}

const call =
  (procedure: string, more = '') =>
  (table: string) =>
    lake.spark(`CALL lake.system.${procedure}(table => '${table.replace('lake.', '')}'${more})`);

const STEPS: readonly (readonly [string, (table: string) => Promise<unknown>])[] = [
  ['before', async () => undefined],
  ['DELETE', (table) => lake.spark(`DELETE FROM ${table} WHERE customer_id = ${SUBJECT.key}`)],
  ['+ rewrite_data_files', call('rewrite_data_files')],
  [
    '+ expire_snapshots',
    call('expire_snapshots', `, older_than => TIMESTAMP '2100-01-01 00:00:00', retain_last => 1`),
  ],
];

/** Traces by table, in the order of the kinds. */
async function traces(bucket: string): Promise<readonly number[]> {
  const { where } = await scanBucket(bucketOf(bucket), SOUGHT);
  return KINDS.map(({ name }) => {
    const own = where.filter((one) => one.startsWith(`er_engines/${bucket}_${name}/`));
    return new Set(own.map((one) => one.replace(/ in [^:]*$/, ''))).size;
  });
}

it('DELETE, the default rewrite and the expiry leave the subject behind', async () => {
  const found: Record<string, readonly number[]> = {};
  for (const [step, act] of STEPS) {
    for (const table of allTables()) await act(table);
    found[step] = [...(await traces('plain')), ...(await traces('versions'))];
  }
  for (const [step, counts] of Object.entries(found)) {
    process.stdout.write(`| ${[step, ...counts].join(' | ')} |\n`);
  }
  for (const [step, counts] of Object.entries(found)) {
    expect([step, counts.every((count) => count > 0)]).toEqual([step, true]);
  }
});
