/**
 * The worker dies at every step, Spark in the middle, the object store refuses to delete: requests
 * come to their end all the same, or say what they wait for, and never end without proof.
 */
import { createHash } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TABLE_STEPS } from '../../src/domain/erasure/table-steps.ts';
import { stackStatus } from '../../stack/control.ts';
import { until } from './command-line.ts';
import { makePeople, peoplePolicy, SOUGHT, SUBJECT } from './erasure-people.ts';
import {
  approve,
  ask,
  certificateOf,
  type Office,
  openOffice,
  readRequest,
  untilState,
} from './erasure-support.ts';
import { type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import { scanBucket } from './independent-scan.ts';
import { recordOf } from './stack-support.ts';

const SPACE = 'lake.er_killed';
const [ONE, TWO] = [`${SPACE}.one`, `${SPACE}.two`];
/** Other people of the same tables: one batch each, so that a death meets several steps. */
const KEYS = [SUBJECT.key, '1000007', '1000011'];

let office: Office;
let proxy: FaultProxy;
const others = new Map<string, unknown>();

beforeAll(async () => {
  proxy = await startFaultProxy(process.env.ICEWRIGHT_S3_ENDPOINT ?? '');
  const policy = peoplePolicy([ONE, TWO]);
  office = await openOffice('killed', { policy, env: { ICEWRIGHT_S3_ENDPOINT: proxy.url } });
  await makePeople(office, { table: ONE, version: 2, deletes: 'merge-on-read' });
  await makePeople(office, { table: TWO, version: 3, deletes: 'merge-on-read' });
  for (const table of [ONE, TWO]) others.set(table, await remaining(table));
  await office.startWorker();
});
afterAll(async () => {
  for (const table of [ONE, TWO]) await office.lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await office?.close();
  await proxy?.close();
});

/** Rows of everybody who is not forgotten in this file. */
async function remaining(table: string): Promise<unknown> {
  const gone = [...KEYS, '1000013'].join(', ');
  const [row] = await office.lake.spark(
    `SELECT count(*) AS n, CAST(sum(CAST(xxhash64(*) AS DECIMAL(38, 0))) AS STRING) AS h
     FROM ${table} WHERE customer_id NOT IN (${gone})`,
  );
  return { n: Number(row?.n), h: row?.h };
}

/** What is under way at this moment, as the ledger knows it. */
async function underWay(): Promise<readonly string[]> {
  const [states, steps] = await Promise.all([
    office.sql(`SELECT DISTINCT state FROM icewright.erasure_request WHERE state <> 'done'`),
    office.sql(
      `SELECT DISTINCT s.ordinal FROM icewright.started_operation s
       LEFT JOIN icewright.receipt r ON r.run_id = s.run_id AND r.ordinal = s.ordinal
       WHERE r.run_id IS NULL`,
    ),
  ]);
  const named = steps.map((one) => `step ${TABLE_STEPS[Number(one.ordinal)]}`);
  return [...states.map((one) => `state ${one.state}`), ...named];
}

it('the worker is killed at every step that it is met at, Spark once: all are done', async () => {
  const ids: string[] = [];
  const words = ['erase', 'request', '--subject', 'customer:-', '--ground', 'Art. 17(1)(a)'];
  for (const key of KEYS) ids.push((await office.succeed(words, key)).requestId);
  const met = new Set<string>();
  let approved = false;
  let kills = 0;
  let sparkKilled = false;
  for (;;) {
    const now = await underWay();
    const fresh = now.filter((one) => !met.has(one));
    for (const one of now) met.add(one);
    if (fresh.some((one) => one !== 'state awaiting_approval')) {
      await office.killWorker();
      kills += 1;
      if (now.includes('step rewrite') && !sparkKilled) {
        const { pid } = recordOf(await stackStatus(process.env.ICEWRIGHT_HOME ?? ''), 'spark');
        process.kill(pid ?? 0, 'SIGKILL');
        sparkKilled = true;
      }
      await office.startWorker();
    }
    const requests = await Promise.all(ids.map((id) => readRequest(office, id)));
    if (!approved && requests.every(({ state }) => state === 'awaiting_approval')) {
      for (const id of ids) expect((await approve(office, id)).exitCode).toBe(0);
      approved = true;
    }
    expect(requests.map(({ state }) => state)).not.toContain('failed');
    if (requests.every(({ state }) => state === 'done')) break;
    await new Promise((resume) => setTimeout(resume, 20));
  }
  process.stdout.write(`killed ${kills} times, at: ${[...met].sort().join(', ')}\n`);
  expect(met.size).toBeGreaterThanOrEqual(8);
  for (const id of ids) {
    const { certificate } = await certificateOf(office, id);
    expect(certificate.tables.map((one) => [one.oracle.matchedAfter, one.rowsMatched > 0])).toEqual(
      [
        [0, true],
        [0, true],
      ],
    );
    expect(await office.succeed(['erase', 'verify', id, '--lake'])).toMatchObject({ ok: true });
  }
  expect((await scanBucket(office.bucket, SOUGHT)).where).toEqual([]);
  for (const [table, was] of others) expect(await remaining(table)).toEqual(was);
});

it('the store refuses to delete: the request says so, waits, and goes on', async () => {
  const { requestId } = await ask(office, '1000013');
  let refusing = true;
  proxy.use(({ method, body }) =>
    refusing && method === 'POST' && body.includes('<Delete')
      ? { kind: 'refuse', status: 503 }
      : null,
  );
  expect((await approve(office, requestId)).exitCode).toBe(0);
  const waiting = await until(async () => {
    const request = await readRequest(office, requestId);
    return request.error === null ? null : request;
  });
  expect([waiting.state, waiting.error?.code]).toEqual(['forgetting', 'StorageUnavailable']);
  refusing = false;
  await office.succeed(['erase', 'retry', requestId]);
  await untilState(office, requestId, ['done']);
});

it('one forgotten file, and the request fails with the hash of its path', async () => {
  const key = 'er_killed/one/data/forgotten.bin';
  const person = await office.lake.spark(
    `SELECT email FROM ${ONE} WHERE customer_id = 1000017 LIMIT 1`,
  );
  const Body = `left behind: ${person[0]?.email}`;
  await office.s3.send(new PutObjectCommand({ Bucket: office.bucket, Key: key, Body }));
  const { requestId } = await ask(office, '1000017');
  await approve(office, requestId);
  const failed = await until(async () => {
    const request = await readRequest(office, requestId);
    expect(request.state).not.toBe('done');
    return request.state === 'failed' ? request : null;
  });
  const hash = createHash('sha256').update(`${office.base}/${key}`).digest('hex');
  expect(failed.error?.message).toContain(hash);
  expect(failed.error?.message).not.toContain('forgotten.bin');
  const versions = [];
  for await (const one of office.store.listVersions(`${office.base}/${key}`)) versions.push(one);
  expect(await office.store.delete(versions)).toEqual([]);
  await office.succeed(['erase', 'retry', requestId]);
  await untilState(office, requestId, ['done']);
});
