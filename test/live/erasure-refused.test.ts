/** What must not be forgotten, or not yet: refused by name, with exit code 3, and nothing half-done. */
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  PutObjectLockConfigurationCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ErasureRequest } from '../../src/domain/erasure/request.ts';
import { succeed } from './command-line.ts';
import { makePeople, peoplePolicy, SUBJECT } from './erasure-people.ts';
import {
  approve,
  ask,
  certificateOf,
  type Office,
  openOffice,
  untilState,
} from './erasure-support.ts';

const SPACE = 'lake.er_refused';
const [ONE, TWO, LOCKED] = [`${SPACE}.one`, `${SPACE}.two`, `${SPACE}.locked`];

let office: Office;
let requestId: string;
/** Heads of the tables: as long as nothing is forgotten, they stay. */
let heads: readonly (string | null)[];

beforeAll(async () => {
  const policy = peoplePolicy([ONE, TWO, LOCKED]);
  office = await openOffice('refused', { policy });
  await makePeople(office, { table: ONE, version: 2, deletes: 'copy-on-write' });
  await makePeople(office, { table: TWO, version: 3, deletes: 'merge-on-read' });
  heads = await headsNow();
  await office.startWorker();
  requestId = (await ask(office, SUBJECT.key)).requestId;
});
afterAll(async () => {
  for (const name of ['one', 'two', 'locked', 'guest']) {
    await office.lake.spark(`DROP TABLE IF EXISTS ${SPACE}.${name}`);
  }
  await office?.close();
});

async function headsNow(): Promise<readonly (string | null)[]> {
  const healths = await Promise.all([ONE, TWO].map((table) => office.lake.measure(table)));
  return healths.map((one) => one.snapshotId);
}

/** Looks again, and answers what an approval is refused with. */
async function refusal(): Promise<string> {
  await office.succeed(['erase', 'retry', requestId]);
  await lookedAgain();
  const told = await approve(office, requestId);
  expect([told.exitCode, told.json.error?.code]).toEqual([3, 'SafetyRefused']);
  expect(await headsNow()).toEqual(heads);
  return String(told.json.error.message);
}

async function lookedAgain(): Promise<void> {
  await untilState(office, requestId, ['awaiting_approval']);
}

it('whoever asked does not approve; a hold and a pause are obeyed', async () => {
  const own = await office.icewright(['erase', 'approve', requestId]);
  expect([own.exitCode, own.json.error.message]).toEqual([
    3,
    expect.stringMatching(/second person/),
  ]);
  await office.succeed(['erase', 'hold', requestId, '--because', 'litigation 17/2026']);
  const held = await approve(office, requestId);
  expect([held.exitCode, held.json.error.message]).toEqual([
    3,
    expect.stringMatching(/legal hold/),
  ]);
  await office.succeed(['erase', 'lift', requestId]);
  const unknown = await office.icewright(['erase', 'approve', 'none']);
  expect(unknown.exitCode).toBe(2);
  const words = ['erase', 'request', '--subject', 'ghost:1', '--ground', 'x'];
  expect((await office.icewright(words)).exitCode).toBe(2);
});

it('gc.enabled=false', async () => {
  await office.lake.spark(`ALTER TABLE ${TWO} SET TBLPROPERTIES ('gc.enabled' = 'false')`);
  expect(await refusal()).toMatch(/gc_disabled of lake\.er_refused\.two: gc\.enabled is false/);
  await office.lake.spark(`ALTER TABLE ${TWO} UNSET TBLPROPERTIES ('gc.enabled')`);
});

it('a retention by which the engine would drop more than is asked for', async () => {
  await office.lake.spark(`ALTER TABLE ${ONE} CREATE TAG aged RETAIN 1 DAYS`);
  const property = "'history.expire.max-ref-age-ms'";
  await office.lake.spark(`ALTER TABLE ${ONE} CREATE TAG other`);
  await office.lake.spark(`ALTER TABLE ${ONE} SET TBLPROPERTIES (${property} = '1')`);
  expect(await refusal()).toMatch(/retention of lake\.er_refused\.one: .*tag other/);
  await office.lake.spark(`ALTER TABLE ${ONE} UNSET TBLPROPERTIES (${property})`);
  for (const tag of ['aged', 'other'])
    await office.lake.spark(`ALTER TABLE ${ONE} DROP TAG ${tag}`);
});

it('a table that lies in another one', async () => {
  await office.lake.spark(
    `CREATE TABLE ${SPACE}.guest (id BIGINT) USING iceberg
     LOCATION '${office.base}/er_refused/one/data/guest'`,
  );
  const told = await refusal();
  expect(told).toMatch(
    /shared_place of lake\.er_refused\.one: lake\.er_refused\.guest keeps files/,
  );
  await office.lake.spark(`DROP TABLE ${SPACE}.guest`);
});

