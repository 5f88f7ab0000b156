/** The worker dies at every step, Spark in the middle: requests come to their end all the same. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TABLE_STEPS } from '../../src/domain/erasure/table-steps.ts';
import { stackStatus } from '../../stack/control.ts';
import { deleteByValue } from './equality-delete.ts';
import { makePeople, peoplePolicy, SOUGHT, SUBJECT } from './erasure-people.ts';
import { approve, certificateOf, type Office, openOffice, readRequest } from './erasure-support.ts';
import { scanBucket } from './independent-scan.ts';
import { recordOf } from './stack-support.ts';

const SPACE = 'lake.er_killed';
const [ONE, TWO] = [`${SPACE}.one`, `${SPACE}.two`];
/** The subject and two others of the same tables, in one batch. */
const KEYS = [SUBJECT.key, '1000007', '1000011'];

let office: Office;
const others = new Map<string, unknown>();

beforeAll(async () => {
  office = await openOffice('killed', { policy: peoplePolicy([ONE, TWO], '5s') });
  await makePeople(office, { table: ONE, version: 2, deletes: 'merge-on-read' });
  await makePeople(office, { table: TWO, version: 3, deletes: 'merge-on-read' });
  // Applies to nothing, and is left by every rewrite but one of all files of its partition.
  await deleteByValue(ONE, 'customer_id', '5', 'day=2026-01-01');
  for (const table of [ONE, TWO]) others.set(table, await remaining(table));
  await office.startWorker();
});
afterAll(async () => {
  for (const table of [ONE, TWO]) await office.lake.spark(`DROP TABLE IF EXISTS ${table}`);
  await office?.close();
});

/** Rows of everybody who is not forgotten in this file. */
async function remaining(table: string): Promise<unknown> {
  const [row] = await office.lake.spark(
    `SELECT count(*) AS n, CAST(sum(CAST(xxhash64(*) AS DECIMAL(38, 0))) AS STRING) AS h
     FROM ${table} WHERE customer_id NOT IN (${KEYS.join(', ')})`,
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

it('the worker is killed at every step, Spark once: all are done', async () => {
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
  const states = ['requested', 'forgetting', 'verifying'].map((one) => `state ${one}`);
  expect([...met]).toEqual(
    expect.arrayContaining([...states, ...TABLE_STEPS.map((one) => `step ${one}`)]),
  );
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