it('a table that cannot be read', async () => {
  // Others remove orphans meanwhile: they are refused where nobody knows what this table's place is.
  await succeed(['health', '--now']);
  const [row] = await office.lake.spark(
    `SELECT file FROM ${TWO}.metadata_log_entries ORDER BY timestamp DESC LIMIT 1`,
  );
  const key = String(row?.file).replace(`${office.base}/`, '');
  // The version stays under the marker.
  const marker = await office.s3.send(new DeleteObjectCommand({ Bucket: office.bucket, Key: key }));
  await office.succeed(['erase', 'retry', requestId]);
  await lookedAgain();
  const told = await approve(office, requestId);
  expect([told.exitCode, told.json.error.message]).toEqual([
    3,
    expect.stringMatching(/unreachable of lake\.er_refused\.two: .* cannot be read/),
  ]);
  await office.s3.send(
    new DeleteObjectCommand({ Bucket: office.bucket, Key: key, VersionId: marker.VersionId }),
  );
  expect(await headsNow()).toEqual(heads);
});

it('an object store that keeps what it has', async () => {
  const bucket = `${office.bucket}-locked`;
  await office.s3.send(
    new CreateBucketCommand({ Bucket: bucket, ObjectLockEnabledForBucket: true }),
  );
  const there = { lake: office.lake, base: `s3://${bucket}` };
  await makePeople(there, { table: LOCKED, version: 2, deletes: 'copy-on-write' });
  // From here on; what was written before has no lock, and the bucket's rule counts.
  await office.s3.send(
    new PutObjectLockConfigurationCommand({
      Bucket: bucket,
      ObjectLockConfiguration: {
        ObjectLockEnabled: 'Enabled',
        Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } },
      },
    }),
  );
  expect(await refusal()).toMatch(/object_lock of lake\.er_refused\.locked: its bucket locks/);
});

it('a table that is dropped since it was found, and whose files are still there', async () => {
  const { tableUuid } = await office.lake.measure(LOCKED);
  await office.lake.spark(`DROP TABLE ${LOCKED}`);
  expect(await refusal()).toMatch(/vanished of lake\.er_refused\.locked: .* its files are not/);
  const except = ['erase', 'except', requestId, '--table', LOCKED, '--kind', 'vanished'];
  await office.succeed([...except, '--ref', tableUuid, '--because', 'gone with its lock']);
});

it('an exception is recorded, stands in the certificate, and covers no more than it says', async () => {
  await office.lake.spark(`ALTER TABLE ${TWO} SET TBLPROPERTIES ('gc.enabled' = 'false')`);
  expect(await refusal()).toContain('gc_disabled');
  const except = ['erase', 'except', requestId, '--table', TWO, '--ref', 'gc.enabled'];
  await office.succeed([...except, '--kind', 'gc_disabled', '--because', '§ 147 AO']);
  expect((await approve(office, requestId)).exitCode).toBe(0);
  await untilState(office, requestId, ['done']);
  const { certificate } = await certificateOf(office, requestId);
  const { remains } = certificate;
  expect(remains.map(({ where, because }) => [where.split(' ')[1], because]).sort()).toEqual([
    ['gc_disabled', '§ 147 AO'],
    ['vanished', 'gone with its lock'],
  ]);
  const left = await office.lake.spark(
    `SELECT count(*) AS n FROM ${TWO} WHERE customer_id = ${SUBJECT.key}`,
  );
  expect(Number(left[0]?.n)).toBe(0);
  expect((await office.lake.measure(ONE)).snapshots.length).toBe(1);
  expect((await office.lake.measure(TWO)).snapshots.length).toBeGreaterThan(2);
  const late = await office.icewright(['erase', 'cancel', requestId]);
  expect(late.exitCode).toBe(3);
});

it('one that is cancelled forgets nothing, and is at its end', async () => {
  await office.lake.spark(`ALTER TABLE ${TWO} UNSET TBLPROPERTIES ('gc.enabled')`);
  const request: ErasureRequest = await ask(office, '1000007');
  const told = (await office.succeed(['erase', 'cancel', request.requestId])) as ErasureRequest;
  expect(told.state).toBe('cancelled');
  expect((await approve(office, request.requestId)).exitCode).toBe(3);
  const there = await office.lake.spark(
    `SELECT count(*) AS n FROM ${ONE} WHERE customer_id = 1000007`,
  );
  expect(Number(there[0]?.n)).toBeGreaterThan(0);
});
